"""Cases taken apart into calls: all scores of one call together, for what is computed over several metrics."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_genaiver.core.results import CaseResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_genaiver.core.compare import Comparison
    from pytest_genaiver.core.pooling import PooledCase

Call = dict[str, "float | None"]


@dataclass(frozen=True, slots=True)
class Called:
    """One case and its calls."""

    case: CaseResult
    calls: tuple[Call, ...]

    def scored(self, calls: Sequence[Call] | None = None) -> CaseResult:
        """The case with the scores of these calls instead of its own."""
        given = self.calls if calls is None else calls
        metrics = dict.fromkeys(metric for call in given for metric in call)
        return replace(self.case, scores={metric: [call.get(metric) for call in given] for metric in metrics})


def current_calls(comparison: Comparison, look: int) -> dict[str, Called]:
    """The cases that gate, with their first `look` calls: later ones are retries, chosen because a case failed.

    A case without any value is left out.
    """
    cases = sorted(comparison.current.cases.items())
    found = {name: Called(case, _calls(case.scores, look)) for name, case in cases if case.gate == "fail"}
    return {name: called for name, called in found.items() if called.calls}


def baseline_calls(comparison: Comparison) -> dict[str, Called]:
    """The baseline's cases that are compared, under this session's ids."""
    if comparison.baseline is None:
        return {}
    found = {name: _pooled(name, comparison.baseline.cases[old]) for name, old in sorted(comparison.pairs.items())}
    return {name: called for name, called in found.items() if called.calls}


def _calls(scores: dict[str, list[float | None]], look: int) -> tuple[Call, ...]:
    longest = max(map(len, scores.values()), default=0)
    rows = [{metric: values[j] for metric, values in scores.items() if j < len(values)} for j in range(longest)]
    return _known(rows[:look])


def _pooled(name: str, case: PooledCase) -> Called:
    """Session by session, as the pool keeps the last values of each, and not always as many of every metric."""
    rows: list[Call] = []
    for session in dict.fromkeys(label for labels in case.sessions.values() for label in labels):
        counts = {metric: Counter(labels)[session] for metric, labels in case.sessions.items()}
        held = {metric: count for metric, count in counts.items() if count}
        values = {
            metric: [
                v for v, label in zip(case.scores[metric], case.sessions[metric], strict=True) if label == session
            ]
            for metric in held
        }
        shared = min(held.values())
        rows += [{metric: of[j] for metric, of in values.items()} for j in range(-shared, 0)]
    return Called(CaseResult(id=name, digest=case.digest, function=case.function), _known(rows))


def _known(rows: Sequence[Call]) -> tuple[Call, ...]:
    return tuple(row for row in rows if any(value is not None for value in row.values()))
