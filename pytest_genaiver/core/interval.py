"""How large a change is likely to be, from the gate's own figures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pytest_genaiver.core.policy import LOG_KINDS

if TYPE_CHECKING:
    from pytest_genaiver.core.decision import MetricDecision


def change_interval(metric: MetricDecision) -> tuple[float, float] | None:
    """The two-sided 90 % interval of the change: of the difference, or of the share for latency, tokens and cost.

    drop - 1.645 se to drop + 1.645 se with the gate's own drop and standard error (stratified by case), turned back
    into raw units: each end is a one-sided 95 % bound, and the worse one is what the gate says "could hide". None
    where nothing was tested, or where no interval was computed (aggregates).
    """
    if metric.drop is None or metric.upper is None or not math.isfinite(metric.upper):
        return None
    worst, best = -metric.upper, -(2 * metric.drop - metric.upper)
    if metric.kind in LOG_KINDS:
        # Lower is better: a drop is the logarithm of a ratio above 1.
        return _share(best), _share(worst)
    return (worst, best) if metric.direction == "higher" else (-best, -worst)


def _share(turned: float) -> float:
    return math.expm1(min(-turned, 99.0))
