"""All cases with their values, made once for the reports that show them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pytest_genaiver.core import numbers
from pytest_genaiver.core.policy import LOG_KINDS, policy_for
from pytest_genaiver.core.sample import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pytest_genaiver.core.compare import Comparison
    from pytest_genaiver.core.decision import Decision
    from pytest_genaiver.core.policy import Kind, MetricPolicy
    from pytest_genaiver.core.results import CaseResult

CaseVerdict = Literal["broken", "suspect", "worse", "better", "same", "new", "changed", "removed", "no value"]
ORDER: tuple[CaseVerdict, ...] = (
    *("broken", "suspect", "worse", "better", "changed", "new", "removed", "no value", "same"),
)

Details = dict[str, dict[str, dict[str, Any]]]
"""Case -> repeat -> what is worth seeing of it: `inputs`, `output` (or `traced`), `rationales` and so on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One metric of a case: its means as numbers and as text. `worse`: how far it got worse, negative for better."""

    metric: str
    baseline: float | None
    current: float | None
    shown_baseline: str
    shown_current: str
    worse: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """What one execution left: everything as text, raw. `notes` are rationales, errors and logged values by name."""

    number: int
    output: str | None
    notes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case on both sides. `before` and `now` are what the executions left, where that is known; the first of
    them are those to be shown side by side.
    """

    id: str
    verdict: CaseVerdict
    location: str | None
    values: tuple[Value, ...]
    inputs: str | None
    expectations: str | None
    before: tuple[Repeat, ...]
    now: tuple[Repeat, ...]
    traces: tuple[str, ...]
    baseline_traces: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What the baseline's sessions left: details and trace ids by the baseline's case ids."""

    details: Details
    traces: dict[str, list[str]]


NONE = Recorded(details={}, traces={})


def cases_of(
    comparison: Comparison, decision: Decision | None, details: Details, recorded: Recorded = NONE
) -> tuple[Case, ...]:
    """Every case of the session, and those that were removed; the worst first, the others as they were run."""
    measure = _Measure(comparison, decision)
    current = [
        _case(case, comparison, measure, details.get(name, {}), recorded)
        for name, case in comparison.current.cases.items()
    ]
    removed = [_removed(name, recorded) for name in comparison.removed]
    rank = {verdict: index for index, verdict in enumerate(ORDER)}
    return tuple(sorted((*current, *removed), key=lambda case: (rank[case.verdict], -_worst(case.values))))


def _worst(values: Sequence[Value]) -> float:
    return max((value.worse for value in values), default=0.0)


class _Measure:
    """Which metrics there are, how each is read, and what the gate found of each case."""

    def __init__(self, comparison: Comparison, decision: Decision | None) -> None:
        self.comparison = comparison
        self.decided = {} if decision is None else decision.metrics
        self.broken = {f.case for m in self.decided.values() for f in m.broken}
        self.suspect = {f.case for m in self.decided.values() for f in m.suspect}
        self._known: dict[str, tuple[Kind, MetricPolicy]] = {}

    def of(self, metric: str) -> tuple[Kind, MetricPolicy]:
        if metric not in self._known:
            policy = policy_for(metric, self.comparison.current.policy)
            found = [v for side in self.comparison.of_metric(metric) for case in side.values() for v in case]
            kind = self.decided[metric].kind if metric in self.decided else kind_of(policy, np.array(found))
            self._known[metric] = kind, policy
        return self._known[metric]

    def values(self, before: Mapping[str, Sequence[float | None]], case: CaseResult) -> Iterator[Value]:
        for metric, now in case.scores.items():
            kind, policy = self.of(metric)
            old, new = _mean(before.get(metric, ())), _mean(now)
            yield Value(
                metric=metric,
                baseline=old,
                current=new,
                shown_baseline=numbers.value(kind, old),
                shown_current=numbers.value(kind, new),
                worse=_worse(kind, policy, old, new),
            )

    def verdict(self, case: CaseResult, values: Sequence[Value]) -> CaseVerdict:
        comparison = self.comparison
        if case.id in self.broken or case.id in self.suspect:
            return "broken" if case.id in self.broken else "suspect"
        if comparison.baseline is not None and case.id not in comparison.pairs:
            return "changed" if case.id in comparison.changed else "new"
        gated = [value for value in values if self.of(value.metric)[1].gate == "fail"]
        if not any(value.current is not None for value in values):
            return "no value"
        if any(value.worse > 0 for value in gated):
            return "worse"
        return "better" if any(value.worse < 0 for value in gated) else "same"


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _worse(kind: Kind, policy: MetricPolicy, before: float | None, now: float | None) -> float:
    """A difference, or a share for latency, tokens and cost; 0 where a side is unknown."""
    if before is None or now is None:
        return 0.0
    change = now - before
    if kind in LOG_KINDS:
        return change / before if before > 0 else 0.0
    return change if policy.direction == "lower" else -change


def _case(
    case: CaseResult, comparison: Comparison, measure: _Measure, left: Mapping[str, Mapping[str, Any]], old: Recorded
) -> Case:
    partner = comparison.pairs.get(case.id)
    pooled = comparison.baseline.cases[partner] if comparison.baseline is not None and partner is not None else None
    values = tuple(measure.values({} if pooled is None else pooled.scores, case))
    was = {} if partner is None else old.details.get(partner, {})
    return Case(
        id=case.id,
        verdict=measure.verdict(case, values),
        location=case.location,
        values=values,
        inputs=_first(left, "inputs"),
        expectations=_first(left, "expectations"),
        before=_repeats(was),
        now=_worst_first(_repeats(left), case, values),
        traces=tuple(case.traces),
        baseline_traces=tuple(old.traces.get(partner, ())) if partner is not None else (),
        notes=tuple(case.notes),
    )


def _removed(name: str, old: Recorded) -> Case:
    left = old.details.get(name, {})
    return Case(
        id=name,
        verdict="removed",
        location=None,
        values=(),
        inputs=_first(left, "inputs"),
        expectations=_first(left, "expectations"),
        before=_repeats(left),
        now=(),
        traces=(),
        baseline_traces=tuple(old.traces.get(name, ())),
        notes=(),
    )


def _first(left: Mapping[str, Mapping[str, Any]], name: str) -> str | None:
    return next((text_of(repeat[name]) for repeat in left.values() if name in repeat), None)


def _repeats(left: Mapping[str, Mapping[str, Any]]) -> tuple[Repeat, ...]:
    return tuple(_repeat(int(number), found) for number, found in sorted(left.items(), key=lambda one: int(one[0])))


def _repeat(number: int, found: Mapping[str, Any]) -> Repeat:
    named = [
        (name, text_of(text)) for kind in ("rationales", "errors", "logged") for name, text in _items(found, kind)
    ]
    # Where a test names no output, what its last call answered.
    output = found.get("output", found.get("traced"))
    return Repeat(number=number, output=None if output is None else text_of(output), notes=tuple(named))


def _items(found: Mapping[str, Any], kind: str) -> Iterable[tuple[str, Any]]:
    given = found.get(kind)
    return given.items() if isinstance(given, dict) else ()


def _worst_first(repeats: Sequence[Repeat], case: CaseResult, values: Sequence[Value]) -> tuple[Repeat, ...]:
    """The repeat with the worst value of the metric that got worst is the one to look at."""
    value = max(values, key=lambda one: one.worse, default=None)
    if value is None or value.worse <= 0:
        return tuple(repeats)
    scores = case.scores[value.metric]
    sign = 1 if value.current is not None and value.baseline is not None and value.current < value.baseline else -1
    known = {index: score for index, score in enumerate(scores) if score is not None}
    return tuple(sorted(repeats, key=lambda one: (sign * known.get(one.number, sign * np.inf), one.number)))


def text_of(value: Any) -> str:
    """A recorded value as people read it: text as it stands, what is named a line each, all else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and value and not any(isinstance(one, (dict, list)) for one in value.values()):
        return "\n".join(f"{name}: {one if isinstance(one, str) else json.dumps(one)}" for name, one in value.items())
    return json.dumps(value, ensure_ascii=False, indent=1)
