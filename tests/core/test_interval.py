"""The interval of a change, from the gate's own figures."""

from __future__ import annotations

import math
import random

import pytest

from pytest_genaiver.core.decision import MetricDecision
from pytest_genaiver.core.gate import decide
from pytest_genaiver.core.interval import change_interval
from pytest_genaiver.core.policy import MetricPolicy


def decided(kind="binary", direction="higher", **given):
    return MetricDecision(
        name="m", kind=kind, direction=direction, gate="fail", verdict="pass", tolerance=0.02, **given
    )


def test_higher_is_better_the_worst_end_is_what_could_hide() -> None:
    assert change_interval(decided(drop=0.3, upper=0.4)) == pytest.approx((-0.4, -0.2))


def test_lower_is_better_a_drop_is_a_rise() -> None:
    assert change_interval(decided("score", "lower", drop=0.3, upper=0.4)) == pytest.approx((0.2, 0.4))


def test_of_what_is_compared_by_its_ratio_it_is_a_share() -> None:
    ends = change_interval(decided("cost", "lower", drop=math.log(2), upper=math.log(4)))
    assert ends == pytest.approx((0.0, 3.0))


def test_where_outliers_were_clipped_it_still_holds_what_was_observed() -> None:
    ends = change_interval(decided("tokens", "lower", drop=0.1, upper=0.15, baseline=100.0, current=300.0))
    assert ends == (pytest.approx(math.expm1(0.05)), 2.0)


@pytest.mark.parametrize(("drop", "upper"), [(None, None), (0.1, None), (0.1, math.inf)])
def test_what_was_not_tested_has_none(drop, upper) -> None:
    assert change_interval(decided(drop=drop, upper=upper)) is None


def test_nine_of_ten_hold_the_true_change() -> None:
    rng = random.Random(3)
    policy = {"m": MetricPolicy("m", kind="score")}
    held = 0
    for _ in range(200):
        before, now = (
            {f"t[{i}]": [rng.gauss(mean + i, 1) for _ in range(5)] for i in range(20)} for mean in (0.5, 0.2)
        )
        metric = decide({"m": before}, {"m": now}, policy, repeats=5, final=True).metrics["m"]
        low, high = change_interval(metric) or (0.0, 0.0)
        held += low <= -0.3 <= high
    assert 170 <= held <= 190
