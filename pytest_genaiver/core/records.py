"""What one execution of a case recorded, as plain JSON, and how executions add up to a case."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pytest_genaiver.core.results import CaseResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Outcome = Literal["passed", "failed", "skipped", "error", "provider"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCase:
    """A case as it was collected. `repeats` is its own number from the marker, None for the session's.

    `judges` is how many of its scorers ask a model, `versions` are those it runs for in place of the session's own.
    `variant` maps the parameters that belong to the app to their values, as text, `params`
    those that could.
    """

    id: str
    digest: str
    function: str
    gate: str = "fail"
    repeats: int | None = None
    location: str | None = None
    notes: tuple[str, ...] = ()
    judges: int = 0
    versions: tuple[str, ...] = ()
    variant: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was collected: the cases to run, every id before deselection, and the files collected whole.

    `lower` are the metrics that their scorers say are better when lower. `files` are those that the cases stand in
    and take their rows from, and pytest's ini file, relative to the toplevel.
    The ids in `collected` carry their variant, also where the session holds one only.
    """

    cases: dict[str, PlannedCase] = field(default_factory=dict)
    collected: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()
    lower: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "cases": [asdict(c) for c in self.cases.values()],
            "collected": sorted(self.collected),
            "whole": sorted(self.whole),
            "lower": list(self.lower),
            "files": list(self.files),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Plan:
        cases = [
            PlannedCase(**{**c, "notes": tuple(c["notes"]), "versions": tuple(c["versions"])}) for c in data["cases"]
        ]
        return cls(
            cases={c.id: c for c in cases},
            collected=frozenset(data["collected"]),
            whole=frozenset(data["whole"]),
            lower=tuple(data["lower"]),
            files=tuple(data["files"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatRecord:
    """One execution of a case.

    `version` names another version than the session's that it says something about. `outcome`: ``error`` is one of
    setup or teardown, ``provider`` a failure of the model's provider (429, 5xx,
    connection, time-out). `scores` holds what is known; an absent metric is missing. `calls` counts provider
    calls traced, `without_usage` those of them whose tokens are unknown. `recorded` is False when the execution
    left no trace, no score and no output. `refused`: nothing was called, since the cost limit was reached;
    `unscored`: judges were not asked, for the same reason.
    `judged` is what judges did for it: `calls`, `reused` answers, and as far as it is known `tokens` and `cost`.
    `scorers` is metric -> fingerprint of what scored it. `details` is what is worth seeing: inputs, output, reasons.
    `rationale` is the message of an assertion that failed softly.
    """

    case: str
    repeat: int
    outcome: Outcome
    version: str | None = None
    scores: dict[str, float | None] = field(default_factory=dict)
    traces: list[str] = field(default_factory=list)
    calls: int = 0
    without_usage: int = 0
    recorded: bool = True
    refused: bool = False
    unscored: bool = False
    judged: dict[str, float] = field(default_factory=dict)
    scorers: dict[str, str] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    rationale: str | None = None

    @property
    def idle(self) -> bool:
        """Whether the test ended well and left nothing to evaluate: no trace, no score, no output."""
        return self.outcome == "passed" and not self.recorded

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RepeatRecord:
        return cls(**data)


def assemble(plan: Mapping[str, PlannedCase], records: Iterable[RepeatRecord]) -> dict[str, CaseResult]:
    """Case id -> its scores over all executions, in the order of the plan; skipped ones are left out.

    Value j of every metric is repeat j. A metric that repeat j did not score is None there. A case that ran and
    yielded nothing stays, with `passed` missing: dropped, it would leave the comparison unseen; that it passed is no
    evidence.
    """
    by_case: dict[str, list[RepeatRecord]] = {}
    for record in records:
        if record.case in plan and record.outcome != "skipped":
            by_case.setdefault(record.case, []).append(record)
    return {name: _case(plan[name], sorted(by_case[name], key=_repeat)) for name in plan if name in by_case}


def _repeat(record: RepeatRecord) -> int:
    return record.repeat


def _case(planned: PlannedCase, records: list[RepeatRecord]) -> CaseResult:
    metrics = dict.fromkeys(m for r in records for m in r.scores)
    scores = {m: [r.scores.get(m) for r in records] for m in metrics}
    if all(r.idle for r in records):
        scores = {"passed": [None for _ in records]}
    return CaseResult(
        id=planned.id,
        digest=planned.digest,
        function=planned.function,
        gate=planned.gate,
        variant=dict(planned.variant),
        params=dict(planned.params),
        scores=scores,
        traces=[t for r in records for t in r.traces],
        location=planned.location,
        notes=[*planned.notes, *(f"repeat {r.repeat + 1}: {r.rationale}" for r in records if r.rationale)],
    )
