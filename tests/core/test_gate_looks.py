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


def split(n: int, bad: int, good_values: list[Any], bad_values: list[Any]) -> Side:
    return {f"c{i:02}": bad_values if i < bad else good_values for i in range(n)}


def test_a_clear_regression_ends_the_session_at_the_first_look() -> None:
    decision = one(cases(40, [1] * 5), split(40, 20, [1], [0]))
    assert (decision.verdict, decision.look, decision.more) == ("regressed", 1, {})
    assert decision.metrics["m"].level == pytest.approx(0.004)


def test_a_metric_that_looks_worse_asks_every_common_case_for_the_next_look() -> None:
    before, now = cases(20, [0.6, 0.8, 0.7, 0.9, 0.75]), split(20, 12, [0.75], [0.65])
    decision = one(before, now | {"new": [0.1]})
    assert decision.more == dict.fromkeys(before, 1)
    assert decision.why_more == f"m fell {decision.metrics['m'].drop:.2g}"
    later = one(before, split(20, 12, [0.75] * 2, [0.7] * 2))
    assert (later.look, later.more) == (2, dict.fromkeys(before, 3))


def test_repeats_that_a_case_already_has_are_not_asked_for() -> None:
    before, now = cases(20, [0.6, 0.8, 0.7, 0.9, 0.75]), split(20, 12, [0.75], [0.65])
    assert one(before, now | {"c00": [0.65, 0.7]}).more == dict.fromkeys(list(before)[1:], 1)


def test_a_warned_metric_that_looks_worse_does_not_ask() -> None:
    before, now = cases(20, [0.6, 0.8, 0.7, 0.9, 0.75]), split(20, 12, [0.75], [0.65])
    policies = {"a": MetricPolicy("a"), "b": MetricPolicy("b", gate="warn", max_hidden=0.01)}
    decision = decide({"a": before, "b": before}, {"a": cases(20, [0.75]), "b": now}, policies)
    assert (decision.look, decision.more) == (1, {})


def test_futility_stops_where_an_unchanged_session_would_often_look_like_this() -> None:
    before = cases(20, [0.0, 1.0, 0.5])
    worse = split(20, 13, [0.6], [0.4])
    p = one(before, worse).metrics["m"].p
    assert p is not None
    assert 0.3 < p <= 0.5
    assert one(before, worse).more != {}
    twice = {case: values * 2 for case, values in split(20, 10, [0.55], [0.4]).items()}
    second = one(before, twice)
    assert second.metrics["m"].p is not None
    assert 0.3 < second.metrics["m"].p < 0.5
    assert (second.look, second.more) == (2, {})


def test_going_on_is_shared_by_the_metrics() -> None:
    before, worse = cases(20, [0.0, 1.0, 0.5]), split(20, 13, [0.6], [0.4])
    names = ["a", "b", "c", "d", "e"]
    flat = dict.fromkeys(names, before)
    now = {name: cases(20, [0.5]) for name in names} | {"a": worse}
    assert decide(flat, now, {name: MetricPolicy(name) for name in names}).more == {}
    assert decide({"a": before}, {"a": worse}, {"a": MetricPolicy("a")}).more != {}


def test_a_drop_within_the_tolerance_is_not_worth_a_look() -> None:
    before, now = cases(20, [0.6, 0.8, 0.7]), cases(20, [0.65])
    assert one(before, now, policy={"tolerance": 0.01}).more != {}
    assert one(before, now, policy={"tolerance": 0.06}).more == {}


def test_the_least_possible_p_is_worth_a_look_however_large_it_is() -> None:
    decision = one({"c": [0.5, 0.6]}, {"c": [0.4]}, policy={"kind": "score", "max": None})
    assert decision.metrics["m"].p == pytest.approx(1 / 3)
    names = list("abcdefgh")
    sides = {name: {"c": [0.5, 0.6]} for name in names}
    now = {name: {"c": [0.6]} for name in names} | {"a": {"c": [0.4]}}
    assert decide(sides, now, {name: MetricPolicy(name, "score") for name in names}).more == {"c": 1}


def test_too_much_hidden_asks_for_another_look() -> None:
    before, now = cases(10, [0.5, 0.9, 0.7]), cases(10, [0.7])
    decision = one(before, now, policy={"max_hidden": 0.01})
    assert decision.more == dict.fromkeys(before, 1)
    assert decision.why_more.startswith("m: a drop of up to")


def test_the_likeliest_regression_is_the_reason_for_a_look() -> None:
    before = cases(20, [0.6, 0.8, 0.7, 0.9, 0.75])
    now = {"a": split(20, 12, [0.75], [0.69]), "b": split(20, 12, [0.75], [0.67])}
    policies = {"a": MetricPolicy("a"), "b": MetricPolicy("b")}
    assert decide({"a": before, "b": before}, now, policies).why_more.startswith("b fell")


def test_log_kinds_say_how_much_they_rose() -> None:
    before, now = cases(20, [100, 130, 110]), cases(20, [120])
    decision = one(before, now, policy={"kind": "tokens", "tolerance": 0.01})
    assert decision.why_more == f"m rose {100 * (2.718281828 ** decision.metrics['m'].drop - 1):.0f}%"  # type: ignore[operator]


def test_the_last_look_and_a_final_decision_ask_for_nothing() -> None:
    before, now = cases(20, [0.6, 0.8, 0.7, 0.9, 0.75]), split(20, 12, [0.75], [0.65])
    assert one(before, {case: values * 5 for case, values in now.items()}).more == {}
    final = one(before, now, final=True)
    assert (final.more, final.why_more) == ({}, "")
    assert final.metrics["m"].level == pytest.approx(0.04)


def test_only_the_balanced_first_values_enter_the_mean_test() -> None:
    before = cases(20, [1] * 5)
    plain = one(before, split(20, 1, [1], [0]), policy={"kind": "score"})
    retried = one(before, split(20, 1, [1], [0, 1, 1, 1, 1, 1]), policy={"kind": "score"})
    assert retried.metrics["m"].drop == plain.metrics["m"].drop == 0.05
    assert (retried.look, retried.metrics["m"].p) == (1, plain.metrics["m"].p)


def test_before_min_nothing_is_tested() -> None:
    decision = one(cases(3, [1] * 5), {"c00": [0, 0], "c01": [0], "c02": [0, 0, 0]}, repeats=(3, 5))
    assert (decision.verdict, decision.look) == ("inconclusive", 0)
    assert decision.more == {"c00": 1, "c01": 2}
    assert decision.metrics["m"].p is None
    assert decision.reason == decision.why_more == "at least 3 repeats of every case are wanted"


def test_cut_short_before_min_what_was_measured_is_tested_at_the_last_level() -> None:
    decision = one(cases(40, [1] * 5), cases(40, [0]), repeats=(3, 5), final=True)
    assert (decision.verdict, decision.look, decision.more) == ("regressed", 1, {})
    assert decision.metrics["m"].level == pytest.approx(0.8 * 0.05 * 0.9)


def test_a_case_without_any_current_value_is_asked_for_once_more() -> None:
    before = cases(20, [1] * 5)
    first = one(before, cases(20, [1]) | {"c03": [None]})
    assert (first.more, first.why_more) == ({"c03": 1}, "it has no value yet")
    assert one(before, cases(20, [1]) | {"c03": [None, None]}).more == {}
    assert one(before, cases(20, [1]) | {"c03": [None]}, own_repeats={"c03": 1}).more == {}
    assert one(before, cases(20, [1]) | {"c03": [None]}, final=True).more == {}


def test_a_case_without_values_of_a_metric_does_not_hold_the_look_back() -> None:
    decision = one(cases(20, [1] * 5), cases(20, [1, 1]) | {"c03": [None]})
    assert decision.look == 2


def test_the_metric_with_the_fewest_repeats_sets_the_look() -> None:
    policies = {"a": MetricPolicy("a"), "b": MetricPolicy("b")}
    sides = {"a": cases(20, [1]), "b": cases(20, [1, 1])}
    assert decide({"a": cases(20, [1]), "b": cases(20, [1])}, sides, policies).look == 1


def test_a_repeat_without_any_value_counts_as_the_one_more_that_a_case_is_given() -> None:
    policies = {"m": MetricPolicy("m"), "n": MetricPolicy("n", gate="warn")}
    before = {"m": {"c": [1]}}
    assert decide(before, {"m": {}, "n": {"c": [None]}}, policies).more == {"c": 1}
    assert decide(before, {"m": {}, "n": {"c": [None, None]}}, policies).more == {}


def test_a_case_retried_for_two_metrics_gets_the_larger_number() -> None:
    before, now = cases(20, [1] * 5), cases(20, [1])
    sides = {"a": now | {"c00": [0, None, None, 0]}, "b": now | {"c00": [0, 0, 0, 0]}}
    policies = {"a": MetricPolicy("a", tolerance=0.5), "b": MetricPolicy("b", tolerance=0.5)}
    decision = decide({"a": before, "b": before}, sides, policies)
    assert decision.more == {"c00": 4}
    assert decision.why_more == "it failed a and b at first"


def test_cases_with_their_own_repeats_enter_with_what_they_have_and_are_left_alone() -> None:
    before, now = cases(20, [0.6, 0.8, 0.7, 0.9, 0.75]), split(20, 12, [0.75] * 2, [0.7] * 2)
    decision = one(before, now | {"c00": [0.5, 0.9]}, own_repeats={"c00": 1})
    assert decision.look == 2
    assert decision.more == dict.fromkeys(list(before)[1:], 3)
    assert next(f for f in decision.metrics["m"].worst if f.case == "c00").n_current == 1
    many = one(before, now | {"c00": [0.5] * 4}, own_repeats={"c00": 4})
    assert next(f for f in many.metrics["m"].worst if f.case == "c00").n_current == 2


def test_new_cases_and_ungated_metrics_do_not_hold_the_look_back() -> None:
    policies = {"a": MetricPolicy("a"), "b": MetricPolicy("b", gate="warn")}
    before, now = cases(20, [1] * 5), cases(20, [1, 1])
    current = {"a": now | {"new": [1]}, "b": cases(20, [1])}
    assert decide({"a": before, "b": before}, current, policies).look == 2
