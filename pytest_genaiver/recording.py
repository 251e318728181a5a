"""What each execution of a case recorded: at once where nothing scores it, else when its scorers have answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_genaiver.cases import Score
from pytest_genaiver.core.plainform import plain
from pytest_genaiver.core.records import Outcome, RepeatRecord
from pytest_genaiver.outcomes import feedback_for, scores_of
from pytest_genaiver.scoring import spent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pytest

    from pytest_genaiver.adapters.scorers.answers import Answer
    from pytest_genaiver.adapters.traces.reading import Measured
    from pytest_genaiver.adapters.traces.tracer import Tracer
    from pytest_genaiver.execution import Execution, Told
    from pytest_genaiver.pool import Call
    from pytest_genaiver.scoring import Asked, Scoring


@dataclass(slots=True, kw_only=True)
class Pending:
    """A repeat whose scorers are still asked."""

    item: pytest.Item
    now: Execution
    outcome: Outcome
    measured: Measured
    asked: list[Asked]


@dataclass(slots=True, kw_only=True)
class Recorder:
    """The records of one process. `told` hears of each repeat, on the main thread, once its scores are in."""

    tracer: Tracer
    scoring: Scoring
    told: Told
    _history: dict[str, dict[int, RepeatRecord]] = field(default_factory=dict)
    _pending: list[Pending] = field(default_factory=list)

    def finish(self, item: pytest.Item, now: Execution) -> RepeatRecord:
        """The execution has ended. What its scorers have not answered yet is missing from its record until then."""
        outcome: Outcome = now.outcome or "error"
        measured = self.tracer.measured(now.scope)
        asked = [] if outcome == "skipped" else self.scoring.begin(now, measured.latency, _trouble(now, outcome))
        pending = Pending(item=item, now=now, outcome=outcome, measured=measured, asked=asked)
        if all(one.done for one in asked):
            return self._complete(pending)
        # A rerun takes the place of its attempt, whose answers nobody waits for any more.
        self._pending = [p for p in self._pending if not _same(p.now, now)] + [pending]
        record = self._record(pending, [], self.tracer.ids(now.scope))
        self._history.setdefault(record.case, {})[record.repeat] = record
        self._collect()
        return record

    def _collect(self) -> None:
        """Complete those whose scorers have answered meanwhile."""
        done = [p for p in self._pending if all(one.done for one in p.asked)]
        self._pending = [p for p in self._pending if p not in done]
        for pending in done:
            self._complete(pending)

    def settle(self, wait: Callable[[Call], None]) -> None:
        """Wait for the scorers that are still asked."""
        for pending in self._pending:
            for one in pending.asked:
                if one.call is not None:
                    wait(one.call)
        self._collect()

    def give_up(self) -> None:
        """Whatever has not answered by now is a missing value."""
        for pending in self._pending:
            for one in pending.asked:
                if one.call is not None:
                    one.call.end(error=TimeoutError("the session ended before the scorer answered"))
        self._collect()

    def records(self) -> list[dict[str, Any]]:
        """Everything that was recorded in this process, as plain JSON."""
        return [r.to_json() for records in self._history.values() for r in records.values()]

    def _complete(self, pending: Pending) -> RepeatRecord:
        now = pending.now
        answers = self.scoring.collect(pending.asked)
        passed = _passed(pending.outcome)
        given = [feedback for _, feedback in answers if feedback is not None]
        record = self._record(
            pending, answers, self.tracer.close(now.scope, [*feedback_for(now.case, passed, now.rationale), *given])
        )
        history = self._history.setdefault(record.case, {})
        history[record.repeat] = record
        self.told(pending.item, list(history.values()))
        return record

    def _record(self, pending: Pending, answers: Sequence[Answer], traces: list[str]) -> RepeatRecord:
        now, measured = pending.now, pending.measured
        called = bool(measured.calls or measured.latency is not None or now.call is not None)
        scored = [Score(name=s.name, value=s.value, given=f, rationale=s.rationale) for s, f in answers]
        own = (*now.case.scores, *scored)
        return RepeatRecord(
            case=now.planned.case.id,
            repeat=now.repeat,
            outcome=pending.outcome,
            scores=scores_of(own, pending.outcome, {**measured.scores(), **now.first_token()}),
            traces=traces,
            calls=measured.calls,
            without_usage=measured.calls_without_usage,
            recorded=called or bool(own or now.case.has_output),
            refused=now.refused,
            rationale=now.rationale,
            judged=spent(now, pending.asked),
            scorers={s.name: one.scorer.fingerprint for one in pending.asked for s, _ in one.answers},
            details=_details(now, answers),
        )


def _same(one: Execution, other: Execution) -> bool:
    return one.planned is other.planned and one.repeat == other.repeat


def _trouble(now: Execution, outcome: Outcome) -> str | None:
    """Why there is nothing to score."""
    if outcome == "provider":
        return "the provider failed"
    if outcome == "error":
        return "the test's setup or teardown failed"
    if now.case.has_output or outcome == "passed":
        return None
    return "the test failed before it had an output"


def _passed(outcome: Outcome) -> float | None:
    return {"passed": 1.0, "failed": 0.0}.get(outcome)


def _details(now: Execution, answers: Sequence[Answer]) -> dict[str, Any]:
    """What is worth seeing beside the scores; the inputs once a case."""
    case = now.case
    reasons = {s.name: s.rationale for s in case.scores if s.rationale} | {
        s.name: s.rationale for s, _ in answers if s.rationale
    }
    found = {
        "inputs": plain(case.inputs) if now.repeat == 0 else None,
        "expectations": plain(case.expectations) if now.repeat == 0 else None,
        "output": plain(case.output) if case.has_output else None,
        "logged": plain(case.logged),
        "rationales": plain(reasons),
        "errors": {s.name: s.error for s, _ in answers if s.error},
    }
    return {name: value for name, value in found.items() if value not in (None, {})}
