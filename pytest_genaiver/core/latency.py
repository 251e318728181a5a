"""Latency's between-session noise: a machine or a provider is slower on one day than on another, as a whole."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pytest_genaiver.core.sample import row_means
from pytest_genaiver.core.student import t_sf

if TYPE_CHECKING:
    from pytest_genaiver.core.permutation import MeanTest
    from pytest_genaiver.core.sample import Floats, Ints, Metric, Pairs

INTERLEAVED = "interleaved"
SESSIONS_NEEDED = 3


def sessions_seen(sessions: Ints) -> list[int]:
    """The sessions that are present in at least half of the cases."""
    return [
        int(label)
        for label in np.unique(sessions[sessions >= 0])
        if 2 * int((sessions == label).any(axis=1).sum()) >= len(sessions)
    ]


def is_advisory(metric: Metric) -> bool:
    """Too few stored baseline sessions to tell a slower day from slower code."""
    if metric.kind != "latency" or metric.sessions is None:
        return False
    usable = np.isfinite(metric.base).any(axis=1) & np.isfinite(metric.current).any(axis=1)
    return len(sessions_seen(metric.sessions[usable])) < SESSIONS_NEEDED


def session_test(test: MeanTest, pairs: Pairs, sessions: Ints) -> MeanTest:
    """The mean test with the variance between baseline sessions added to its noise.

    A random effect of the session (one-way analysis of variance with K sessions), its degrees of freedom by
    Satterthwaite's approximation, at least K - 1; p-values only grow.
    """
    labels = sessions_seen(sessions)
    k = len(labels)
    if k < SESSIONS_NEEDED:
        return test
    values = [np.where(sessions == label, pairs.x, np.nan) for label in labels]
    means = [row_means(of_session) for of_session in values]
    centre = row_means(np.stack(means, axis=1))
    v = float(np.var([np.nanmean(mean - centre) for mean in means], ddof=1))
    excess = v - _within(values, pairs)
    if excess <= 0:
        return test
    between = excess * (1 + 1 / k)
    noise = test.se**2 + between
    df = max(k - 1.0, noise**2 / ((v * (1 + 1 / k)) ** 2 / (k - 1)))
    t = test.drop / math.sqrt(noise)
    return test.with_noise(math.sqrt(noise), t_sf(t, df), t_sf(-t, df))


def _within(values: list[Floats], pairs: Pairs) -> float:
    """The variance that session means would have without any effect of the session; `values` are each session's."""
    shares = []
    for of_session in values:
        counts = np.isfinite(of_session).sum(axis=1)
        counts = counts[counts > 0]
        shares.append(float(np.sum(1 / counts)) / len(counts) ** 2)
    return float(np.mean(pairs.variances)) * float(np.mean(shares))
