from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pytest_genaiver.core.bisection import MOST_BELIEVED, Search, Terms, steps
from pytest_genaiver.core.contrast import Evidence, contrast, repeats_of_both, repeats_to_tell
from pytest_genaiver.core.policy import MetricPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_genaiver.core.bisection import Advice

TERMS = Terms(policy=MetricPolicy("passed"))
CASES = 20


def steady(values: Sequence[float | None], repeats: int = 5) -> Evidence:
    """Every repeat of case i yields `values[i]`."""
    held = {f"q{i}": [value] * repeats for i, value in enumerate(values)}
    return Evidence(values=held, sessions={case: ["s"] * repeats for case in held})


def passing(share: float, repeats: int = 5) -> Evidence:
    """The first cases always pass, the others never."""
    return steady([float(i < share * CASES) for i in range(CASES)], repeats)


def drawn(rate: float, repeats: int, seed: int, cases: int = CASES) -> Evidence:
    values = (np.random.default_rng(seed).random((cases, repeats)) < rate).astype(float)
    held = {f"q{i}": row for i, row in enumerate(values.tolist())}
    return Evidence(values=held, sessions={case: ["s"] * repeats for case in held})


def names(count: int) -> list[str]:
    """GOOD, `count` commits, BAD."""
    return ["GOOD", *(f"c{i}" for i in range(1, count + 1)), "BAD"]


def searched(search: Search, rates: Mapping[str, float], skipped: Sequence[str] = ()) -> tuple[Advice, list[str]]:
    """Runs what is asked for until nothing is; the last advice, and the commits that were run."""
    evidence: dict[str, Evidence] = {}
    ran: list[str] = []
    while ask := (advice := search.advise(evidence, skipped)).ask:
        assert advice.outcome == "going"
        have = evidence[ask.commit].repeats if ask.commit in evidence else 0
        evidence[ask.commit] = passing(rates[ask.commit], have + ask.repeats)
        ran.append(ask.commit)
        assert len(ran) < 100
    return advice, ran


def broken_at(commits: Sequence[str], first_bad: str, good: float = 0.9, bad: float = 0.5) -> dict[str, float]:
    place = commits.index(first_bad)
    return {c: good if i < place else bad for i, c in enumerate(commits)}


@pytest.mark.parametrize("first_bad", ["c1", "c2", "c9", "c15", "BAD"])
def test_the_first_bad_commit_of_sixteen_is_named_after_four_looks(first_bad: str) -> None:
    commits = names(15)
    advice, ran = searched(Search(commits, TERMS), broken_at(commits, first_bad))
    assert (advice.outcome, advice.suspects) == ("found", (first_bad,))
    assert advice.posterior[first_bad] > 0.95
    assert ran[:2] == ["BAD", "GOOD"]
    assert len(ran) - 2 <= steps(16) + 1
    assert (advice.good, advice.bad, advice.notes) == ("GOOD", "BAD", ())
    assert advice.contrast is not None
    assert (advice.contrast.decision.baseline, advice.contrast.decision.current) == (0.9, 0.5)


def test_neighbours_need_no_look_between() -> None:
    advice, ran = searched(Search(["GOOD", "BAD"], TERMS), {"GOOD": 1.0, "BAD": 0.0})
    assert (advice.suspects, advice.posterior) == (("BAD",), {"BAD": 1.0})
    assert ran == ["BAD", "GOOD"]


def test_no_ends_no_search() -> None:
    with pytest.raises(ValueError, match="needs GOOD and BAD"):
        Search(["GOOD"], TERMS)


def test_ends_that_do_not_differ_get_as_many_values_as_may_be_and_then_nothing_is_to_be_found() -> None:
    advice, ran = searched(Search(names(3), TERMS), dict.fromkeys(names(3), 0.8))
    assert (advice.outcome, advice.suspects) == ("same", ())
    assert set(ran) == {"GOOD", "BAD"}
    assert advice.contrast is not None
    assert not advice.contrast.worse


def test_nothing_is_known_of_the_ends_at_first() -> None:
    advice = Search(names(3), TERMS).advise({})
    assert (advice.ask.commit, advice.ask.repeats, advice.contrast) == ("BAD", 5, None)


def test_what_is_recorded_is_not_asked_for() -> None:
    commits = names(15)
    rates = broken_at(commits, "c9")
    evidence = {c: passing(rates[c]) for c in commits}
    advice = Search(commits, TERMS).advise(evidence)
    assert (advice.outcome, advice.suspects) == ("found", ("c9",))
    assert set(advice.standings.values()) == {"good", "bad"}


def test_a_search_asked_again_with_the_same_values_says_the_same() -> None:
    commits = names(15)
    evidence = {"GOOD": drawn(0.9, 5, 1), "BAD": drawn(0.6, 5, 2), "c8": drawn(0.6, 1, 3)}
    assert Search(commits, TERMS).advise(evidence) == Search(commits, TERMS).advise(dict(reversed(evidence.items())))


def test_a_noisy_commit_is_run_again() -> None:
    commits = names(3)
    evidence = {"GOOD": drawn(0.9, 5, 1), "BAD": drawn(0.6, 5, 2), "c2": drawn(0.75, 1, 16)}
    advice = Search(commits, TERMS).advise(evidence)
    assert advice.standings == {"c2": "unclear"}
    assert (advice.ask.commit, advice.ask.repeats > 0) == ("c2", True)


def test_what_cannot_be_run_is_gone_round() -> None:
    commits = names(15)
    advice, ran = searched(Search(commits, TERMS), broken_at(commits, "c9"), skipped=["c8", "c10"])
    assert (advice.outcome, advice.suspects) == ("range", ("c8", "c9"))
    assert not {"c8", "c10"} & {*ran}
    assert [round(p, 1) for p in advice.posterior.values()] == [0.5, 0.5]


def test_skipped_commits_far_from_the_change_do_not_matter() -> None:
    commits = names(15)
    advice, _ = searched(Search(commits, TERMS), broken_at(commits, "c9"), skipped=["c2", "c7", "c12"])
    assert (advice.outcome, advice.suspects) == ("found", ("c9",))


def test_where_all_are_skipped_every_commit_is_left() -> None:
    commits = names(3)
    advice, ran = searched(Search(commits, TERMS), broken_at(commits, "c2"), skipped=["c1", "c2", "c3"])
    assert (advice.outcome, advice.suspects) == ("range", ("c1", "c2", "c3", "BAD"))
    assert ran == ["BAD", "GOOD"]


def test_a_commit_without_a_value_stays_unknown() -> None:
    commits = names(3)
    rates = broken_at(commits, "c2")
    evidence = {c: passing(rates[c]) for c in commits} | {"c2": steady([None] * CASES)}
    advice = Search(commits, TERMS).advise(evidence)
    assert "c2" not in advice.standings
    assert advice.ask.commit == "c2"


def test_a_commit_that_shares_no_case_says_nothing() -> None:
    commits = names(3)
    other = Evidence(values={"other": [1.0] * 20}, sessions={"other": ["s"] * 20})
    evidence = {"GOOD": passing(0.9), "BAD": passing(0.5), "c2": other}
    search = Search(commits, TERMS)
    assert search.advise(evidence).standings == {"c2": "unclear"}
    assert search.log_ratio("c2", "GOOD", "BAD") == 0


def test_a_commit_that_stays_unclear_with_all_that_may_be_asked_ends_in_a_range() -> None:
    commits = names(3)
    middle = steady([*[1.0] * 14, *[0.0] * 6], repeats=1)
    evidence = {"GOOD": passing(0.9, 20), "BAD": passing(0.5, 20)}
    for c in ("c1", "c2", "c3"):
        evidence[c] = Evidence(
            values={case: [*values, *[None] * 19] for case, values in middle.values.items()}, sessions={}
        )
    terms = Terms(policy=MetricPolicy("passed", tolerance=0.3), most=1)
    advice = Search(commits, terms).advise(evidence)
    assert advice.outcome == "range"
    assert set(advice.standings.values()) == {"unclear"}


def test_sure_by_the_posterior_but_not_by_the_gate_is_run_again_until_it_may_not_be() -> None:
    commits = names(1)
    evidence = {"GOOD": drawn(0.9, 20, 1), "BAD": drawn(0.6, 20, 2), "c1": drawn(0.9, 1, 3, cases=7)}
    advice = Search(commits, TERMS).advise(evidence)
    assert max(advice.posterior.values()) > 0.95
    assert advice.ask.commit == "c1"
    assert Search(commits, TERMS).advise(evidence, skipped=["c1"]).outcome == "range"


def test_a_part_of_the_drop_is_told_and_looked_for_first() -> None:
    commits = names(7)
    rates = broken_at(commits, "c2", good=1.0, bad=0.7) | {"c6": 0.4, "c7": 0.4, "BAD": 0.4}
    advice, _ = searched(Search(commits, TERMS), rates)
    assert (advice.outcome, advice.suspects) == ("found", ("c2",))
    assert "is worse than GOOD and better than BAD: more than one commit broke it" in advice.notes[0]


def test_what_was_mended_is_told_and_the_last_break_looked_for() -> None:
    commits = names(7)
    rates = dict.fromkeys(commits, 0.9) | {"c2": 0.5, "c6": 0.5, "c7": 0.5, "BAD": 0.5}
    known = {"GOOD": passing(0.9), "BAD": passing(0.5), "c2": passing(0.5, 1), "c4": passing(0.9, 5)}
    search = Search(commits, TERMS)
    first = search.advise(known)
    assert (first.ask.commit, first.ask.repeats, first.notes) == ("c2", 4, ())
    assert search.advise(known, skipped=["c2"]).ask.commit != "c2"
    known["c2"] = passing(0.5)
    while ask := (advice := search.advise(known)).ask:
        known[ask.commit] = passing(rates[ask.commit], 5)
    assert (advice.outcome, advice.suspects, advice.good) == ("found", ("c6",), "c5")
    assert advice.notes[0] == "c5 is good after a bad commit: it was broken, mended and broken again"


def test_the_posterior_is_the_likelihood_of_each_split() -> None:
    commits = names(3)
    evidence = {"GOOD": drawn(0.9, 5, 1), "BAD": drawn(0.6, 5, 2), "c1": drawn(0.8, 1, 4), "c3": drawn(0.8, 1, 5)}
    search = Search(commits, TERMS)
    advice = search.advise(evidence)
    one, three = (search.log_ratio(c, "GOOD", "BAD") for c in ("c1", "c3"))
    weights = [math.exp(one + three), math.exp(three), math.exp(three), 1.0]
    expected = [weight / sum(weights) for weight in weights]
    every = dict(zip(["c1", "c2", "c3", "BAD"], expected, strict=True))
    assert advice.posterior == pytest.approx({c: every[c] for c in advice.suspects})
    assert abs(one) <= MOST_BELIEVED


def test_the_log_ratio_counts_the_noise_of_the_ends() -> None:
    search = Search(names(1), TERMS)
    search.advise({"GOOD": drawn(0.9, 20, 1), "BAD": drawn(0.7, 20, 2), "c1": drawn(0.8, 1, 3)})
    ends, good, bad = (search.of(*pair) for pair in (("GOOD", "BAD"), ("GOOD", "c1"), ("BAD", "c1")))
    expected = (good.drop + bad.drop) / 2 * ends.drop / ((good.se**2 + bad.se**2) / 2)
    assert search.log_ratio("c1", "GOOD", "BAD") == pytest.approx(expected)


def test_without_noise_nothing_is_believed_beyond_measure() -> None:
    search = Search(names(1), TERMS)
    search.advise({"GOOD": steady([1.0] * 8), "BAD": steady([0.0] * 8), "c1": steady([1.0] * 8)})
    assert search.log_ratio("c1", "GOOD", "BAD") == -MOST_BELIEVED
    flat = Search(names(1), TERMS)
    flat.advise({"GOOD": steady([1.0] * 8), "BAD": steady([1.0] * 8), "c1": steady([1.0] * 8)})
    assert flat.log_ratio("c1", "GOOD", "BAD") == 0


@pytest.mark.parametrize(("commits", "expected"), [(1, 0), (2, 1), (3, 2), (64, 6), (65, 7)])
def test_steps(commits: int, expected: int) -> None:
    assert steps(commits) == expected


@pytest.mark.parametrize("direction", ["higher", "lower"])
def test_a_contrast_is_worse_or_better_by_the_metrics_direction(direction: str) -> None:
    policy = MetricPolicy("tone", kind="score", direction=direction, min=0.9, gate="warn")
    found = contrast(drawn(0.2, 5, 1), drawn(0.8, 5, 2), policy, 0.01)
    assert (found.better, found.worse) == ((True, False) if direction == "higher" else (False, True))


def test_a_contrast_without_a_common_case() -> None:
    nothing = contrast(steady([1.0]), Evidence(values={"other": [1.0]}, sessions={}), TERMS.policy, 0.01)
    assert (nothing.drop, nothing.se, nothing.worse) == (None, 0.0, False)


def test_repeats_to_tell_by_the_normal_approximation() -> None:
    seen = contrast(drawn(0.9, 5, 1), drawn(0.6, 5, 2), TERMS.policy, 0.01)
    once = seen.se**2 / (1 / 5 + 1 / 5)
    repeats = repeats_to_tell(seen, 5, 5, 0.01, 20)
    z = 2.3263 + 1.2816
    assert seen.drop >= z * math.sqrt(once / 5 + once / repeats)
    assert repeats == 1 or seen.drop < z * math.sqrt(once / 5 + once / (repeats - 1))


def test_repeats_to_tell_what_cannot_be_told() -> None:
    small = contrast(drawn(0.8, 5, 1), drawn(0.78, 5, 2), TERMS.policy, 0.01)
    better = contrast(drawn(0.2, 5, 1), drawn(0.9, 5, 2), TERMS.policy, 0.01)
    assert repeats_to_tell(small, 5, 5, 0.01, 20) == 20
    assert repeats_to_tell(better, 5, 5, 0.01, 20) == 20
    assert repeats_to_tell(small, 0, 5, 0.01, 20) == 20


def test_repeats_that_both_sides_would_need() -> None:
    small = contrast(drawn(0.85, 5, 1), drawn(0.7, 5, 2), TERMS.policy, 0.01)
    needed = repeats_of_both(small, 5, 5, 0.01)
    once = small.se**2 / (1 / 5 + 1 / 5)
    z = 2.3263 + 1.2816
    assert small.drop >= z * math.sqrt(2 * once / needed)
    assert small.drop < z * math.sqrt(2 * once / (needed - 1))
    tolerant = contrast(drawn(0.85, 5, 1), drawn(0.7, 5, 2), MetricPolicy("passed", tolerance=0.5), 0.01)
    assert repeats_of_both(tolerant, 5, 5, 0.01) is None
    assert repeats_of_both(small, 0, 5, 0.01) is None
