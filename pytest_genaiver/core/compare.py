"""Which case of this session is which case of the baseline, and what is new, removed, changed or renamed."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING

from pytest_genaiver.core.matching import match
from pytest_genaiver.core.results import GATES
from pytest_genaiver.core.sources import pool_without, unlike

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from pytest_genaiver.core.pooling import Pool, PooledCase
    from pytest_genaiver.core.results import CaseResult, VersionResults

Values = dict[str, dict[str, list[float | None]]]
CaseValues = dict[str, list[float]]
Sessions = dict[str, dict[str, list[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """This session beside its baseline.

    `pairs` and `renamed` map an id of this session to the baseline's id of the same case; `changed` cases
    have an id in common but other inputs or expectations, and are not compared. `coverage` is the share
    (0 to 1) of this session's cases that are paired. `unlike` are the metrics that something else measured than in
    the baseline: `baseline` holds them no more. `variants` maps a variant that is new to the baseline's that it
    replaces, with which its cases are compared.
    """

    baseline: Pool | None
    current: VersionResults
    pairs: dict[str, str]
    new: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    renamed: dict[str, str]
    coverage: float
    unlike: tuple[str, ...] = ()
    variants: dict[str, str] = field(default_factory=dict)

    def current_values(self, gates: Collection[str] = ("fail",)) -> Values:
        """Metric -> case -> values of this session, paired or not, for cases with one of these gates.

        A paired case that only the baseline scored on a metric is `[None]` there.
        """
        values: Values = defaultdict(dict)
        for name, case in self._cases(gates).items():
            for metric, found in case.scores.items():
                values[metric][name] = list(found)
            for metric in sorted(_scored(self._partner(name)) - case.scores.keys()):
                values[metric][name] = [None]
        return dict(values)

    def baseline_values(self, gates: Collection[str] = ("fail",)) -> Values:
        """Metric -> case -> pooled values: of paired cases under this session's ids.

        Every other baseline case keeps its id followed by " (baseline)", so that it meets no case of this
        session, but shows that the baseline did score the metric. A metric that the baseline never scored is
        absent; elsewhere a paired case that only this session scored is `[None]`.
        """
        values: Values = defaultdict(dict)
        for metric, name, found, _ in self._pooled(gates):
            values[metric][name] = found
        return dict(values)

    def baseline_sessions(self, gates: Collection[str] = ("fail",)) -> Sessions:
        """Metric -> case -> the session that each of `baseline_values` came from."""
        sessions: Sessions = defaultdict(dict)
        for metric, name, _, found in self._pooled(gates):
            sessions[metric][name] = found
        return dict(sessions)

    def of_metric(self, metric: str, gates: Collection[str] = GATES) -> tuple[CaseValues, CaseValues]:
        """(baseline, current) values by case, for cases with one of these gates; the baseline's under current ids.

        Cases that hold no value are absent. For metrics that the gate does not decide.
        """
        old = {} if self.baseline is None else self.baseline.cases
        cases = self._cases(gates)
        partners = {name: old[partner].scores for name, partner in self.pairs.items() if name in cases}
        current = {name: case.scores for name, case in cases.items()}
        return _held(partners, metric), _held(current, metric)

    def _pooled(self, gates: Collection[str]) -> Iterator[tuple[str, str, list[float | None], list[str]]]:
        """(metric, case, its baseline values, the session of each)."""
        if self.baseline is None:
            return
        newest = self.baseline.sessions[0].id
        known = {metric for case in self.baseline.cases.values() for metric in _scored(case)}
        for name, case in self._cases(gates).items():
            partner = self._partner(name)
            if partner is None:
                continue
            for metric, values in partner.scores.items():
                yield metric, name, list(values), list(partner.sessions[metric])
            for metric in sorted((known & _scored(case)) - partner.scores.keys()):
                yield metric, name, [None], [newest]
        paired = set(self.pairs.values())
        for old in self.baseline.cases.values():
            if old.id not in paired and old.gate in gates:
                for metric, values in old.scores.items():
                    yield metric, f"{old.id} (baseline)", list(values), list(old.sessions[metric])

    def _cases(self, gates: Collection[str]) -> dict[str, CaseResult]:
        return {name: case for name, case in self.current.cases.items() if case.gate in gates}

    def _partner(self, name: str) -> PooledCase | None:
        if self.baseline is None or name not in self.pairs:
            return None
        return self.baseline.cases[self.pairs[name]]


def means(baseline: CaseValues, current: CaseValues, *, ratio: bool) -> tuple[float | None, float | None]:
    """(baseline, current) means of the case means, over the cases that both sides scored.

    Geometric means with `ratio` (values floored at 1e-9). Where the two sides share no case, the current mean is
    over all its cases and the baseline's None.
    """
    shared = [case for case in current if case in baseline]
    before = [_case_mean(baseline[case], ratio) for case in shared]
    now = [_case_mean(current[case], ratio) for case in shared or current]
    return _overall(before, ratio), _overall(now, ratio)


def _case_mean(values: Sequence[float], ratio: bool) -> float:
    return fmean(math.log(max(value, 1e-9)) for value in values) if ratio else fmean(values)


def _overall(case_means: Sequence[float], ratio: bool) -> float | None:
    if not case_means:
        return None
    return math.exp(fmean(case_means)) if ratio else fmean(case_means)


def compare(
    baseline: Pool | None,
    current: VersionResults,
    *,
    not_collected: Callable[[str], bool] = lambda _: False,
) -> Comparison:
    """Match this session's cases with the baseline's (see `match`), and list what has no match.

    `not_collected(id)` is True for a baseline case, by its id with its variant, that this session left out by its
    own selection (`-k`, `-m`, paths, `--lf`): such a case is not removed.
    """
    before: Mapping[str, PooledCase] = {} if baseline is None else baseline.cases
    otherwise = () if baseline is None else unlike(baseline.sources, current)
    now = current.cases
    found = match(before, now, not_collected=not_collected)
    partners = {**found.same, **found.renamed}
    known = {*partners.values(), *found.changed.values()}
    return Comparison(
        baseline=None if baseline is None else pool_without(baseline, otherwise),
        current=current,
        pairs={name: partners[name] for name in now if name in partners},
        new=tuple(name for name in now if name not in partners and name not in found.changed),
        removed=tuple(name for name in before if name not in known and not not_collected(name)),
        changed=tuple(found.changed),
        renamed=found.renamed,
        coverage=len(partners) / len(now) if now else 0.0,
        unlike=otherwise,
        variants=found.variants,
    )


def _held(scores: Mapping[str, Mapping[str, Sequence[float | None]]], metric: str) -> CaseValues:
    found = {case: [value for value in given.get(metric, ()) if value is not None] for case, given in scores.items()}
    return {case: values for case, values in found.items() if values}


def _scored(case: CaseResult | PooledCase | None) -> set[str]:
    """The metrics that have at least one value in the case."""
    if case is None:
        return set()
    return {metric for metric, values in case.scores.items() if any(value is not None for value in values)}
