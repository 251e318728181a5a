"""What a version is known to score: its metrics over all of its pooled sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_genaiver.core.compare import means
from pytest_genaiver.core.policy import LOG_KINDS
from pytest_genaiver.core.sample import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_genaiver.core.policy import Kind, MetricPolicy
    from pytest_genaiver.core.pooling import Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A metric: the mean of the case means (geometric for latency, tokens and cost), of `values` values of `cases`
    cases.
    """

    metric: str
    kind: Kind
    mean: float
    values: int
    cases: int


def known_metrics(pool: Pool, policy: Callable[[str], MetricPolicy]) -> Iterator[Known]:
    """The metrics that hold a value, in the order in which they were first seen."""
    for metric in dict.fromkeys(m for case in pool.cases.values() for m in case.scores):
        scores = {case.id: [v for v in case.scores.get(metric, ()) if v is not None] for case in pool.cases.values()}
        found = {case: values for case, values in scores.items() if values}
        values = [v for vs in found.values() for v in vs]
        kind = kind_of(policy(metric), np.array(values, dtype=np.float64))
        mean = means({}, found, ratio=kind in LOG_KINDS)[1]
        if mean is not None:
            yield Known(metric=metric, kind=kind, mean=mean, values=len(values), cases=len(found))
