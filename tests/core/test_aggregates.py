from __future__ import annotations

import math

import numpy as np
import pytest

from pytest_genaiver.core.aggregates import asks_baseline, decide_aggregates, draws, evaluate
from pytest_genaiver.core.compare import compare
from pytest_genaiver.core.decision import Decision
from pytest_genaiver.core.policy import MetricPolicy, parse_metric_line
from pytest_genaiver.core.pooling import pool
from pytest_genaiver.core.results import CaseResult, SessionFacts, Version, VersionResults


def f1(cases):
    """From the calls' true positives, and from what they found and should have found."""
    hits, found, wanted = (
        sum(v for c in cases for v in c.scores[metric] if v is not None) for metric in ("hits", "found", "wanted")
    )
    return 2 * hits / (found + wanted)


def session(rows, *, key="now", repeats=5):
    """Rows of (hits, found, wanted), a list of calls for each case."""
    cases = {}
    for i, calls in enumerate(rows):
        scores = {m: [float(call[j]) for call in calls] for j, m in enumerate(("hits", "found", "wanted"))}
        cases[f"t[{i:03}]"] = CaseResult(id=f"t[{i:03}]", digest=str(i), function="t", scores=scores)
    return VersionResults(
        version=Version(name=key, app="app"),
        session=SessionFacts(id=key, started="", complete=True, repeats=repeats),
        cases=cases,
    )


def drawn(seed, p, cases=6, calls=3):
    """Calls that find each of two wanted things with probability p."""
    rng = np.random.default_rng(seed)
    return [[(int(rng.binomial(2, p)), 2, 2) for _ in range(calls)] for _ in range(cases)]


def decide(before, now, line="f1: score", function=f1, *, level=0.05, looks=(5,), verdict="pass", repeats=5):
    baseline = None if before is None else pool([session(before, key="then")])
    comparison = compare(baseline, session(now, repeats=repeats))
    policy = MetricPolicy("f1", gate="off") if line is None else parse_metric_line(line)
    decision = Decision(verdict=verdict, look=5, looks=looks, alpha=0.05, reason="as it was")
    return decide_aggregates(decision, comparison, {"f1": function}, {"f1": policy}, level=level)


def metric(*args, **more):
    return decide(*args, **more).decision.metrics["f1"]


GOOD, BAD = drawn(1, 0.9), drawn(2, 0.4)


def test_without_a_line_an_aggregate_is_shown_with_its_change():
    found = decide(GOOD, BAD, None)
    shown = found.decision.metrics["f1"]
    assert (shown.baseline, shown.current) == (f1(session(GOOD).cases.values()), f1(session(BAD).cases.values()))
    assert (shown.gate, shown.verdict, shown.p) == ("off", "pass", None)
    assert shown.drop == shown.baseline - shown.current
    assert (found.decision.verdict, found.decision.reason, found.troubles) == ("pass", "as it was", [])


def test_a_drop_beyond_chance_and_tolerance_is_a_regression():
    decision = decide(GOOD, BAD).decision
    assert decision.verdict == "regressed"
    found = decision.metrics["f1"]
    assert found.p < 0.01
    assert decision.reason == (
        f"f1: {found.baseline:.2f} -> {found.current:.2f}, beyond chance (p {found.p:.2g} at level 0.05; 3,999 draws)"
    )
    assert metric(GOOD, BAD, "f1: score, tolerance=0.9").verdict == "pass"
    assert metric(GOOD, BAD, "f1: score, gate=warn").verdict == "regressed"
    assert decide(GOOD, BAD, "f1: score, gate=warn").decision.verdict == "pass"


def test_a_rise_is_an_improvement_and_direction_turns_it():
    found = metric(BAD, GOOD)
    assert (found.verdict, found.p) == ("improved", None)
    assert found.p_improved < 0.05
    assert metric(BAD, GOOD, "f1: score, lower").verdict == "regressed"
    assert decide(BAD, GOOD, verdict="regressed").decision.reason == "as it was"


def test_kinds_that_are_compared_by_their_ratio():
    assert metric(BAD, GOOD, "f1: tokens").drop == pytest.approx(
        math.log(f1(session(GOOD).cases.values()) / f1(session(BAD).cases.values()))
    )
    assert metric(BAD, GOOD, "f1: tokens").verdict == "regressed"
    # Worse, but within a tolerance of 200 %, whose logarithm is what the change is held against.
    policy = MetricPolicy("f1", kind="tokens", tolerance=2.0)
    comparison = compare(pool([session(BAD, key="then")]), session(GOOD))
    decision = Decision(verdict="pass", look=5, looks=(5,), alpha=0.05)
    found = decide_aggregates(decision, comparison, {"f1": f1}, {"f1": policy}, level=0.05)
    assert found.decision.verdict == "pass"


def test_the_same_calls_on_both_sides_pass():
    found = metric(GOOD, GOOD)
    assert (found.verdict, found.drop) == ("pass", 0.0)
    assert "not beyond chance and tolerance (p 0." in found.reason


def test_an_unchanged_version_seldom_fails():
    alarms = sum(metric(drawn(i, 0.7, 8, 2), drawn(1000 + i, 0.7, 8, 1)).verdict == "regressed" for i in range(40))
    assert alarms <= 5


def test_calls_that_are_all_alike_say_nothing():
    same = [[(1, 2, 2)] * 3] * 4
    assert metric(same, same).p == 1.0


def test_too_few_calls_for_any_verdict_are_inconclusive():
    found = metric([[(2, 2, 2)]], [[(0, 2, 2)]])
    assert (found.verdict, found.p) == ("inconclusive", 1.0)
    assert found.reason == (
        "needs more repeats of both sides, or fewer gated metrics: p cannot fall below 0.5, and the level is 0.05"
    )


def test_the_level_is_shared_out_among_the_looks():
    assert metric(GOOD, BAD, looks=(1, 2, 5)).level == pytest.approx(0.05 / 3)


def test_min_and_max_are_held_beyond_noise_and_need_no_baseline():
    assert metric(None, BAD, "f1: min=0.8").verdict == "regressed"
    assert metric(None, BAD, "f1: min=0.8").reason.endswith("is below min 0.80 by more than noise")
    assert metric(None, GOOD, "f1: lower, max=0.5").reason.endswith("is above max 0.50 by more than noise")
    value = f1(session(BAD).cases.values())
    assert metric(None, BAD, f"f1: min={value + 0.01}").verdict == "pass"
    held = metric(GOOD, GOOD, "f1: min=0.5")
    assert (held.verdict, held.p) == ("pass", None)
    assert held.reason.endswith("; not held against the baseline")


def test_limits_of_one_case_are_unknown():
    assert metric(None, GOOD[:1], "f1: min=0.1").verdict == "inconclusive"


def test_a_value_that_depends_on_one_case_has_no_noise_to_speak_of():
    calls = [[(1, 1, 1)], [(0, 0, 0)]]
    assert metric(None, calls, "f1: min=0.1").reason == (
        "min and max need at least 2 cases, and a value also where some are left out"
    )


def test_many_cases_are_left_out_in_groups():
    asked = []

    def counted(cases):
        asked.append(len(cases))
        return f1(cases)

    assert metric(None, drawn(3, 0.9, 250, 1), "f1: min=0.5", counted).verdict == "pass"
    assert len(asked) < 110


def test_a_first_session_passes():
    found = metric(None, GOOD)
    assert (found.new, found.verdict, found.baseline) == (True, "pass", None)
    assert found.current == f1(session(GOOD).cases.values())


def test_what_cannot_be_computed_is_unknown_and_said():
    def broken(cases):
        raise ZeroDivisionError("no case")

    found = decide(GOOD, BAD, "f1: min=0.5", broken)
    assert found.troubles == ["aggregate 'f1' is unknown: it raised ZeroDivisionError('no case')"]
    assert (found.decision.verdict, found.decision.metrics["f1"].current) == ("inconclusive", None)
    assert decide(GOOD, BAD, None, broken).decision.verdict == "pass"


def test_a_baseline_that_lacks_the_scores_is_unknown_without_a_word():
    def of_now(cases):
        return 1.0 if cases[0].location == "here" else cases[0].scores["new metric"][0]

    now = session(GOOD)
    for case in now.cases.values():
        case.location = "here"
    decision = Decision(verdict="pass", look=0, looks=(5,), alpha=0.05)
    comparison = compare(pool([session(GOOD, key="then")]), now)
    found = decide_aggregates(decision, comparison, {"f1": of_now}, {"f1": MetricPolicy("f1")}, level=0.05)
    assert found.troubles == []
    assert found.decision.metrics["f1"].new


def test_relabelings_that_cannot_be_computed_count_against_a_regression():
    def fussy(cases):
        value = f1(cases)
        return (
            value
            if value in (f1(list(session(GOOD).cases.values())), f1(list(session(BAD).cases.values())))
            else None
        )

    found = metric(GOOD, BAD, "f1: score", fussy)
    assert (found.verdict, found.p) == ("pass", 1.0)


def test_the_name_of_a_metric_is_taken():
    comparison = compare(None, session(GOOD))
    decision = Decision(verdict="pass", look=5, looks=(5,), alpha=0.05)
    found = decide_aggregates(decision, comparison, {"hits": f1}, {"hits": MetricPolicy("hits")}, level=0.05)
    assert found.troubles == ["aggregate 'hits' has the name of a metric that cases score: rename it"]
    assert found.decision.metrics == {}


@pytest.mark.parametrize(
    ("returned", "number"),
    [(1, 1.0), (True, 1.0), (np.float32(0.5), 0.5), ("1", None), (None, None), (math.nan, None)],
)
def test_an_aggregate_is_a_finite_number(returned, number):
    cases = list(session(GOOD).cases.values())
    assert evaluate(lambda cases: returned, cases).number == number
    assert evaluate(lambda cases: returned, []).trouble == "no case was scored"


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("f1: higher", True),
        ("f1: score, gate=off", False),
        ("f1: score, min=0.8", True),
        ("f1: min=0.8", False),
        ("f1: score", True),
        ("f1: tolerance=0.1", True),
        ("f1: latency", False),
    ],
)
def test_a_kind_a_tolerance_or_no_limit_asks_for_the_baseline(line, asked):
    assert asks_baseline(parse_metric_line(line)) is asked


@pytest.mark.parametrize(
    ("moving", "level", "expected"),
    [(10, 0.05, 3_999), (1_000, 0.05, 400), (1_000, 0.005, 799), (100_000, 0.005, 799), (100_000, 0.0001, 3_999)],
)
def test_what_a_test_costs_is_bounded_and_still_enough_for_its_level(moving, level, expected):
    assert draws(moving, level) == expected
