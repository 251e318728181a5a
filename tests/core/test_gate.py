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
    before, now = cases(40, [0.95, 0.94, 0.96]), cases(40, [0.93])
    assert one(before, now, repeats=1).verdict == "pass"


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
    before, now = cases(1, [0] * 4), cases(1, [1] * 2)
    alone = decide({"a": before}, {"a": now}, {"a": MetricPolicy("a")}, repeats=2, alpha=0.07)
    both = decide(
        {"a": before, "b": cases(30, [1, 0, 1, 0])},
        {"a": now, "b": cases(30, [1, 0])},
        {"a": MetricPolicy("a"), "b": MetricPolicy("b")},
        repeats=2,
        alpha=0.135,
    )
    assert alone.metrics["a"].verdict == "improved"
    assert both.metrics["a"].p_improved == pytest.approx(1 / 15)
    assert both.metrics["a"].verdict == "improved"
    tighter = decide(
        {"a": before, "b": cases(30, [1, 0, 1, 0])},
        {"a": now, "b": cases(30, [1, 0])},
        {"a": MetricPolicy("a"), "b": MetricPolicy("b")},
        repeats=2,
        alpha=0.13,
    )
    assert tighter.metrics["a"].verdict != "improved"


def test_too_few_values_are_inconclusive_and_say_what_would_do() -> None:
    decision = one({"c": [1]}, {"c": [0]}, repeats=1)
    assert decision.verdict == "inconclusive"
    assert decision.reason == "m: needs at least 3 repeats of each side: with 1 against 1 no drop could be seen"


def test_the_floor_is_that_of_the_last_looks_repeats() -> None:
    before = {"c": [1] * 5}
    assert one(before, {"c": [1, 0]}, policy={"kind": "score"}, repeats=(2, 5)).metrics["m"].verdict == "pass"
    assert one(before, {"c": [0]}, policy={"kind": "score"}, repeats=(1, 2)).metrics["m"].verdict == "inconclusive"
    assert one(before, {"c": [0]}, policy={"kind": "score"}, final=True).metrics["m"].verdict == "inconclusive"


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


def test_the_worst_verdict_is_the_sessions() -> None:
    before, better, worse = cases(30, [1, 0, 1, 0]), cases(30, [1]), cases(30, [0])
    policies = {name: MetricPolicy(name) for name in "ab"}
    sides = {"a": before, "b": before}
    assert decide(sides, {"a": better, "b": cases(30, [1])}, policies, repeats=1).verdict == "improved"
    assert decide(sides, {"a": better, "b": worse}, policies, repeats=1).verdict == "regressed"
    assert decide(sides, {"a": better, "b": {"x": [1]}}, policies, repeats=1).verdict == "inconclusive"


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
    assert (first.more, first.why_more) == ({"c03": 1}, "they have no value yet")
    assert one(before, cases(20, [1]) | {"c03": [None, None]}).more == {}
    assert one(before, cases(20, [1]) | {"c03": [None]}, own_repeats={"c03": 1}).more == {}
    assert one(before, cases(20, [1]) | {"c03": [None]}, final=True).more == {}


def test_a_case_without_values_of_a_metric_does_not_hold_the_look_back() -> None:
    decision = one(cases(20, [1] * 5), cases(20, [1, 1]) | {"c03": [None]})
    assert decision.look == 2


def test_cases_with_their_own_repeats_enter_with_what_they_have_and_are_left_alone() -> None:
    before, now = cases(20, [0.6, 0.8, 0.7, 0.9, 0.75]), split(20, 12, [0.75] * 2, [0.65] * 2)
    decision = one(before, now | {"c00": [0.1]}, own_repeats={"c00": 1})
    assert decision.look == 2
    assert "c00" not in decision.more
    assert decision.metrics["m"].worst[0].n_current == 1
    many = one(before, now | {"c00": [0.1] * 4}, own_repeats={"c00": 4})
    assert next(f for f in many.metrics["m"].worst if f.case == "c00").n_current == 2


def test_new_cases_and_ungated_metrics_do_not_hold_the_look_back() -> None:
    policies = {"a": MetricPolicy("a"), "b": MetricPolicy("b", gate="warn")}
    before, now = cases(20, [1] * 5), cases(20, [1, 1])
    current = {"a": now | {"new": [1]}, "b": cases(20, [1])}
    assert decide({"a": before, "b": before}, current, policies).look == 2


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
