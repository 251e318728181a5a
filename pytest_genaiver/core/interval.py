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
    into raw units: each end is a one-sided 95 % bound, and the worse one is what the gate says "could hide". The gate
    clips outliers of latency, tokens and cost; where that leaves the observed change outside, the interval is widened
    to hold it. None where nothing was tested, or where no interval was computed (aggregates).
    """
    if metric.drop is None or metric.upper is None or not math.isfinite(metric.upper):
        return None
    least, most = 2 * metric.drop - metric.upper, metric.upper
    if metric.kind not in LOG_KINDS:
        return (-most, -least) if metric.direction == "higher" else (least, most)
    # Lower is better: a drop is the logarithm of a ratio above 1.
    ends = [math.expm1(min(end, 99.0)) for end in (least, most)]
    if metric.baseline and metric.current is not None:
        ends.append(metric.current / metric.baseline - 1)
    return min(ends), max(ends)
