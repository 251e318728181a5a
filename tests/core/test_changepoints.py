"""Where a metric changed along a line of versions."""

from __future__ import annotations

import math
import random
from statistics import fmean

import pytest

from pytest_genaiver.core.changepoints import MOST_MISSES, Shift, change_points, on_line, shift_between
from pytest_genaiver.core.policy import MetricPolicy
from pytest_genaiver.core.sample import LOG_FLOOR

CASES = [f"t[{i}]" for i in range(40)]


@pytest.fixture
def line(recorded):
    """One session a version, in which each case passes with the chance given for the version."""

    def of(*chances, seed=1, calls=1, cases=CASES):
        rng = random.Random(seed)
        return [
            recorded(f"v{i}", m={c: [float(rng.random() < q) for _ in range(calls)] for c in cases})
            for i, q in enumerate(chances)
        ]

    return of


def found_in(sessions, tolerance=None):
    policy = MetricPolicy("m", tolerance=tolerance)
    values = [fmean(v for case in s.cases.values() for v in case.scores["m"]) for s in sessions]

    def test(before, after):
        return shift_between([sessions[i] for i in before], [sessions[i] for i in after], policy)

    return change_points(values, test, alpha=0.05)


def test_a_fall_and_its_recovery_are_found_where_they_are(line) -> None:
    found = found_in(line(*[0.95] * 8, *[0.55] * 6, *[0.95] * 8))
    assert [(c.at, c.shift.worse) for c in found] == [(8, True), (14, False)]
    assert found[0].shift.before > 0.9
    assert found[0].shift.after < 0.65
    assert found[0].shift.cases == 40
    assert found[0].shift.p <= found[0].level == 0.05 / (2 * 21)


def test_two_versions_are_enough_for_a_large_change(line) -> None:
    assert [c.at for c in found_in(line(0.95, 0.4))] == [1]
    assert found_in(line(0.95)) == []
    assert found_in([]) == []


def test_the_same_history_gives_the_same_marks(line) -> None:
    assert found_in(line(0.9, 0.9, 0.5, 0.5, seed=4)) == found_in(line(0.9, 0.9, 0.5, 0.5, seed=4))


def test_an_unchanged_history_is_seldom_marked(line) -> None:
    marked = [bool(found_in(line(*[0.8] * 12, seed=seed, cases=CASES[:20]))) for seed in range(40)]
    assert sum(marked) <= 4


def test_an_unchanged_deterministic_history_is_not_even_tested() -> None:
    assert change_points([1.0] * 50, lambda *_: pytest.fail("no jump, no test"), alpha=0.05) == []


def test_harder_cases_are_no_change(recorded) -> None:
    old = [recorded(f"v{i}", m={c: [1.0] for c in CASES[:20]}) for i in range(4)]
    hard = {**{c: [1.0] for c in CASES[:20]}, **{c: [0.0] for c in CASES[20:]}}
    assert found_in([*old, *(recorded(f"v{i}", m=hard) for i in range(4, 8))]) == []


def test_a_change_within_the_tolerance_is_none(line) -> None:
    assert found_in(line(*[0.95] * 5, *[0.55] * 5), tolerance=0.6) == []


def test_unknown_values_are_left_out_and_positions_stay() -> None:
    tested = []

    def test(before, after):
        tested.append((list(before), list(after)))
        return shift(1.0)

    found = change_points([1.0, None, 1.0, None, 0.0, 0.0], test, alpha=0.05)
    assert tested == [([0, 2], [4, 5])]
    assert [c.at for c in found] == [4]


def test_windows_end_at_a_mark_and_hold_five_versions_at_most() -> None:
    tested = []

    def test(before, after):
        tested.append((before[0], before[-1], after[0], after[-1]))
        return shift(1.0)

    change_points([1.0] * 8 + [0.0] * 2 + [0.5] * 9, test, alpha=0.05)
    assert tested == [(3, 7, 8, 12), (8, 9, 10, 14)]


def test_after_four_tests_that_show_nothing_no_smaller_jump_is_looked_at() -> None:
    tested = []
    rng = random.Random(2)
    values = [rng.random() for _ in range(200)]
    assert change_points(values, lambda *sides: tested.append(sides), alpha=0.05) == []
    assert len(tested) == MOST_MISSES


def test_however_many_changes_there_are_the_tests_end() -> None:
    tested = []

    def test(*sides):
        tested.append(sides)
        return shift(1.0)

    change_points([float(i % 2) for i in range(200)], test, alpha=0.05)
    assert len(tested) == 30


def shift(drop, p=1e-9):
    return Shift(
        kind="binary", drop=drop, tolerance=0.02, p_worse=p, p_better=1.0, before=1.0, after=1.0 - drop, cases=9
    )


def test_what_cannot_be_compared_has_no_shift(recorded, line) -> None:
    policy = MetricPolicy("m")
    one, other = line(0.9, 0.1)
    judged = recorded("v", m={c: [1.0] for c in CASES}, sources={"m": "judge-2"})
    assert shift_between([one], [judged], policy) is None
    assert shift_between([one], [recorded("v", m={"u[x]": [1.0]})], policy) is None
    assert shift_between([one], [recorded("v", m={c: [None] for c in CASES})], policy) is None
    assert shift_between([one], [other], MetricPolicy("n")) is None
    assert shift_between([one], [other], policy) is not None


def test_a_case_with_other_inputs_is_another_case(recorded) -> None:
    before = recorded("v0", m={"t[a]": [1.0] * 9, "t[b]": [1.0] * 9})
    after = recorded("v1", m={"t[a]": [0.0] * 9, "t[b]": [1.0] * 9}, digests={"t[a]": "changed"})
    found = shift_between([before], [after], MetricPolicy("m"))
    assert found is not None
    assert (found.cases, found.drop) == (1, 0.0)


def test_retries_do_not_count(recorded) -> None:
    before = recorded("v0", m={"t[a]": [1.0]}, repeats=1)
    after = recorded("v1", m={"t[a]": [1.0, 0.0, 0.0, 0.0]}, repeats=1)
    found = shift_between([before], [after], MetricPolicy("m"))
    assert found is not None
    assert found.drop == 0.0


def latencies(recorded, name, factor):
    rng = random.Random(name)
    return recorded(name, latency={c: [factor * rng.lognormvariate(0, 0.3)] for c in CASES})


def test_latency_needs_three_sessions_before_a_change(recorded) -> None:
    policy = MetricPolicy("latency")
    day = [latencies(recorded, f"v{i}", factor) for i, factor in enumerate((1.0, 1.02, 0.98))]
    slow = [latencies(recorded, "v9", 2.0)]
    assert shift_between(day[:2], slow, policy) is None
    found = shift_between(day, slow, policy)
    assert found is not None
    assert found.worse
    assert found.p < 0.02
    assert found.before == pytest.approx(found.after / 2, rel=0.2)
    faster = shift_between(day, [latencies(recorded, "v9", 0.5)], policy)
    assert faster is not None
    assert faster.p < 0.02
    assert not faster.worse


def test_days_that_differ_hide_a_slower_version(recorded) -> None:
    days = [latencies(recorded, f"v{i}", factor) for i, factor in enumerate((1.0, 1.6, 0.7))]
    found = shift_between(days, [latencies(recorded, "v9", 1.7)], MetricPolicy("latency"))
    assert found is not None
    assert found.p > 0.05


def test_beyond_what_drawn_relabelings_can_show_p_falls_with_the_distance(line) -> None:
    small = shift_between(line(0.9, calls=4), line(0.6, seed=2, calls=4), MetricPolicy("m"))
    large = shift_between(line(0.9, calls=4), line(0.2, seed=2, calls=4), MetricPolicy("m"))
    assert small is not None
    assert large is not None
    assert large.p < small.p < 1 / 4001


def test_the_line_is_logarithmic_for_what_is_compared_by_its_ratio() -> None:
    assert on_line(0.5, "binary") == 0.5
    assert on_line(math.e, "cost") == pytest.approx(1.0)
    assert on_line(0.0, "latency") == math.log(LOG_FLOOR)
