from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pytest_genaiver.core.gate import decide
from pytest_genaiver.core.inputs import build_metrics
from pytest_genaiver.core.policy import MetricPolicy

if TYPE_CHECKING:
    from pytest_genaiver.core.sample import Metric


def one(before: dict[str, list[Any]], now: dict[str, list[Any]], **policy: Any) -> Metric:
    policy = {"name": "m", **policy}
    (metric,) = build_metrics({"m": before}, {"m": now}, {"m": MetricPolicy(**policy)}, None)
    return metric


@pytest.mark.parametrize(
    ("before", "now", "kind"),
    [
        ([1, 0], [1], "binary"),
        ([True], [False], "binary"),
        ([1, 2], [1, 1], "likert"),
        ([1], [10], "likert"),
        ([0], [5], "score"),
        ([1], [11], "score"),
        ([0.5], [1], "score"),
        ([1, 0], [0.5], "score"),
        ([None], [math.nan], "score"),
    ],
)
def test_kind_is_inferred_from_both_sides_together(before: list[Any], now: list[Any], kind: str) -> None:
    assert one({"c": before}, {"c": now}).kind == kind


def test_cases_of_one_side_only_count_for_the_kind_too() -> None:
    assert one({"c": [1], "gone": [3]}, {"c": [1]}).kind == "likert"
    assert one({"c": [1]}, {"c": [1], "new": [0.5]}).kind == "score"


def test_declared_kind_beats_the_built_in_name_which_beats_the_values() -> None:
    def kind(**policy: Any) -> str:
        (metric,) = build_metrics({"passed": {"c": [3]}}, {}, {"passed": MetricPolicy("passed", **policy)}, None)
        return metric.kind

    assert kind() == "binary"
    assert kind(kind="score") == "score"


def test_the_mapping_names_the_metric_even_where_the_policy_is_a_pattern() -> None:
    (metric,) = build_metrics({}, {"x_tokens": {"c": [3]}}, {"x_tokens": MetricPolicy("*_tokens")}, None)
    assert (metric.policy.name, metric.kind) == ("x_tokens", "tokens")


def test_declared_binary_values_are_cut_at_a_half() -> None:
    metric = one({"c": [0.5, 0.49, None]}, {"c": [3.0]}, kind="binary")
    assert metric.base[0, :2].tolist() == [1, 0]
    assert np.isnan(metric.base[0, 2])
    assert metric.current.tolist() == [[1]]


def test_log_kinds_are_always_lower() -> None:
    assert one({"c": [2]}, {"c": [1]}, kind="cost", direction="higher").direction == "lower"
    assert one({"c": [2]}, {"c": [1]}).direction == "higher"


def test_relative_tolerances_become_logs() -> None:
    assert one({"c": [2]}, {"c": [1]}, kind="tokens").tolerance == pytest.approx(math.log(1.05))
    assert one({"c": [2]}, {"c": [1]}, kind="latency", tolerance=0.3).tolerance == pytest.approx(math.log(1.3))
    assert one({"c": [2]}, {"c": [1]}).tolerance == 0.10
    assert one({"c": [2]}, {"c": [1]}, tolerance=0).tolerance == 0


def test_metrics_without_policy_off_or_unknown_to_both_sides_are_ignored() -> None:
    policies = {"a": MetricPolicy("a", gate="off"), "c": MetricPolicy("c"), "d": MetricPolicy("d")}
    scores = {"a": {"x": [1]}, "b": {"x": [1]}, "c": {"x": [1]}}
    assert set(decide(scores, scores, policies).metrics) == {"c"}


def test_only_cases_known_on_both_sides_are_compared() -> None:
    metric = one({"a": [1], "gone": [1]}, {"a": [1], "new": [1]})
    assert (metric.cases, metric.other_cases) == (("a",), ("new",))


def test_a_side_that_ran_the_case_without_scoring_it_misses_one_value() -> None:
    both = {"a": [1], "b": [1]}
    policies = {"m": MetricPolicy("m"), "n": MetricPolicy("n")}
    _, second = build_metrics({"m": both, "n": both}, {"m": both, "n": {"a": [1]}}, policies, None)
    assert second.cases == ("a", "b")
    assert second.lengths.tolist() == [1, 1]
    assert np.isnan(second.current[1, 0])


def test_a_case_without_any_value_does_not_belong_to_the_metric() -> None:
    assert one({"a": [1], "b": [None]}, {"a": [1], "b": [None]}).cases == ("a",)


def test_missing_values_are_dropped_and_counted() -> None:
    before = {f"c{i}": [1, 1] for i in range(20)} | {"c0": [None, math.inf], "c1": [1, math.nan]}
    now = {f"c{i}": [1, 1] for i in range(20)} | {"c2": [None, 1]}
    shown = decide({"m": before}, {"m": now}, {"m": MetricPolicy("m")}, repeats=2).metrics["m"]
    assert (shown.values_missing, shown.cases_missing, shown.cases, shown.verdict) == (4, 1, 19, "pass")


@pytest.mark.parametrize(("missing", "verdict"), [(2, "pass"), (3, "inconclusive")])
def test_more_than_a_tenth_of_the_cases_without_a_value_is_inconclusive(missing: int, verdict: str) -> None:
    before = {f"c{i}": [1] for i in range(20)}
    now = {f"c{i}": [None, None] if i < missing else [1, 1] for i in range(20)}
    decision = decide({"m": before}, {"m": now}, {"m": MetricPolicy("m")}, repeats=(1, 2))
    assert decision.verdict == verdict
    if verdict == "inconclusive":
        assert decision.reason == "m: 3 of 20 cases hold no value on at least one side; at most 10% may"


def test_the_first_values_are_taken_before_missing_ones_are_dropped() -> None:
    before = {"a": [1, 1, 1], "b": [1, 1, 1]}
    now = {"a": [None, 1, 0], "b": [1, 1]}
    shown = decide({"m": before}, {"m": now}, {"m": MetricPolicy("m")}, repeats=2).metrics["m"]
    assert shown.drop == 0


def test_a_value_measured_again_stands_in_for_a_case_that_had_none() -> None:
    before = {f"c{i}": [1] * 5 for i in range(4)}
    now = {f"c{i}": [1] for i in range(4)} | {"c0": [None, 1, 0]}
    shown = decide({"m": before}, {"m": now}, {"m": MetricPolicy("m")}).metrics["m"]
    assert (shown.cases, shown.drop, shown.verdict) == (4, 0, "pass")


def test_labels_of_missing_values_do_not_count_and_short_ones_are_one_unknown_session() -> None:
    policies = {"latency": MetricPolicy("latency")}
    scores = {"latency": {"a": [1.0, None, 2.0, 3.0]}}
    (metric,) = build_metrics(scores, scores, policies, {"latency": {"a": ["x", "y"]}})
    assert metric.sessions is not None
    assert metric.sessions.tolist() == [[0, -1, 2, 2]]
