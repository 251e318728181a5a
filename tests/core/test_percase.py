from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.core.gate import decide
from pytest_genaiver.core.percase import calls_needed
from pytest_genaiver.core.policy import MetricPolicy

if TYPE_CHECKING:
    from pytest_genaiver.core.decision import Decision

GOOD = {f"c{i:02}": [1] * 5 for i in range(60)}


def session(failing: dict[str, list[Any]], baseline: dict[str, list[Any]] | None = None, **options: Any) -> Decision:
    """Sixty reliable cases, of which `failing` have these current values and the rest one pass."""
    before = baseline or GOOD
    now: dict[str, list[Any]] = {case: [1] for case in before} | failing
    return decide({"m": before}, {"m": now}, {"m": MetricPolicy("m")}, **options)


@pytest.mark.parametrize(("failing", "need"), [(1, 4), (2, 5), (3, 6)])
def test_calls_needed_against_five_passes(failing: int, need: int) -> None:
    assert calls_needed(5, 5, 0.01 / failing) == need


def test_one_baseline_value_can_never_convict_a_case() -> None:
    assert calls_needed(1, 1, 0.01) is None


def test_a_case_that_failed_is_tried_three_times_first() -> None:
    decision = session({"c00": [0]})
    assert decision.more == {"c00": 3}
    assert decision.why_more == "it failed m at first"
    assert [f.case for f in decision.metrics["m"].suspect] == ["c00"]


def test_then_as_often_as_the_test_needs() -> None:
    assert session({"c00": [0, 0, 0, 0]}).more == {"c00": 1}


def test_it_broke_when_all_fresh_calls_failed_whatever_the_mean_test_says() -> None:
    decision = session({"c00": [0, 0, 0, 0, 0]})
    (broken,) = decision.metrics["m"].broken
    assert (decision.verdict, decision.more) == ("regressed", {})
    assert (broken.case, broken.n_current, broken.p) == ("c00", 5, pytest.approx(1 / 126))
    assert decision.reason == "m: c00 failed every fresh call, far beyond chance (p 0.0079)"
    assert decision.metrics["m"].p == pytest.approx(1 / 6)


def test_the_first_success_clears_it() -> None:
    decision = session({"c00": [0, 0, 1]})
    assert (decision.verdict, decision.more) == ("pass", {})
    assert decision.metrics["m"].suspect == ()


def test_fresh_calls_are_tested_once_at_exactly_the_number_needed() -> None:
    decision = session({"c00": [0, 0, 0, 0, 0, 1]})
    assert [(f.case, f.p) for f in decision.metrics["m"].broken] == [("c00", pytest.approx(1 / 126))]


def test_with_a_fresh_call_at_hand_all_that_are_needed_are_wanted_at_once() -> None:
    now: dict[str, list[Any]] = {case: [1, 1] for case in GOOD} | {f"c{i:02}": [0, 0] for i in range(3)}
    decision = decide({"m": GOOD}, {"m": now}, {"m": MetricPolicy("m", tolerance=0.9)}, repeats=(2, 5))
    assert decision.more == {"c00": 5, "c01": 5, "c02": 5}


def test_the_first_failure_itself_is_no_evidence() -> None:
    assert session({"c00": [0, 0, 0, 0]}).verdict == "pass"


def test_each_failing_case_must_be_convicted_at_its_share_of_alpha() -> None:
    decision = session({"c00": [0, 0, 0, 0, 0], "c01": [0, 1]})
    assert decision.more == {"c00": 1}
    assert session({"c00": [0] * 6, "c01": [0, 1]}).verdict == "regressed"


def test_flaky_cases_count_among_the_failures_but_are_never_candidates() -> None:
    baseline = GOOD | {"c01": [1, 1, 1, 0, 0]}
    decision = session({"c00": [0] * 5, "c01": [0]}, baseline)
    assert decision.more == {"c00": 1}
    assert "c01" not in {finding.case for finding in decision.metrics["m"].suspect}


def test_a_baseline_rate_of_four_fifths_is_a_candidate() -> None:
    assert session({"c00": [0]}, GOOD | {"c00": [1, 1, 1, 1, 0]}).more == {"c00": 3}


def test_missing_values_are_skipped_and_counted_towards_ten_calls() -> None:
    assert session({"c00": [None, 0, None, 0]}).more == {"c00": 3}
    assert session({"c00": [0, *[None] * 8]}).more == {"c00": 2}
    gave_up = session({"c00": [0, *[None] * 10]})
    assert gave_up.more == {}
    assert [(f.case, f.p) for f in gave_up.metrics["m"].suspect] == [("c00", None)]


def test_too_thin_a_baseline_makes_a_suspect_that_never_fails() -> None:
    decision = session({"c00": [0]}, {case: [1] for case in GOOD})
    assert (decision.more, decision.metrics["m"].broken) == ({}, ())
    assert [finding.case for finding in decision.metrics["m"].suspect] == ["c00"]


def test_a_final_decision_leaves_a_suspect() -> None:
    decision = session({"c00": [0, 0]}, final=True)
    assert (decision.more, decision.metrics["m"].broken) == ({}, ())
    assert [(f.case, f.p) for f in decision.metrics["m"].suspect] == [("c00", pytest.approx(1 / 6))]


def test_fixed_repeats_make_no_retries_and_give_all_of_alpha_to_the_mean_test() -> None:
    decision = session({"c00": [0]}, repeats=1)
    assert (decision.more, decision.metrics["m"].suspect) == ({}, ())
    assert decision.metrics["m"].level == pytest.approx(0.05)


def test_a_case_with_its_own_repeats_is_not_retried() -> None:
    decision = session({"c00": [0, 0]}, own_repeats={"c00": 2})
    assert decision.more == {}
    assert [finding.case for finding in decision.metrics["m"].suspect] == ["c00"]


def test_alpha_is_shared_by_the_gated_binary_metrics() -> None:
    before, now = {"a": GOOD, "b": GOOD}, {"a": GOOD | {"c00": [0] * 5}, "b": GOOD}
    first = {metric: {c: v[: 5 if v[0] == 0 else 1] for c, v in values.items()} for metric, values in now.items()}
    decision = decide(before, first, {"a": MetricPolicy("a"), "b": MetricPolicy("b")})
    assert decision.more == {"c00": 1}
    warned = decide(before, first, {"a": MetricPolicy("a"), "b": MetricPolicy("b", gate="warn")})
    assert warned.verdict == "regressed"


def test_lower_is_better_turns_failures_round() -> None:
    before = {case: [0] * 5 for case in GOOD}
    now = {case: [0] for case in GOOD} | {"c00": [1] * 5}
    decision = decide({"m": before}, {"m": now}, {"m": MetricPolicy("m", direction="lower")})
    assert decision.verdict == "regressed"
    assert decision.metrics["m"].broken[0].current == 1


def test_a_warned_metric_is_never_retried() -> None:
    now = {case: [1] for case in GOOD} | {"c00": [0]}
    assert decide({"m": GOOD}, {"m": now}, {"m": MetricPolicy("m", gate="warn")}).more == {}


def test_retries_go_beyond_max_and_come_at_the_last_look_too() -> None:
    now = {case: [1] * 2 for case in GOOD} | {"c00": [0, 0]}
    decision = decide({"m": GOOD}, {"m": now}, {"m": MetricPolicy("m")}, repeats=(1, 2))
    assert (decision.look, decision.more) == (2, {"c00": 3})


def test_retries_come_before_another_look_never_with_it() -> None:
    failing = {f"c{i:02}": [0] for i in range(3)}
    assert session(failing).more == dict.fromkeys(failing, 3)
    cleared = session({case: [0, 1] for case in failing})
    assert cleared.more == {case: 1 for case in GOOD if case not in failing}


def test_other_kinds_only_list_their_worst_cases() -> None:
    before = {case: [0.8, 0.81, 0.79, 0.8, 0.82] for case in GOOD}
    now = {case: [0.8] for case in GOOD} | {"c00": [0.1], "c01": [0.5], "c02": [0.9]}
    shown = decide({"m": before}, {"m": now}, {"m": MetricPolicy("m")}).metrics["m"]
    assert [finding.case for finding in shown.worst[:2]] == ["c00", "c01"]
    assert "c02" not in {finding.case for finding in shown.worst}
    assert len(shown.worst) == 20
    assert (shown.broken, shown.suspect) == ((), ())


def test_the_worst_cases_are_ordered_by_standard_errors_not_by_their_change() -> None:
    before = {"noisy": [0.1, 0.9, 0.5, 0.9], "steady": [0.8, 0.81, 0.79, 0.8], "better": [0.2, 0.3, 0.25, 0.2]}
    now = {"noisy": [0.2], "steady": [0.6], "better": [0.9]}
    shown = decide({"m": before}, {"m": now}, {"m": MetricPolicy("m")}).metrics["m"]
    assert [finding.case for finding in shown.worst] == ["steady", "noisy"]
    assert (shown.worst[0].z or 0) > (shown.worst[1].z or 0) > 0
    assert (shown.worst[0].baseline, shown.worst[0].n_baseline) == (pytest.approx(0.8), 4)


def test_two_broken_cases_are_both_named() -> None:
    decision = session({"c00": [0] * 6, "c01": [0] * 6})
    assert [finding.case for finding in decision.metrics["m"].broken] == ["c00", "c01"]
    assert decision.reason.endswith("; 1 more broke")


def test_a_case_without_baseline_values_counts_as_a_failure_only() -> None:
    decision = session({"c00": [0] * 5, "c01": [0]}, GOOD | {"c01": [None]})
    assert decision.more == {"c00": 1}
