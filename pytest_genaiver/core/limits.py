"""A metric's declared `min` and `max`: absolute bars, which need no baseline."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from pytest_genaiver.core.sample import row_means
from pytest_genaiver.core.student import t_quantile

if TYPE_CHECKING:
    from pytest_genaiver.core.policy import MetricPolicy
    from pytest_genaiver.core.sample import Floats

CONFIDENCE = 0.95
VALUES_NEEDED = 5
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Limits:
    """Whether the bars hold; `limit` is the bar that is broken, `mean` the mean of the current case means."""

    state: Literal["held", "broken", "unknown"]
    mean: float | None = None
    limit: float | None = None


def check_limits(policy: MetricPolicy, values: Floats) -> Limits:
    """Hold the current values (cases x repeats, raw units) against `min` and `max`.

    Broken when the mean of the case means lies beyond the bar by more than noise: the one-sided 95 % bound
    mean + t s / sqrt(n) < min, with s the standard deviation of the n case means; `max` mirrored. Where s cannot
    tell (one case, or all case means equal) the standard error comes from the cases' own values. Unknown: no
    value, or one case with fewer than 5 values.
    """
    if policy.min is None and policy.max is None:
        return Limits("held")
    values = values[np.isfinite(values).any(axis=1)]
    counts = np.isfinite(values).sum(axis=1)
    if not counts.size or (counts.size == 1 and counts[0] < VALUES_NEEDED):
        return Limits("unknown")
    means = row_means(values)
    mean = math.fsum(means.tolist()) / len(means)
    margin = _margin(values, means)
    if policy.min is not None and mean + margin < policy.min - ROUNDING * max(1.0, abs(policy.min)):
        return Limits("broken", mean, policy.min)
    if policy.max is not None and mean - margin > policy.max + ROUNDING * max(1.0, abs(policy.max)):
        return Limits("broken", mean, policy.max)
    return Limits("held", mean)


def _margin(values: Floats, means: Floats) -> float:
    n = len(means)
    if n > 1 and np.ptp(means) > ROUNDING * float(np.abs(means).max()):
        return t_quantile(CONFIDENCE, n - 1) * float(np.std(means, ddof=1)) / math.sqrt(n)
    counts = np.isfinite(values).sum(axis=1)
    several = counts > 1
    squares = np.nansum((values - means[:, None]) ** 2, axis=1)[several]
    own = squares / (counts[several] - 1) / counts[several]
    se = math.sqrt(float(np.sum(own))) / n
    return t_quantile(CONFIDENCE, n - 1 if n > 1 else int(counts[0]) - 1) * se
