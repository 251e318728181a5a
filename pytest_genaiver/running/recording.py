"""What each execution of a case recorded: at once where nothing scores it, else when its scorers have answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.traces.answers import answer_of
from pytest_genaiver.cases import Score
from pytest_genaiver.core.plainform import plain
from pytest_genaiver.core.records import Outcome, RepeatRecord
from pytest_genaiver.running.outcomes import feedback_for, scores_of
from pytest_genaiver.running.scoring import spent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pytest

    from pytest_genaiver.adapters.scorers.answers import Answer
    from pytest_genaiver.adapters.traces.reading import Measured
    from pytest_genaiver.adapters.traces.tracer import Tracer
    from pytest_genaiver.running.execution import Execution, Told
    from pytest_genaiver.running.pool import Call
    from pytest_genaiver.running.scoring import Asked, Scoring


@dataclass(slots=True, kw_only=True, eq=False)
class Pending:
    """A repeat whose scorers are still asked. `judging` is what the test itself asked judges."""

    item: pytest.Item
    now: Execution
    outcome: Outcome
    measured: Measured
    judging: Measured
    asked: list[Asked]
    others: dict[str, Measured]


@dataclass(slots=True, kw_only=True)
class Recorder:
    """The records of one process. `told` hears of each repeat, on the main thread, once its scores are in.

    `others` maps the names of other versions in use to their model ids.
    """

    tracer: Tracer
    scoring: Scoring
    told: Told
    others: Mapping[str, str]
    _history: dict[tuple[str, str | None], dict[int, RepeatRecord]] = field(default_factory=dict)
    _pending: list[Pending] = field(default_factory=list)

    def finish(self, item: pytest.Item, now: Execution) -> RepeatRecord:
        """The execution has ended. What its scorers have not answered yet is missing from its record until then."""
        outcome: Outcome = now.outcome or "error"
        if not now.case.has_output:
            now.traced = answer_of(self.tracer.trace_of(now.scope))
        measured = self.tracer.measured(now.scope)
        judging = now.scope.judged()
        asked = [] if outcome == "skipped" else self.scoring.begin(now, measured.latency, _trouble(now, outcome))
        others = {
            name: found
            for name, model_id in self.others.items()
            if name != now.planned.version and _any(found := self.tracer.measured_for(now.scope, model_id), now, name)
        }
        pending = Pending(
            item=item, now=now, outcome=outcome, measured=measured, judging=judging, asked=asked, others=others
        )
        if all(one.done for one in asked):
            return self._complete(pending)
        # A rerun takes the place of its attempt, whose answers nobody waits for any more.
        self._pending = [p for p in self._pending if not _same(p.now, now)] + [pending]
        record = self._record(pending, [], self.tracer.ids(now.scope))
        self._keep(record)
        self._collect()
        return record

    def _keep(self, record: RepeatRecord) -> list[RepeatRecord]:
        history = self._history.setdefault((record.case, record.version), {})
        history[record.repeat] = record
        return list(history.values())

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
        scored = {name: _scored_for(now, name) for name in pending.others}
        apart = {self.others[name]: feedback_for(scores, None) for name, scores in scored.items()}
        own = feedback_for(_own(now), passed, now.rationale)
        now.scope.notes = self.tracer.mask.plain(_notes(now))
        traces = self.tracer.close(now.scope, [*own, *given], apart)
        record = self._record(pending, answers, traces)
        for name, measured in pending.others.items():
            self._keep(_record_for(pending, name, measured, scored[name]))
        self.told(pending.item, self._keep(record))
        return record

    def _record(self, pending: Pending, answers: Sequence[Answer], traces: list[str]) -> RepeatRecord:
        now, measured = pending.now, pending.measured
        called = bool(measured.calls or measured.latency is not None or now.call is not None)
        scored = [Score(name=s.name, value=s.value, given=f, rationale=s.rationale) for s, f in answers]
        own = (*_own(now), *scored)
        return RepeatRecord(
            case=now.planned.case.id,
            repeat=now.repeat,
            outcome=pending.outcome,
            version=now.planned.version,
            scores=scores_of(own, pending.outcome, {**measured.scores(), **now.first_token()}),
            traces=traces,
            calls=measured.calls,
            without_usage=measured.calls_without_usage,
            recorded=called or bool(own or now.case.has_output),
            refused=now.refused,
            unscored=any(self.scoring.refused(one) for one in pending.asked),
            rationale=now.rationale,
            judged=spent(now, pending.asked, pending.judging),
            scorers={s.name: one.scorer.fingerprint for one in pending.asked for s, _ in one.answers},
            details=self.tracer.mask.plain(_details(now, answers)),
        )


def _own(now: Execution) -> tuple[Score, ...]:
    """What the test scored for the version that it runs for."""
    return tuple(s for s in now.case.scores if s.version in (None, now.planned.version))


def _scored_for(now: Execution, version: str) -> tuple[Score, ...]:
    """What the test scored within `genai_version.use(version)`."""
    return tuple(s for s in now.case.scores if s.version == version)


def _any(measured: Measured, now: Execution, version: str) -> bool:
    """Whether the execution says anything about another version."""
    return bool(measured.calls or measured.latency is not None or _scored_for(now, version))


def _record_for(pending: Pending, version: str, measured: Measured, scored: Sequence[Score]) -> RepeatRecord:
    """What an execution says about another version: what was called and scored within `genai_version.use`."""
    scores = scores_of(scored, pending.outcome, measured.scores())
    # Whether the test passed is said of the version that it ran for.
    scores.pop("passed", None)
    return RepeatRecord(
        case=pending.now.planned.case.id,
        repeat=pending.now.repeat,
        outcome=pending.outcome,
        version=version,
        scores=scores,
        calls=measured.calls,
        without_usage=measured.calls_without_usage,
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


def _notes(now: Execution) -> dict[str, Any]:
    """What the trace carries beside its calls: what the test logged, and what was expected in the end."""
    found = {"genaiver.logged": plain(now.case.logged), "genaiver.expectations": plain(now.case.expectations)}
    return {name: value for name, value in found.items() if value}


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
        "traced": plain(now.traced),
        "logged": plain(case.logged),
        "rationales": plain(reasons),
        "errors": {s.name: s.error for s, _ in answers if s.error},
    }
    return {name: value for name, value in found.items() if value not in (None, {})}
