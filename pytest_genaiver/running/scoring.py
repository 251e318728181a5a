"""Scorers of a case run once its body is done, on the pool, while the next tests run."""

from __future__ import annotations

import threading
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.scorers.judges import Spend, preflight, spend
from pytest_genaiver.adapters.scorers.scorer import Sample, Scorer
from pytest_genaiver.core.judgements import Judgement, Judgements, key
from pytest_genaiver.core.scores import MEASURED
from pytest_genaiver.core.scoring import Scored, one_line
from pytest_genaiver.errors import CallRefused
from pytest_genaiver.running.pool import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlflow.entities import Feedback

    from pytest_genaiver.adapters.scorers.answers import Answer
    from pytest_genaiver.adapters.traces.reading import Measured
    from pytest_genaiver.adapters.traces.tracer import Tracer
    from pytest_genaiver.running.execution import Execution
    from pytest_genaiver.running.pool import Pool
    from pytest_genaiver.running.spending import Purse


@dataclass(slots=True, kw_only=True)
class Asked:
    """One scorer of one repeat. `call` is None where its answers were known; `key` is that of its judgement.

    `reused`: its answers are those of an earlier call. `called`: the scorer itself was called, for this repeat.
    """

    scorer: Scorer
    answers: list[Answer] = field(default_factory=list)
    call: Call | None = None
    key: str | None = None
    reused: bool = False
    called: bool = False

    @property
    def done(self) -> bool:
        return self.call is None or self.call.done.is_set()


@dataclass(slots=True, kw_only=True)
class Scoring:
    """Asks the scorers of each repeat, but no judge twice about the same."""

    tracer: Tracer
    pool: Pool
    judgements: Judgements
    purse: Purse
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
            if (known := self.judgements.find(name)) is not None:
                return Asked(scorer=scorer, answers=[_again(scorer, j) for j in known], reused=True)
            if name is not None and (running := self._asked_already(name)) is not None:
                return Asked(scorer=scorer, call=running, key=name, reused=True)
        asked = Asked(scorer=scorer, key=name)
        # The pool may run the call at once: what it belongs to is there before.
        asked.call = Call(work=self._work(asked, sample, now), context=copy_context(), free=not scorer.judge)
        if name is not None:
            self._asking[name] = asked.call
        self.pool.submit(asked.call)
        return asked

    def _asked_already(self, name: str) -> Call | None:
        """The call that asks the same; where it gave no value, the judge is asked again."""
        call = self._asking.get(name)
        if call is None or not self.judgements.reuse or (call.done.is_set() and not _complete(call)):
            return None
        return call

    def _work(self, asked: Asked, sample: Sample, now: Execution) -> Callable[[Call], list[Answer]]:
        scorer = asked.scorer

        def work(call: Call) -> list[Answer]:
            if (why := self._unanswered(scorer)) is not None:
                return _missing(scorer, why).answers
            asked.called = True
            with self.tracer.judging(now.scope, "scorer"):
                answers = self._paid(scorer, sample)
            return answers if now.case.has_output else [_without_output(*answer) for answer in answers]

        return work

    def apart(self, scorer: Scorer, sample: Sample) -> list[Answer]:
        """Ask a scorer about an output that is no execution's of this session, in this thread."""
        why = self._unanswered(scorer)
        return self._paid(scorer, sample) if why is None else _missing(scorer, why).answers

    def _paid(self, scorer: Scorer, sample: Sample) -> list[Answer]:
        """What the scorer says; what it spent is paid, less what was traced in this thread and so is paid already."""
        paid = self.purse.paid_here()
        answers = scorer.score(sample)
        noted = sum(found.cost or 0.0 for _, feedback in answers if feedback and (found := spend(feedback)))
        self.purse.pay(max(0.0, noted - (self.purse.paid_here() - paid)))
        return answers

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

    def refused(self, one: Asked) -> bool:
        """Whether the limit on costs kept a judge from being asked."""
        return one.call is not None and isinstance(one.call.error, CallRefused) and self.purse.refusal() is not None

    def _keep(self, one: Asked) -> None:
        known = [said_by(*answer) for answer in one.answers]
        if one.key is not None and all(known):
            self.judgements.keep(one.key, [j for j in known if j is not None])


def _complete(call: Call) -> bool:
    """Whether a call that has ended gave all its values."""
    return call.error is None and all(scored.value is not None for scored, _ in call.value)


def said_by(scored: Scored, feedback: Feedback | None) -> Judgement | None:
    """A judge's answer as it is remembered; None for one without a value."""
    if scored.value is None:
        return None
    given = feedback.value if feedback is not None else None
    return Judgement(
        name=scored.name,
        value=scored.value,
        rationale=scored.rationale,
        given=given if isinstance(given, (bool, int, float, str)) else None,
    )


def _answers(one: Asked) -> list[Answer]:
    call = one.call
    assert call is not None
    if call.error is not None:
        return _missing(one.scorer, one_line(str(call.error) or type(call.error).__name__)).answers
    found: list[Answer] = call.value
    if not one.reused:
        return found
    # A feedback belongs to one trace; this one is another's.
    return [_again(one.scorer, said) if (said := said_by(*answer)) else (answer[0], None) for answer in found]


def _missing(scorer: Scorer, why: str) -> Asked:
    return Asked(scorer=scorer, answers=[(Scored(name=scorer.name, value=None, error=why), None)])


def _without_output(scored: Scored, feedback: Feedback | None) -> Answer:
    """A value that is missing because the test handed over nothing to score."""
    if scored.value is not None:
        return scored, feedback
    return replace(scored, error=one_line(f"{scored.error} (the test set no genai_case.output)")), feedback


def _again(scorer: Scorer, judgement: Judgement) -> Answer:
    """An answer that was given before, as feedback of this trace too."""
    from pytest_genaiver.adapters.traces.feedback import judged_before

    given = judgement.value if judgement.given is None else judgement.given
    scored = Scored(name=judgement.name, value=judgement.value, rationale=judgement.rationale)
    return scored, judged_before(judgement.name, given, judgement.rationale, model=scorer.model or scorer.name)


def spent(now: Execution, asked: Sequence[Asked], body: Measured) -> dict[str, float]:
    """What the judges of a repeat did: `calls`, `reused`, and `tokens` and `cost` as far as they are known.

    `body` is what the test itself asked within `genai_case.judging()`. Of scorers it is known from their traces where
    they were traced, else from what MLflow noted on their feedback.
    """
    whole = now.scope.judged()
    fresh = [one for one in asked if one.scorer.judge and one.called]
    found: dict[str, Any] = {
        "calls": max(whole.calls, body.calls + len(fresh)),
        "reused": sum(one.reused for one in asked if any(scored.value is not None for scored, _ in one.answers)),
    }
    if whole.calls > body.calls:
        found |= {"tokens": whole.total_tokens, "cost": whole.cost}
    else:
        noted = [note for one in fresh for note in _noted(one)]
        own = [body] if body.calls else []
        found["tokens"] = _sum(
            [n.input_tokens for n in noted], [n.output_tokens for n in noted], [b.total_tokens for b in own]
        )
        found["cost"] = _sum([n.cost for n in noted], [b.cost for b in own])
    return {name: value for name, value in found.items() if value}


def _noted(one: Asked) -> list[Spend]:
    """What MLflow noted that a judge spent; where it noted nothing, that it is not known."""
    return [found for _, feedback in one.answers if feedback and (found := spend(feedback))] or [Spend()]


def _sum(*columns: Sequence[float | None]) -> Any:
    values = [value for column in columns for value in column]
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None
