from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.core.gate import decide
from pytest_genaiver.core.policy import MetricPolicy

if TYPE_CHECKING:
    from pytest_genaiver.core.decision import Decision

Side = dict[str, list[Any]]


def cases(n: int, values: list[Any]) -> Side:
    return {f"c{i:02}": values for i in range(n)}


def one(before: Side | None, now: Side, *, policy: dict[str, Any] | None = None, **options: Any) -> Decision:
    baseline = None if before is None else {"m": before}
    return decide(baseline, {"m": now}, {"m": MetricPolicy("m", **(policy or {}))}, **options)


@pytest.mark.parametrize("before", [None, {}])
def test_a_first_session_passes(before: Side | None) -> None:
    decision = decide(before, {"m": cases(3, [0])}, {"m": MetricPolicy("m")})  # type: ignore[arg-type]
    assert (decision.verdict, decision.more, decision.look) == ("pass", {}, 1)
    assert decision.reason == "first session: nothing to compare with"
    shown = decision.metrics["m"]
    assert (shown.new, shown.baseline, shown.current, shown.p, shown.level) == (True, None, 0, None, None)


def test_a_metric_that_the_baseline_never_scored_is_new_and_takes_no_share_of_alpha() -> None:
    before, now = cases(20, [1, 0, 1]), cases(20, [1])
    policies = {"a": MetricPolicy("a"), "b": MetricPolicy("b")}
    decision = decide({"a": before, "b": cases(20, [None])}, {"a": now, "b": now}, policies, repeats=1)
    assert decision.metrics["b"].new
    assert decision.metrics["b"].reason == "new: the baseline holds no value of it"
    assert decision.metrics["a"].level == pytest.approx(0.05)
    assert decision.metrics["b"].cases_missing == decision.metrics["b"].values_missing == 0


def test_without_a_common_case_nothing_can_be_said() -> None:
    decision = one({"old": [1]}, {"new": [1]})
    assert (decision.verdict, decision.reason) == ("inconclusive", "m: no case is known on both sides")
    assert (decision.metrics["m"].p, decision.metrics["m"].drop, decision.more) == (1, None, {})


def test_a_gated_metric_without_a_common_case_still_takes_its_share_of_alpha() -> None:
    policies = {"a": MetricPolicy("a"), "b": MetricPolicy("b")}
    before, now = cases(20, [1, 0, 1]), cases(20, [1])
    decision = decide({"a": before, "b": {"old": [1]}}, {"a": now, "b": {"new": [1]}}, policies, repeats=1)
    assert decision.metrics["a"].level == pytest.approx(0.025)


def test_nothing_gated_is_a_pass_that_says_so() -> None:
    decision = decide({"m": cases(2, [1])}, {"m": cases(2, [1])}, {})
    assert (decision.verdict, decision.reason, decision.metrics) == ("pass", "no metric is gated", {})


def test_warned_metrics_are_tested_alone_and_never_fail_the_session() -> None:
    before, now = cases(20, [1] * 5), cases(20, [0])
    policies = {"a": MetricPolicy("a"), "b": MetricPolicy("b", gate="warn")}
    decision = decide({"a": before, "b": before}, {"a": before, "b": now}, policies, repeats=1)
    assert (decision.verdict, decision.metrics["b"].verdict) == ("pass", "regressed")
    assert decision.metrics["a"].level == decision.metrics["b"].level == pytest.approx(0.05)


def test_a_warned_metric_asks_for_nothing() -> None:
    policies = {"a": MetricPolicy("a", gate="warn", max_hidden=0.001)}
    before, now = cases(20, [0.5, 0.9]), cases(20, [0.6])
    assert decide({"a": before}, {"a": now}, policies).more == {}


def test_holm_protects_the_session_against_many_metrics() -> None:
    before, now = {"c": [1] * 5}, {"c": [0] * 3}
    names = ["a", "b", "d", "e"]
    alone = decide({"a": before}, {"a": now}, {"a": MetricPolicy("a")}, repeats=3)
    same = {name: {"c": [1, 0, 1, 1, 0]} for name in names[1:]}
    many = decide(
        {"a": before, **same},
        {"a": now, **{name: {"c": [1, 0, 1]} for name in names[1:]}},
        {name: MetricPolicy(name) for name in names},
        repeats=3,
        alpha=0.075,
    )
    assert alone.verdict == "regressed"
    assert many.metrics["a"].level == pytest.approx(0.075 / 4)
    assert many.verdict == "regressed"
    tighter = decide(
        {"a": before, **same},
        {"a": now, **{name: {"c": [1, 0, 1]} for name in names[1:]}},
        {name: MetricPolicy(name) for name in names},
        repeats=3,
        alpha=0.07,
    )
    assert tighter.verdict == "inconclusive"


def test_a_p_below_the_level_but_above_its_share_is_not_rejected() -> None:
    before, now = {"c": [1, 1, 1, 0]}, {"c": [0, 0, 1]}
    policies = {"a": MetricPolicy("a"), "b": MetricPolicy("b")}
    alone = decide({"a": before}, {"a": now}, {"a": MetricPolicy("a")}, repeats=3, alpha=0.5)
    both = decide({"a": before, "b": before}, {"a": now, "b": {"c": [1, 1, 0]}}, policies, repeats=3, alpha=0.5)
    assert alone.metrics["a"].p == both.metrics["a"].p == pytest.approx(13 / 35)
    assert (alone.verdict, both.verdict) == ("regressed", "pass")


@pytest.mark.parametrize(("bad", "verdict"), [(1, "regressed"), (0, "improved")])
def test_a_warned_metric_has_the_whole_level_to_itself(bad: int, verdict: str) -> None:
    flat = cases(20, [1, 0, 1])
    before = {"a": flat, "b": flat, "w": {"c": [bad] * 3}}
    now = {"a": cases(20, [1, 0]), "b": cases(20, [1, 0]), "w": {"c": [1 - bad] * 2}}
    policies = {"a": MetricPolicy("a"), "b": MetricPolicy("b"), "w": MetricPolicy("w", gate="warn")}
    assert decide(before, now, policies, repeats=2, alpha=0.15).metrics["w"].verdict == verdict


def test_the_worst_verdict_is_the_sessions() -> None:
    before, better, worse = cases(30, [1, 0, 1, 0]), cases(30, [1]), cases(30, [0])
    policies = {name: MetricPolicy(name) for name in "ab"}
    sides = {"a": before, "b": before}
    assert decide(sides, {"a": better, "b": cases(30, [1])}, policies, repeats=1).verdict == "improved"
    assert decide(sides, {"a": better, "b": worse}, policies, repeats=1).verdict == "regressed"
    assert decide(sides, {"a": better, "b": {"x": [1]}}, policies, repeats=1).verdict == "inconclusive"
