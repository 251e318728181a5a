"""What the app and its judges did and cost, over all executions of a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_genaiver.core.records import RepeatRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """`tokens` and `cost` (US dollars) are what is known; `unknown` counts executions with calls of which it is not.

    `reused` counts answers of judges that were not asked for again.
    """

    calls: int = 0
    tokens: int = 0
    cost: float = 0.0
    unknown: int = 0
    reused: int = 0

    def line(self, who: str) -> str:
        """`app: 40 calls, 12,300 tokens, $0.02`."""
        parts = [f"{self.calls:,} call{'' if self.calls == 1 else 's'}"]
        if self.tokens:
            parts.append(f"{self.tokens:,} tokens")
        if self.cost:
            parts.append(f"${self.cost:.2f}" if self.cost >= 0.01 else "under $0.01")
        if self.unknown:
            parts.append(f"cost unknown for {self.unknown:,} run{'' if self.unknown == 1 else 's'}")
        if self.reused:
            parts.append(f"{self.reused:,} earlier answer{'' if self.reused == 1 else 's'} reused")
        return f"{who}: {', '.join(parts)}"


def of_app(records: Iterable[RepeatRecord]) -> Spend:
    return _added([(r.calls, r.scores.get("total_tokens"), r.scores.get("cost"), 0) for r in records])


def of_judges(records: Iterable[RepeatRecord]) -> Spend:
    found = [r.judged for r in records]
    return _added([(int(j.get("calls", 0)), j.get("tokens"), j.get("cost"), int(j.get("reused", 0))) for j in found])


def _added(rows: Sequence[tuple[int, float | None, float | None, int]]) -> Spend:
    return Spend(
        calls=sum(calls for calls, _, _, _ in rows),
        tokens=int(sum(tokens or 0 for _, tokens, _, _ in rows)),
        cost=sum(cost or 0.0 for _, _, cost, _ in rows),
        unknown=sum(bool(calls) and cost is None for calls, _, cost, _ in rows),
        reused=sum(reused for _, _, _, reused in rows),
    )


def missing_lines(records: Sequence[RepeatRecord]) -> list[str]:
    """One line for each reason that left values missing: `toxicity: 8 of 8 values missing: ...`."""
    counts: dict[tuple[str, str], int] = {}
    for record in records:
        for metric, why in record.details.get("errors", {}).items():
            counts[metric, why] = counts.get((metric, why), 0) + 1
    asked = {m: sum(m in r.scorers for r in records) for m, _ in counts}
    alike: dict[tuple[int, int, str], list[str]] = {}
    for (metric, why), n in counts.items():
        alike.setdefault((n, asked[metric], why), []).append(metric)
    return [f"{', '.join(metrics)}: {n} of {of} values missing: {why}" for (n, of, why), metrics in alike.items()]
