"""What the gate answers: a verdict for the session, one for each metric, and the repeats that it still wants."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pytest_genaiver.core.policy import Direction, GateMode, Kind

Verdict = Literal["pass", "regressed", "improved", "inconclusive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFinding:
    """One case of one metric: its mean on both sides in raw units, and how far apart they are.

    `z` is the case's change for the worse in standard errors; `p` the per-case test's p-value, where it was run.
    """

    case: str
    metric: str
    baseline: float | None
    current: float | None
    n_baseline: int
    n_current: int
    z: float | None = None
    p: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDecision:
    """The decision on one metric.

    `baseline`, `current`: means of case means over the common cases in raw units (latency, tokens, cost: geometric
    means; a new metric: `current` over all cases). `drop`, `upper` ("a drop of up to `upper` could hide") and
    `tolerance` are positive for worse, whatever the direction, and logs of ratios for latency, tokens and cost.
    `level` is what `p` was held against: Holm's share of the look's level. `cases` counts the compared cases.
    """

    name: str
    kind: Kind
    direction: Direction
    gate: GateMode
    verdict: Verdict
    baseline: float | None = None
    current: float | None = None
    drop: float | None = None
    upper: float | None = None
    p: float | None = None
    p_improved: float | None = None
    level: float | None = None
    cases: int = 0
    values_missing: int = 0
    cases_missing: int = 0
    new: bool = False
    advisory: bool = False
    tolerance: float
    broken: tuple[CaseFinding, ...] = ()
    suspect: tuple[CaseFinding, ...] = ()
    worst: tuple[CaseFinding, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The gate's answer. While `more` (case id -> further repeats wanted) is not empty, the verdict is provisional.

    `look` is the repeats per case that the mean tests used, `looks` all that are planned; `reason` says in one
    sentence why this verdict, `why_more` why further repeats are wanted, `next_look` to which look they lead: None
    for retries of single cases and for values that are missing.
    """

    verdict: Verdict
    metrics: dict[str, MetricDecision] = field(default_factory=dict)
    more: dict[str, int] = field(default_factory=dict)
    look: int
    looks: tuple[int, ...]
    alpha: float
    reason: str = ""
    why_more: str = ""
    next_look: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Every field as plain JSON values: lists for tuples, null for a number that is not finite."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
