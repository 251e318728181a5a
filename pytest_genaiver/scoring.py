"""Scorers of a case run once its body is done, on the pool, while the next tests run."""

from __future__ import annotations

import threading
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.scorers.judges import preflight, spend
from pytest_genaiver.adapters.scorers.scorer import Sample, Scorer
from pytest_genaiver.core.judgements import Judgement, Judgements, key
from pytest_genaiver.core.scores import MEASURED
from pytest_genaiver.core.scoring import Scored, one_line
from pytest_genaiver.pool import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_genaiver.adapters.scorers.answers import Answer
    from pytest_genaiver.adapters.traces.tracer import Tracer
    from pytest_genaiver.execution import Execution
    from pytest_genaiver.pool import Pool


@dataclass(slots=True, kw_only=True)
class Asked:
    """One scorer of one repeat. `call` is None where its answers were known; `key` is that of its judgement."""

    scorer: Scorer
    answers: list[Answer] = field(default_factory=list)
    call: Call | None = None
    key: str | None = None
    reused: bool = False

    @property
    def done(self) -> bool:
        return self.call is None or self.call.done.is_set()


@dataclass(slots=True, kw_only=True)
class Scoring:
    """Asks the scorers of each repeat, but no judge twice about the same."""

    tracer: Tracer
    pool: Pool
    judgements: Judgements
    _asking: dict[str, Call] = field(default_factory=dict)
    _deaf: dict[str, str | None] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, now: Execution, latency: float | None, trouble: str | None) -> list[Asked]:
        """Start the scorers of a repeat whose body is done; `trouble` says why there is nothing to score."""
        if trouble is not None:
            return [_missing(scorer, trouble) for scorer in now.planned.scorers]
        sample = Sample(
            inputs=now.case.inputs,
            output=now.case.output if now.case.has_output else None,
            expectations=now.case.expectations,
            trace=lambda: self.tracer.trace_of(now.scope),
            latency=latency,
        )
        return [self._ask(scorer, sample, now) for scorer in now.planned.scorers]

    def _ask(self, scorer: Scorer, sample: Sample, now: Execution) -> Asked:
        name = None
        if scorer.judge and not scorer.reads_trace:
            name = key(scorer.fingerprint, sample.inputs, sample.output, sample.expectations)
            if (said := self.judgements.find(name)) is not None:
                return Asked(scorer=scorer, answers=[_again(j) for j in said], reused=True)
            if self.judgements.reuse and name in self._asking:
                return Asked(scorer=scorer, call=self._asking[name], key=name, reused=True)
        call = self.pool.submit(Call(work=self._work(scorer, sample, now), context=copy_context()))
        if name is not None:
            self._asking[name] = call
        return Asked(scorer=scorer, call=call, key=name)

    def _work(self, scorer: Scorer, sample: Sample, now: Execution) -> Callable[[Call], list[Answer]]:
        def work(call: Call) -> list[Answer]:
            if (why := self._unanswered(scorer)) is not None:
                return _missing(scorer, why).answers
            with self.tracer.judging(now.scope):
                return scorer.score(sample)

        return work

    def _unanswered(self, scorer: Scorer) -> str | None:
        """Why a judge cannot be asked at all: a dead endpoint, which would keep each call waiting for minutes."""
        endpoint = scorer.endpoint if scorer.judge else None
        if endpoint is None:
            return None
        with self._lock:
            if endpoint not in self._deaf:
                self._deaf[endpoint] = next(iter(preflight([scorer])), None)
            return self._deaf[endpoint]

    def collect(self, asked: Sequence[Asked]) -> list[Answer]:
        """The answers of calls that have ended."""
        for one in asked:
            if one.call is not None:
                one.answers = _answers(one)
                self._keep(one)
        # What the plugin measures itself is not scored again under the same name.
        return [answer for one in asked for answer in one.answers if answer[0].name not in MEASURED]

    def _keep(self, one: Asked) -> None:
        known = [_said(scored) for scored, _ in one.answers]
        if one.key is not None and all(known):
            self.judgements.keep(one.key, [j for j in known if j is not None])


def _said(scored: Scored) -> Judgement | None:
    return (
        None if scored.value is None else Judgement(name=scored.name, value=scored.value, rationale=scored.rationale)
    )


def _answers(one: Asked) -> list[Answer]:
    call = one.call
    assert call is not None
    if call.error is not None:
        return _missing(one.scorer, one_line(str(call.error) or type(call.error).__name__)).answers
    found: list[Answer] = call.value
    return [_again(j) for s, _ in found if (j := _said(s))] if one.reused else found


def _missing(scorer: Scorer, why: str) -> Asked:
    return Asked(scorer=scorer, answers=[(Scored(name=scorer.name, value=None, error=why), None)])


def _again(judgement: Judgement) -> Answer:
    """An answer that was given before, as feedback of this trace too."""
    from pytest_genaiver.adapters.traces.feedback import feedback_of

    scored = Scored(name=judgement.name, value=judgement.value, rationale=judgement.rationale)
    return scored, feedback_of(judgement.name, judgement.value, judgement.rationale)


def spent(now: Execution, asked: Sequence[Asked]) -> dict[str, float]:
    """What the judges of a repeat did: `calls`, `reused`, and `tokens` and `cost` as far as they are known.

    From their traces where they were traced, else from what MLflow noted on their feedback.
    """
    measured = now.scope.judged()
    fresh = [one for one in asked if one.scorer.judge and one.call is not None and not one.reused]
    noted = [found for one in fresh for _, feedback in one.answers if feedback and (found := spend(feedback))]
    calls: dict[str, Any] = {
        "calls": max(measured.calls, len(fresh)),
        "reused": sum(one.reused for one in asked),
        "tokens": measured.total_tokens
        if measured.calls
        else _sum([n.input_tokens for n in noted], [n.output_tokens for n in noted]),
        "cost": measured.cost if measured.calls else _sum([n.cost for n in noted]),
    }
    return {name: value for name, value in calls.items() if value}


def _sum(*columns: Sequence[float | None]) -> Any:
    values = [value for column in columns for value in column]
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None
