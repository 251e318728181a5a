"""The per-case test of a binary metric: cases that failed are tried again, and only the fresh calls are tested."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from pytest_genaiver.core.student import fisher_all_failed

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_genaiver.core.sample import Floats, Metric

FAILED_BELOW = 0.5
RELIABLE = 0.8
MOST_RETRIES = 10
FIRST_RETRIES = 3


@dataclass(frozen=True, slots=True)
class CaseTest:
    """Rows (case positions) of a metric that broke or are suspect, with their p, and the retries still wanted."""

    broken: dict[int, float] = field(default_factory=dict)
    suspect: dict[int, float | None] = field(default_factory=dict)
    more: dict[str, int] = field(default_factory=dict)


def case_test(metric: Metric, alpha: float, may_retry: Callable[[str], bool]) -> CaseTest:
    """Which cases broke, at `alpha` over all cases of this metric (Bonferroni over those whose first call failed).

    A candidate failed its first call and passed at least 80 % of its baseline's. It broke when as many fresh calls as
    Fisher's exact test needs at `alpha` / k, at most 10, all fail; k counts all first failures, candidates or not,
    so that the choice does not depend on the baseline.
    """
    base, current = metric.turned(metric.base), metric.turned(metric.current)
    result = CaseTest()
    failed = first_failures(current)
    for row in failed:
        earlier = base[row][np.isfinite(base[row])]
        if not earlier.size or earlier.mean() < RELIABLE:
            continue
        runs, passes = len(earlier), int(earlier.sum())
        fresh, calls = _fresh(current[row], int(metric.lengths[row]))
        need = calls_needed(runs, passes, alpha / len(failed))
        if (fresh[:need] >= FAILED_BELOW).any():
            continue
        if need is not None and len(fresh) >= need:
            result.broken[row] = fisher_all_failed(need, passes, runs)
            continue
        result.suspect[row] = fisher_all_failed(len(fresh), passes, runs) if len(fresh) else None
        wanted = _retries(need, len(fresh), calls)
        if wanted and may_retry(metric.cases[row]):
            result.more[metric.cases[row]] = wanted
    return result


def first_failures(current: Floats) -> list[int]:
    """Rows whose first value that is not missing failed."""
    held = np.isfinite(current)
    first = current[np.arange(len(current)), held.argmax(axis=1)]
    rows: list[int] = np.flatnonzero(first < FAILED_BELOW).tolist()
    return rows


def calls_needed(runs: int, passes: int, alpha: float) -> int | None:
    """The least number of fresh calls whose unanimous failure is significant; None where 10 would not do."""
    for calls in range(1, MOST_RETRIES + 1):
        if fisher_all_failed(calls, passes, runs) <= alpha:
            return calls
    return None


def _fresh(values: Floats, length: int) -> tuple[Floats, int]:
    """The values after a case's first one, and how many calls they took, missing ones included."""
    start = int(np.isfinite(values).argmax()) + 1
    after = values[start:]
    return after[np.isfinite(after)], length - start


def _retries(need: int | None, fresh: int, calls: int) -> int:
    if need is None:
        return 0
    wanted = min(need - fresh, need if fresh else FIRST_RETRIES)
    return max(0, min(wanted, MOST_RETRIES - calls))
