"""The cases that moved between two versions, for the better or the worse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_genaiver.core.assess import z_scores
from pytest_genaiver.core.inputs import build_metrics
from pytest_genaiver.core.sample import pair

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_genaiver.core.policy import Kind, MetricPolicy
    from pytest_genaiver.core.sample import Floats, Metric, Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A case's means on both sides in raw units, of how many values. `z`: standard errors, positive for worse."""

    case: str
    metric: str
    kind: Kind
    before: float
    after: float
    n_before: int
    n_after: int
    z: float


def moved(before: Scores, after: Scores, policies: Mapping[str, MetricPolicy]) -> list[Moved]:
    """The cases whose mean changed, those that moved most first; `before`, `after`: metric -> case -> values."""
    found = [one for metric in build_metrics(before, after, policies, None) for one in _moved(metric)]
    return sorted(found, key=lambda m: (-abs(m.z), m.metric, m.case))


def _moved(metric: Metric) -> Iterator[Moved]:
    pairs = pair(metric, metric.current)
    for row, difference, z in zip(pairs.rows.tolist(), pairs.differences.tolist(), z_scores(pairs), strict=True):
        if abs(difference) > 1e-12:
            old, new = _known(metric.base[row]), _known(metric.current[row])
            yield Moved(
                case=metric.cases[row],
                metric=metric.policy.name,
                kind=metric.kind,
                before=float(old.mean()),
                after=float(new.mean()),
                n_before=len(old),
                n_after=len(new),
                z=float(z),
            )


def _known(values: Floats) -> Floats:
    return values[np.isfinite(values)]
