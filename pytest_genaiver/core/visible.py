"""The smallest drop that a comparison would see, and how much more sessions of the baseline would sharpen it."""

from __future__ import annotations

import math
from statistics import NormalDist, fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

POWER = 0.8


def visible_drop(cases: int, variance: float, r0: float, r1: float, level: float) -> float:
    """The drop of a mean over `cases` that is found with a power of 0.8.

    `r0`, `r1`: values a case of baseline and current version, `variance` of one value within its case, `level` of the
    one-sided test. The normal approximation for a difference of two means,
    ``(z(1 - level) + z(power)) * sqrt(variance * (1/r0 + 1/r1) / cases)``.
    """
    z = NormalDist().inv_cdf(1 - level) + NormalDist().inv_cdf(POWER)
    return z * math.sqrt(variance * (1 / r0 + 1 / r1) / cases)


def pass_rate_variance(values: Iterable[Sequence[float | None]]) -> tuple[int, float] | None:
    """(cases, variance of one value) of a metric whose values are all 0 or 1; None for another, or without values.

    The rate is shrunk by half a success and half a failure: 40 of 40 does not mean that failing is impossible.
    """
    known = [[v for v in case if v is not None] for case in values]
    known = [case for case in known if case]
    flat = [v for case in known for v in case]
    if not flat or not set(flat) <= {0.0, 1.0}:
        return None
    rate = (fmean(flat) * len(flat) + 0.5) / (len(flat) + 1)
    return len(known), rate * (1 - rate)


def sharper(
    scores: Mapping[str, Iterable[Sequence[float | None]]], *, held: int, more: int, most: int, alpha: float
) -> tuple[str, float, float] | None:
    """The metric whose smallest visible drop is largest, that drop now, and after `more` further sessions.

    `held`: values a case in the baseline's pool, `most`: repeats that the gate may take. The level is that of one of
    these metrics after a Bonferroni correction. None where no metric is a pass rate.
    """
    known = {name: found for name, values in scores.items() if (found := pass_rate_variance(values)) is not None}
    if not known:
        return None
    level = alpha / len(known)
    now = {name: visible_drop(*found, held, most, level) for name, found in known.items()}
    worst = max(now, key=lambda name: now[name])
    return worst, now[worst], visible_drop(*known[worst], held + more, most, level)
