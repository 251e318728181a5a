from __future__ import annotations

import json
import time
import tracemalloc
from typing import Any

import numpy as np
import pytest

from pytest_genaiver.core.decision import Decision
from pytest_genaiver.core.gate import decide
from pytest_genaiver.core.policy import MetricPolicy
from pytest_genaiver.core.words import number
from pytest_genaiver.errors import ConfigError

Side = dict[str, list[Any]]


def cases(n: int, values: list[Any]) -> Side:
    return {f"c{i:02}": values for i in range(n)}


def one(before: Side | None, now: Side, *, policy: dict[str, Any] | None = None, **options: Any) -> Decision:
    baseline = None if before is None else {"m": before}
    return decide(baseline, {"m": now}, {"m": MetricPolicy("m", **(policy or {}))}, **options)


def split(n: int, bad: int, good_values: list[Any], bad_values: list[Any]) -> Side:
    return {f"c{i:02}": bad_values if i < bad else good_values for i in range(n)}


def test_a_clear_drop_is_a_regression_with_its_reason() -> None:
    decision = one(cases(40, [1] * 5), split(40, 16, [1], [0]), repeats=1)
    shown = decision.metrics["m"]
    assert (decision.verdict, shown.verdict, decision.more) == ("regressed", "regressed", {})
    assert (shown.baseline, shown.current, shown.drop) == (1, 0.6, pytest.approx(0.4))
    assert decision.reason == "m: 1.00 -> 0.60, far beyond chance (p 0.00025 at level 0.05)"


def test_a_drop_just_beyond_chance_is_not_called_far() -> None:
    decision = one({"c": [1] * 5}, {"c": [0] * 3}, repeats=3)
    assert decision.reason == "m: 1.00 -> 0.00, beyond chance (p 0.018 at level 0.05)"


def test_an_unchanged_deterministic_app_passes_after_one_call_per_case() -> None:
    decision = one(cases(10, [1] * 5), cases(10, [1]))
    assert (decision.verdict, decision.more, decision.metrics["m"].p) == ("pass", {}, 1)
    assert decision.reason == "m: no regression; no change for the worse could hide"


def test_a_pass_says_what_could_hide() -> None:
    decision = one(split(20, 4, [1] * 5, [1, 1, 1, 1, 0]), cases(20, [1]), repeats=1)
    assert decision.verdict == "pass"
    assert decision.reason == f"m: no regression; a drop of up to {decision.metrics['m'].upper:.2g} could hide"


def test_a_rise_of_a_lower_is_better_metric_is_a_regression() -> None:
    decision = one(cases(20, [0.1, 0.2, 0.15]), cases(20, [0.4]), policy={"direction": "lower"}, repeats=1)
    assert decision.verdict == "regressed"
    shown = decision.metrics["m"]
    assert (shown.baseline, shown.current) == (pytest.approx(0.15), pytest.approx(0.4))
    assert shown.drop == pytest.approx(0.25)
    same = one(cases(20, [0.1, 0.2, 0.15]), cases(20, [0.15]), policy={"direction": "lower"}, repeats=1)
    assert "a rise of up to" in same.reason


def test_a_significant_drop_within_the_tolerance_passes_and_says_so() -> None:
    before, now = cases(40, [0.8, 0.801, 0.799]), cases(40, [0.79])
    decision = one(before, now, repeats=1)
    assert decision.verdict == "pass"
    assert decision.metrics["m"].p < 0.001  # type: ignore[operator]
    assert "0.80 -> 0.79: the change is within its tolerance of 0.02" in decision.reason
    assert one(before, now, policy={"tolerance": 0.005}, repeats=1).verdict == "regressed"


def test_a_drop_of_exactly_the_tolerance_passes() -> None:
    decision = one(cases(40, [0.5, 0.49, 0.51]), cases(40, [0.48]), repeats=1)
    assert decision.verdict == "pass"
    assert decision.metrics["m"].drop > 0.02  # type: ignore[operator] # by a rounding error only


def test_an_insignificant_drop_passes_and_says_so() -> None:
    decision = one(split(20, 5, [1] * 5, [1, 1, 1, 1, 0]), split(20, 2, [1], [0]), repeats=1)
    assert decision.verdict == "pass"
    assert "is not beyond chance (p " in decision.reason
    assert "at level 0.05)" in decision.reason


def test_an_improvement_is_named() -> None:
    decision = one(cases(20, [0, 1, 0]), cases(20, [1]), repeats=1)
    assert decision.verdict == "improved"
    assert decision.reason.startswith("m: 0.33 -> 1.00, better beyond chance (p 0.0002")
    assert one(cases(20, [0, 1, 0]), cases(20, [1]), policy={"tolerance": 0.9}, repeats=1).verdict == "pass"


def test_improvements_are_shared_out_over_the_metrics() -> None:
    before, now = {"c": [0, 0, 0, 1]}, {"c": [1, 1]}
    policies = {"a": MetricPolicy("a"), "b": MetricPolicy("b")}
    alone = decide({"a": before}, {"a": now}, {"a": MetricPolicy("a")}, repeats=2, alpha=0.3)
    both = decide({"a": before, "b": before}, {"a": now, "b": {"c": [0, 0]}}, policies, repeats=2, alpha=0.3)
    assert alone.metrics["a"].p_improved == both.metrics["a"].p_improved == pytest.approx(0.2)
    assert alone.metrics["a"].verdict == "improved"
    assert both.metrics["a"].verdict == "pass"


def test_too_few_values_are_inconclusive_and_say_what_would_do() -> None:
    decision = one({"c": [1]}, {"c": [0]}, repeats=1)
    assert decision.verdict == "inconclusive"
    assert decision.reason == "m: needs at least 3 repeats of each side: with 1 against 1 no drop could be seen"


def test_the_floor_is_that_of_the_last_looks_repeats() -> None:
    before = {"c": [1] * 5}
    assert one(before, {"c": [1, 0]}, policy={"kind": "score"}, repeats=(2, 5)).metrics["m"].verdict == "pass"
    assert one(before, {"c": [0]}, policy={"kind": "score"}, repeats=(1, 2)).metrics["m"].verdict == "inconclusive"
    assert one(before, {"c": [0]}, policy={"kind": "score"}, final=True).metrics["m"].verdict == "inconclusive"


def test_the_floor_is_held_against_the_last_looks_level() -> None:
    decision = one({"c": [1] * 5}, {"c": [0]}, policy={"kind": "score"}, alpha=0.03)
    assert decision.metrics["m"].verdict == "pass"


def test_a_case_with_its_own_repeats_has_its_own_floor() -> None:
    decision = one({"c": [1] * 5}, {"c": [0]}, policy={"kind": "score"}, own_repeats={"c": 1})
    assert decision.metrics["m"].verdict == "inconclusive"


def test_too_many_metrics_for_the_drawn_relabelings_are_inconclusive() -> None:
    names = [f"m{i}" for i in range(250)]
    before, now = cases(20, [0.1, 0.2]), cases(20, [0.1])
    decision = decide(
        dict.fromkeys(names, before), dict.fromkeys(names, now), {n: MetricPolicy(n) for n in names}, repeats=1
    )
    assert decision.verdict == "inconclusive"
    assert "too many metrics share alpha" in decision.reason
    assert decision.reason.endswith("; 249 more inconclusive")


def test_max_hidden_makes_a_blind_pass_inconclusive() -> None:
    before, now = cases(10, [0.5, 0.9, 0.7]), cases(10, [0.7])
    assert one(before, now, repeats=1).verdict == "pass"
    decision = one(before, now, policy={"max_hidden": 0.01}, repeats=1)
    assert decision.verdict == "inconclusive"
    assert decision.reason.endswith("could hide, more than max_hidden 0.01")


def test_max_hidden_of_a_log_kind_is_relative() -> None:
    before, now = cases(10, [100, 110, 105]), cases(10, [105])
    upper = one(before, now, policy={"kind": "tokens"}, repeats=1).metrics["m"].upper
    assert upper is not None
    assert (
        one(before, now, policy={"kind": "tokens", "max_hidden": upper * 1.01}, repeats=1).verdict == "inconclusive"
    )
    assert one(before, now, policy={"kind": "tokens", "max_hidden": upper * 1.1}, repeats=1).verdict == "pass"


def test_log_kinds_report_geometric_means_and_percentages() -> None:
    before, now = cases(20, [100, 400]), cases(20, [400])
    decision = one(before, now, policy={"kind": "tokens"}, repeats=1)
    shown = decision.metrics["m"]
    assert (shown.baseline, shown.current) == (pytest.approx(200), pytest.approx(400))
    assert shown.drop == pytest.approx(0.693, abs=0.001)
    assert one(cases(3, [0]), cases(3, [0]), policy={"kind": "cost"}, repeats=1).metrics["m"].current == 0


def test_the_answer_is_plain_json() -> None:
    decision = one(cases(20, [1] * 5), split(20, 1, [1], [0]))
    data = json.loads(json.dumps(decision.to_json(), allow_nan=False))
    assert data["looks"] == [1, 2, 5]
    assert data["metrics"]["m"]["suspect"][0]["case"] == "c00"
    assert data["more"] == {"c00": 3}


def test_numbers_that_are_not_finite_become_null() -> None:
    assert Decision(verdict="pass", look=1, looks=(1,), alpha=float("inf")).to_json()["alpha"] is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "unknown"),
        (0, "0.00"),
        (0.951, "0.95"),
        (0.016, "0.016"),
        (4.27, "4.27"),
        (12.34, "12.3"),
        (1234.5, "1,234"),
    ],
)
def test_numbers_are_short(value: float | None, text: str) -> None:
    assert number(value) == text


def test_a_metric_without_a_common_case_does_not_stop_another_from_asking() -> None:
    before, now = cases(20, [0.6, 0.8, 0.7, 0.9, 0.75]), split(20, 12, [0.75], [0.69])
    policies = {"a": MetricPolicy("a"), "b": MetricPolicy("b")}
    sides = {"a": {"old": [0.5]}, "b": before}, {"a": {"new": [0.5]}, "b": now}
    assert decide(*sides, policies).more == dict.fromkeys(before, 1)


def test_same_data_same_decision_whatever_the_order() -> None:
    before, now = cases(30, [0.6, 0.8, 0.7, 0.9, 0.75]), split(30, 18, [0.75], [0.65])
    policies = {"m": MetricPolicy("m"), "n": MetricPolicy("n")}
    first = decide({"m": before, "n": now}, {"m": now, "n": now}, policies)
    again = decide(
        {"n": dict(reversed(now.items())), "m": dict(reversed(before.items()))},
        {"n": now, "m": dict(reversed(now.items()))},
        dict(reversed(policies.items())),
    )
    assert first == again


@pytest.mark.parametrize("bad", [{"alpha": 0}, {"repeats": (5, 1)}, {"repeats": 0}, {"inference": "cases"}])
def test_bad_arguments_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        one(cases(1, [1]), cases(1, [1]), **bad)


def test_a_thousand_cases_and_five_metrics_take_less_than_a_second_and_little_memory() -> None:
    rng = np.random.default_rng(2)
    names = [f"m{i}" for i in range(5)]
    drawn = [np.round(rng.random((1000, 10)), 3 if i else 0) for i in range(5)]
    before = {n: {f"c{c}": row[:5].tolist() for c, row in enumerate(v)} for n, v in zip(names, drawn, strict=True)}
    now = {n: {f"c{c}": row[5:].tolist() for c, row in enumerate(v)} for n, v in zip(names, drawn, strict=True)}
    policies = {name: MetricPolicy(name) for name in names}
    start = time.process_time()
    decision = decide(before, now, policies, repeats=5)
    seconds = time.process_time() - start
    tracemalloc.start()
    decide(before, now, policies, repeats=5)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert decision.metrics["m0"].cases == 1000
    assert seconds < 1
    assert peak < 50e6
