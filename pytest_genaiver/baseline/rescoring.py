"""The stored outputs of the baseline, judged anew by today's judges (`--genai-rescore-baseline`)."""

from __future__ import annotations

import json
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.scorers.scorer import Sample
from pytest_genaiver.adapters.tracking.files import DETAILS
from pytest_genaiver.collecting.planned import PLANNED
from pytest_genaiver.core.judgements import Judgement, key
from pytest_genaiver.core.pooling import NEWEST
from pytest_genaiver.errors import StoreError
from pytest_genaiver.running.pool import Call
from pytest_genaiver.running.scoring import said_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pytest

    from pytest_genaiver.adapters.scorers.scorer import Scorer
    from pytest_genaiver.collecting.planned import Planned
    from pytest_genaiver.core.pooling import Pool as Pooled
    from pytest_genaiver.core.pooling import PooledCase
    from pytest_genaiver.opening import Opened
    from pytest_genaiver.running.scoring import Scoring


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One output of a baseline session, to be judged: by whom, and what of."""

    case: str
    session: str
    scorer: Scorer
    sample: Sample
    key: str | None


@dataclass(slots=True, kw_only=True)
class Rescoring:
    """`scoring` makes the calls, and spares those whose answer is known; `asked` counts the calls made."""

    opened: Opened
    scoring: Scoring
    asked: int = 0
    troubles: list[str] = field(default_factory=list)

    def of(self, pooled: Pooled, items: Sequence[pytest.Item], wait: Callable[[Call], None]) -> Pooled:
        """The baseline with values of today's judges in place of those that other judges gave."""
        details = {s.id: self._details(s.run_id) for s in pooled.sessions if s.run_id}
        stored = [one for planned in _planned(items) for one in _stored(planned, pooled, details)]
        calls = [(one, self._begin(one)) for one in stored]
        for _, call in calls:
            if call is not None:
                wait(call)
        return _with(pooled, [(one, self._said(one, call)) for one, call in calls])

    def _details(self, run_id: str) -> Mapping[str, Any]:
        try:
            text = self.opened.store.read_more(run_id, DETAILS)
            return dict(json.loads(text)) if text else {}
        except (StoreError, ValueError) as error:
            self.troubles.append(f"the outputs of run {run_id} cannot be read, and are not judged anew: {error}")
            return {}

    def _begin(self, one: Stored) -> Call | None:
        """Ask the judge; None where its answer is known."""
        if self.scoring.judgements.find(one.key) is not None:
            return None
        self.asked += 1
        work = partial(self.scoring.apart, one.scorer, one.sample)
        return self.scoring.pool.submit(Call(work=lambda _: work(), context=copy_context()))

    def _said(self, one: Stored, call: Call | None) -> list[Judgement]:
        if call is None:
            return self.scoring.judgements.find(one.key) or []
        answers = [] if call.error is not None else call.value
        said = [found for answer in answers if (found := said_by(*answer)) is not None]
        self.scoring.judgements.keep(one.key, said)
        return said


def _planned(items: Sequence[pytest.Item]) -> Iterator[Planned]:
    for item in items:
        planned = item.stash.get(PLANNED, None)
        if planned is not None and planned.version is None:
            yield planned


def _stored(planned: Planned, pooled: Pooled, details: Mapping[str, Mapping[str, Any]]) -> Iterator[Stored]:
    """What other judges have judged of a case, newest sessions first."""
    case = pooled.cases.get(planned.case.id)
    if case is None or case.digest != planned.case.digest:
        return
    for scorer in planned.scorers:
        if not scorer.judge or scorer.reads_trace or pooled.sources.get(scorer.name) == scorer.fingerprint:
            continue
        outputs = [
            (s.id, output) for s in pooled.sessions for output in _outputs(details.get(s.id, {}), case, s.repeats)
        ]
        for session, output in outputs[:NEWEST]:
            sample = Sample(
                inputs=planned.inputs,
                output=output,
                expectations=planned.expectations,
                trace=lambda: None,
                latency=None,
            )
            name = key(scorer.fingerprint, planned.inputs, output, planned.expectations)
            yield Stored(case=case.id, session=session, scorer=scorer, sample=sample, key=name)


def _outputs(details: Mapping[str, Any], case: PooledCase, repeats: int) -> Iterator[Any]:
    recorded = details.get(case.id, {})
    for repeat in range(repeats):
        found = recorded.get(str(repeat), {})
        if "output" in found:
            yield found["output"]


def _with(pooled: Pooled, said: Sequence[tuple[Stored, Sequence[Judgement]]]) -> Pooled:
    cases, sources = dict(pooled.cases), dict(pooled.sources)
    scores: dict[tuple[str, str], list[tuple[float, str]]] = {}
    for one, judgements in said:
        for judgement in judgements:
            scores.setdefault((one.case, judgement.name), []).append((judgement.value, one.session))
            sources[judgement.name] = one.scorer.fingerprint
    for (name, metric), values in scores.items():
        case = cases[name]
        cases[name] = replace(
            case,
            scores={**case.scores, metric: [value for value, _ in values]},
            sessions={**case.sessions, metric: [session for _, session in values]},
        )
    renewed = {metric for _, metric in scores}
    judged = {name for name, _ in scores}
    # A case whose outputs were not kept has values of the other judge only: they say nothing.
    for name, case in pooled.cases.items():
        if name not in judged and renewed & case.scores.keys():
            kept = {metric: values for metric, values in case.scores.items() if metric not in renewed}
            cases[name] = replace(case, scores=kept)
    return replace(pooled, cases=cases, sources=sources)
