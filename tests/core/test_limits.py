from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import stats

from pytest_genaiver.core.gate import decide
from pytest_genaiver.core.limits import check_limits
from pytest_genaiver.core.policy import MetricPolicy

NAN = math.nan


def state(rows: list[list[float]], **bars: float) -> str:
    return check_limits(MetricPolicy("m", **bars), np.array(rows, dtype=float)).state  # type: ignore[arg-type]


def test_nothing_declared_is_held() -> None:
    assert state([[0.0]]) == "held"


def test_min_is_broken_only_beyond_the_noise_of_the_case_means() -> None:
    rows = [[1.0, 0.5], [0.5, NAN], [0.0, 0.5], [0.5, 1.0]]
    means = np.array([0.75, 0.5, 0.25, 0.75])
    bound = means.mean() + stats.t.ppf(0.95, 3) * means.std(ddof=1) / 2
    assert state(rows, min=bound + 0.001) == "broken"
    assert state(rows, min=bound - 0.001) == "held"


def test_max_is_the_mirror() -> None:
    rows = [[1.0], [2.0], [4.0]]
    bound = 7 / 3 - stats.t.ppf(0.95, 2) * np.std([1, 2, 4], ddof=1) / math.sqrt(3)
    assert state(rows, max=bound - 0.001) == "broken"
    assert state(rows, max=bound + 0.001) == "held"


def test_equal_case_means_take_the_noise_of_their_own_values() -> None:
    rows = [[1.0, 0.0], [0.0, 1.0], [0.5, NAN]]
    se = math.sqrt(2 * 0.5 / 2) / 3
    bound = 0.5 + stats.t.ppf(0.95, 2) * se
    assert state(rows, min=bound + 0.001) == "broken"
    assert state(rows, min=bound - 0.001) == "held"


def test_all_equal_values_are_compared_as_they_are() -> None:
    assert state([[0.9], [0.9], [0.9]], min=0.91) == "broken"
    assert state([[0.95], [0.95], [0.95]], min=0.95) == "held"
    assert state([[0.1], [0.1], [0.1]], max=0.1) == "held"
    assert state([[0.0], [0.0]], max=-0.1) == "broken"


def test_one_case_is_judged_by_its_own_values_from_five_on() -> None:
    values = [0.0, 1.0, 0.0, 0.0, 0.0]
    bound = 0.2 + stats.t.ppf(0.95, 4) * np.std(values, ddof=1) / math.sqrt(5)
    assert state([values], min=bound + 0.001) == "broken"
    assert state([values], min=bound - 0.001) == "held"
    assert state([values[:4]], min=0.9) == "unknown"


def test_without_values_nothing_is_known() -> None:
    assert state([[NAN, NAN]], min=1) == "unknown"


def run(now: dict[str, list[Any]], before: dict[str, list[Any]] | None = None, **bars: Any) -> Any:
    return decide({"m": before} if before else None, {"m": now}, {"m": MetricPolicy("m", **bars)})


def test_a_broken_min_fails_a_first_session() -> None:
    decision = run({"a": [0.2], "b": [0.3], "c": [0.25]}, min=0.9)
    assert (decision.verdict, decision.more) == ("regressed", {})
    assert decision.reason == "m: 0.25 is below min 0.90 by more than noise"


def test_a_broken_max_is_said_so() -> None:
    assert run({"a": [2.0], "b": [2.1]}, max=0.9).reason == "m: 2.05 is above max 0.90 by more than noise"


def test_a_warned_metric_with_a_broken_min_does_not_fail_the_session() -> None:
    decision = run({"a": [0.2], "b": [0.3], "c": [0.25]}, min=0.9, gate="warn")
    assert (decision.verdict, decision.metrics["m"].verdict) == ("pass", "regressed")


def test_all_current_cases_are_held_against_a_bar_in_raw_units() -> None:
    before = {"a": [0.5], "b": [0.5]}
    now = {"a": [0.5], "b": [0.5]} | {f"new{i}": [0.9] for i in range(6)}
    assert run(now, before, direction="lower", max=0.6).verdict == "regressed"
    assert run({"a": [0.5], "b": [0.5]}, before, direction="lower", max=0.6).verdict == "pass"


def test_values_beyond_the_look_do_not_count_for_a_min() -> None:
    before = {"a": [1.0] * 5, "b": [1.0] * 5, "c": [1.0] * 5}
    now = {"a": [1.0, 0, 0, 0, 0, 0], "b": [1.0], "c": [1.0]}
    assert run(now, before, kind="score", min=0.99).metrics["m"].verdict == "pass"


def test_one_thin_case_cannot_decide_and_says_so() -> None:
    decision = run({"a": [0.5, 0.4]}, {"b": [1]}, min=0.45)
    assert decision.verdict == "inconclusive"
    new = decide({"n": {"a": [1]}}, {"m": {"a": [0.5]}}, {"m": MetricPolicy("m", min=0.45)})
    assert new.reason == "m: min needs at least 5 values of a single case"
    nothing = decide({"n": {"a": [1]}}, {"m": {"a": [None]}}, {"m": MetricPolicy("m", max=0.45)})
    assert nothing.reason == "m: max is declared, but no value was measured"


def test_an_undecided_min_is_shown_and_does_not_keep_a_first_session_from_passing() -> None:
    decision = run({"a": [0.5, 0.4]}, min=0.45)
    assert (decision.verdict, decision.reason) == ("pass", "first session: nothing to compare with")
    assert decision.metrics["m"].verdict == "inconclusive"
    assert decision.metrics["m"].reason == "min needs at least 5 values of a single case"


def test_an_undecided_min_does_not_hide_a_regression() -> None:
    decision = decide({"m": {"a": [1] * 20}}, {"m": {"a": [0] * 3}}, {"m": MetricPolicy("m", min=0.5)}, repeats=3)
    assert decision.verdict == "regressed"
    same = decide({"m": {"a": [1] * 20}}, {"m": {"a": [1] * 3}}, {"m": MetricPolicy("m", min=0.5)}, repeats=3)
    assert same.verdict == "inconclusive"
