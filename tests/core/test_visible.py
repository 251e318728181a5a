from __future__ import annotations

import math

import pytest

from pytest_genaiver.core.visible import pass_rate_variance, sharper, visible_drop


def test_the_drop_is_that_of_the_normal_approximation():
    z = 1.6448536 + 0.8416212
    assert visible_drop(40, 0.09, 1, 5, 0.05) == pytest.approx(z * math.sqrt(0.09 * 1.2 / 40), rel=1e-6)


def test_more_cases_more_values_and_a_milder_level_see_smaller_drops():
    base = visible_drop(40, 0.09, 1, 5, 0.05)
    assert visible_drop(80, 0.09, 1, 5, 0.05) < base
    assert visible_drop(40, 0.09, 5, 5, 0.05) < base
    assert visible_drop(40, 0.09, 1, 5, 0.10) < base


def test_a_perfect_pass_rate_still_has_a_variance():
    assert pass_rate_variance([[1.0], [1.0], [None], [1.0]]) == (3, pytest.approx(0.875 * 0.125))


@pytest.mark.parametrize("values", [[], [[None]], [[0.5]], [[1.0], [2.0]]])
def test_what_is_no_pass_rate_has_none(values):
    assert pass_rate_variance(values) is None


def test_the_bluntest_metric_is_named_with_its_drop_now_and_later():
    scores = {"passed": [[1.0]] * 40, "good": [[1.0]] * 36 + [[0.0]] * 4, "tone": [[3.0]] * 40}
    name, now, later = sharper(scores, held=1, more=4, most=5, alpha=0.05)
    assert name == "good"
    assert later < now == pytest.approx(visible_drop(40, (36.5 / 41) * (4.5 / 41), 1, 5, 0.025))


def test_without_a_pass_rate_there_is_nothing_to_say():
    assert sharper({"tone": [[3.0]]}, held=1, more=4, most=5, alpha=0.05) is None
