from __future__ import annotations

import math
from typing import Any

import pytest

from pytest_genaiver.core.looks import holm, make_plan, repeats_needed
from pytest_genaiver.errors import ConfigError


@pytest.mark.parametrize(
    ("repeats", "looks"),
    [((1, 5), (1, 2, 5)), (5, (5,)), ((2, 5), (2, 5)), ((1, 3), (1, 2, 3)), ((3, 20), (3, 5, 20)), ((1, 1), (1,))],
)
def test_looks_are_min_max_and_the_usual_ones_between(repeats: Any, looks: tuple[int, ...]) -> None:
    assert make_plan(0.05, repeats).looks == looks


@pytest.mark.parametrize("repeats", [0, (0, 5), (5, 1), "5", (1, 2, 3), 1.5, (1, True), None])
def test_unusable_repeats_are_refused(repeats: Any) -> None:
    with pytest.raises(ConfigError, match=r"repeats is .*1 <= MIN <= MAX"):
        make_plan(0.05, repeats)


@pytest.mark.parametrize("alpha", [0, 1, -0.1, 2, math.nan, True])
def test_an_alpha_outside_0_and_1_is_refused(alpha: float) -> None:
    with pytest.raises(ConfigError, match=r"alpha is .*between 0 and 1"):
        make_plan(alpha, 1)


def test_an_unknown_inference_is_refused() -> None:
    with pytest.raises(ConfigError, match="inference is 'sample'; use 'calls' or 'population'"):
        make_plan(0.05, 1, inference="sample")


def test_interim_looks_spend_a_tenth_of_the_mean_tests_alpha_and_the_last_the_rest() -> None:
    plan = make_plan(0.05, (1, 5))
    assert [plan.level(look, per_case=True) for look in (1, 2, 5)] == pytest.approx([0.004, 0.004, 0.032])
    assert [plan.level(look, per_case=False) for look in (1, 2, 5)] == pytest.approx([0.005, 0.005, 0.04])
    assert plan.per_case_alpha(2) == pytest.approx(0.005)


def test_one_look_has_the_whole_alpha_at_it() -> None:
    plan = make_plan(0.05, 3)
    assert plan.fixed
    assert plan.level(3, per_case=False) == pytest.approx(0.05)


def test_final_makes_this_look_the_last_at_the_last_looks_level() -> None:
    plan = make_plan(0.05, (1, 5), final=True)
    assert plan.is_last(1)
    assert plan.level(1, per_case=False) == pytest.approx(0.04)


@pytest.mark.parametrize(("repeats", "look"), [(0, 0), (1, 0), (2, 2), (4, 2), (5, 5), (9, 5)])
def test_the_look_is_the_largest_one_reached(repeats: int, look: int) -> None:
    assert make_plan(0.05, (2, 5)).reached(repeats) == look


def test_a_session_cut_short_before_its_first_look_looks_at_what_there_is() -> None:
    assert make_plan(0.05, (3, 5), final=True).reached(2) == 2


def test_going_on_is_bounded_over_all_metrics() -> None:
    plan = make_plan(0.05, (1, 5))
    assert plan.go_on_below(1, 1) == pytest.approx(0.5)
    assert plan.go_on_below(2, 1) == pytest.approx(0.3)
    assert plan.go_on_below(1, 4) == pytest.approx(1 - 0.5**0.25)


def test_holm_steps_down_and_stops_at_the_first_that_is_not_rejected() -> None:
    rejected, levels = holm({"a": 0.02, "b": 0.001, "c": 0.03, "d": 0.9}, 0.05)
    assert rejected == {"b"}
    assert levels == pytest.approx({"b": 0.0125, "a": 0.05 / 3, "c": 0.025, "d": 0.05})


def test_holm_rejects_what_bonferroni_would_not() -> None:
    assert holm({"a": 0.024, "b": 0.04}, 0.05)[0] == {"a", "b"}


def test_holm_never_resumes_after_a_stop() -> None:
    assert holm({"a": 0.03, "b": 0.04}, 0.05)[0] == set()


@pytest.mark.parametrize(
    ("cases", "level", "repeats"), [(1, 0.05, 3), (1, 0.032, 4), (1, 0.005, 5), (8, 0.032, 1), (5, 0.032, 1)]
)
def test_repeats_that_could_reach_the_level(cases: int, level: float, repeats: int) -> None:
    assert repeats_needed(cases, level, 1 / 4001) == repeats
    assert math.comb(2 * repeats, repeats) ** cases >= 1 / level


def test_no_repeats_reach_a_level_below_the_drawn_relabelings() -> None:
    assert repeats_needed(50, 0.0001, 1 / 4001) is None
