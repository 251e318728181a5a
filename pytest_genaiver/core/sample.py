"""The values of one metric as matrices: a row a case, NaN where a value is missing or was never measured."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pytest_genaiver.core.policy import DEFAULT_TOLERANCE, LOG_KINDS, builtin_kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_genaiver.core.policy import Direction, Kind, MetricPolicy

    Values = Sequence[float | int | bool | None]
    CaseValues = Mapping[str, Values]
    Scores = Mapping[str, CaseValues]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

LOG_FLOOR = 1e-9
MAX_LIKERT = 10
CLIP = 3 * 1.4826


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric's values: `base` and `current` (cases x repeats) of the `cases` that both sides hold.

    Raw units; declared binary values are cut to 0 and 1. `lengths` counts the current entries of each case, missing
    ones included. `others` are the current values of cases that only this side holds. `sessions` (shape of `base`)
    numbers the session of each baseline value, -1 where there is none; None: measured in this session.
    `base_missing` counts the baseline's missing values. `new`: the baseline never scored it, in any case.
    """

    policy: MetricPolicy
    kind: Kind
    new: bool
    cases: tuple[str, ...]
    base: Floats
    base_missing: int
    current: Floats
    lengths: Ints
    others: Floats
    other_cases: tuple[str, ...]
    sessions: Ints | None

    @property
    def direction(self) -> Direction:
        return "lower" if self.kind in LOG_KINDS else self.policy.direction or "higher"

    @property
    def tolerance(self) -> float:
        """The smallest drop that matters, on the scale of the mean test."""
        declared = self.policy.tolerance
        return self.scaled(DEFAULT_TOLERANCE[self.kind] if declared is None else declared)

    def scaled(self, tolerance: float) -> float:
        """A tolerance as written, on the scale of the mean test: log(1 + t) of a relative one."""
        return math.log1p(tolerance) if self.kind in LOG_KINDS else tolerance

    def turned(self, values: Floats) -> Floats:
        """Raw values so that larger is better, logs for the kinds that are compared by their ratio."""
        if self.kind in LOG_KINDS:
            return -np.log(np.maximum(values, LOG_FLOOR))
        if self.direction == "higher":
            return values
        return 1 - values if self.kind == "binary" else -values


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """The cases of one metric with values on both sides, turned, each centred on its pooled median.

    `rows` are their positions among the metric's cases; `x` is the baseline, `y` the current side.
    """

    rows: Ints
    x: Floats
    y: Floats
    r0: Ints
    r1: Ints

    @property
    def pooled(self) -> Floats:
        return np.hstack([self.x, self.y])

    @property
    def differences(self) -> Floats:
        """Baseline mean minus current mean of each case: positive is worse."""
        return row_means(self.x) - row_means(self.y)

    @property
    def variances(self) -> Floats:
        """The unbiased variance of each case's pooled values."""
        centred = self.pooled - row_means(self.pooled)[:, None]
        variances: Floats = np.nansum(centred * centred, axis=1) / (self.r0 + self.r1 - 1)
        return variances

    @property
    def informative(self) -> Bools:
        """Cases whose values are not all equal."""
        pooled = self.pooled
        unequal: Bools = np.fmax.reduce(pooled, axis=1) > np.fmin.reduce(pooled, axis=1)
        return unequal


def matrix(values: CaseValues, cases: Sequence[str]) -> tuple[Floats, Ints]:
    """The values of `cases` as a NaN-padded matrix, and how many entries each case has."""
    rows = [[_number(value) for value in values.get(case, (None,))] for case in cases]
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    filled = np.full((len(rows), max([1, *lengths.tolist()])), np.nan)
    for row, entries in zip(filled, rows, strict=True):
        row[: len(entries)] = entries
    return filled, lengths


def _number(value: float | bool | None) -> float:
    number = math.nan if value is None else float(value)
    return number if math.isfinite(number) else math.nan


def row_means(values: Floats) -> Floats:
    """The mean of each row's values that are not missing; NaN for a row without any."""
    counts = np.isfinite(values).sum(axis=1)
    means: Floats = np.divide(np.nansum(values, axis=1), counts, out=np.full(len(values), np.nan), where=counts > 0)
    return means


def first_values(values: Floats, limits: Ints) -> Floats:
    """Each row's first `limits` entries, the rest missing.

    A row that holds nothing there takes its first later value: it was measured to stand in for them.
    """
    position = np.arange(values.shape[1])
    prefix = np.where(position < limits[:, None], values, np.nan)
    held = np.isfinite(values)
    empty = ~np.isfinite(prefix).any(axis=1) & held.any(axis=1)
    first = held.argmax(axis=1)
    prefix[empty, first[empty]] = values[empty, first[empty]]
    return prefix


def pair(metric: Metric, current: Floats) -> Pairs:
    """The metric's comparable cases, turned, centred and, for log kinds, clipped."""
    rows = np.flatnonzero(np.isfinite(metric.base).any(axis=1) & np.isfinite(current).any(axis=1))
    x, y = metric.turned(metric.base[rows]), metric.turned(current[rows])
    centre = _row_medians(np.hstack([x, y]))[:, None]
    x, y = x - centre, y - centre
    if metric.kind in LOG_KINDS:
        limit = _clip_limit(np.hstack([x, y]))
        x, y = np.clip(x, -limit, limit), np.clip(y, -limit, limit)
    return Pairs(rows=rows, x=x, y=y, r0=np.isfinite(x).sum(axis=1), r1=np.isfinite(y).sum(axis=1))


def _row_medians(values: Floats) -> Floats:
    counts = np.isfinite(values).sum(axis=1)
    ordered = np.sort(values, axis=1)
    rows = np.arange(len(values))
    medians: Floats = (ordered[rows, (counts - 1) // 2] + ordered[rows, counts // 2]) / 2
    return medians


def _clip_limit(deviations: Floats) -> float:
    # One limit for all cases: a case's own few values say too little about its spread.
    sizes = np.abs(deviations)
    sizes = sizes[np.isfinite(sizes) & (sizes > 0)]
    return CLIP * float(np.median(sizes)) if sizes.size else math.inf


def kind_of(policy: MetricPolicy, values: Floats) -> Kind:
    """Declared kind, else the built-in name's, else what the values look like.

    All 0 or 1: binary. At most 10 different whole numbers of 1 to 10: likert. Else score.
    """
    known = policy.kind or builtin_kind(policy.name)
    if known is not None:
        return known
    distinct = np.unique(values[np.isfinite(values)])
    if not distinct.size:
        return "score"
    if bool(np.isin(distinct, (0.0, 1.0)).all()):
        return "binary"
    whole = bool((distinct == np.round(distinct)).all())
    return "likert" if whole and distinct[0] >= 1 and distinct[-1] <= MAX_LIKERT else "score"
