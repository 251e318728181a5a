"""Several versions over the cases that all of them hold: the same questions, or no comparison."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_genaiver.core.gate import decide
from pytest_genaiver.core.latency import INTERLEAVED
from pytest_genaiver.core.matching import match

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pytest_genaiver.core.decision import Decision
    from pytest_genaiver.core.policy import MetricPolicy
    from pytest_genaiver.core.pooling import Pool, PooledCase

Values = dict[str, list[float | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """How one version's cases meet those of the reference. `ids` maps an id of the reference to its own id.

    `new` are cases that only it holds, `removed` those that only the reference holds, `changed` those that have
    other inputs or expectations. `variants` maps a variant of its own to the reference's that it replaces.
    """

    ids: Mapping[str, str]
    new: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    variants: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Pooled versions, the reference first, and the cases that all hold, under the reference's ids."""

    pools: tuple[Pool, ...]
    partners: tuple[Partner, ...]
    cases: tuple[str, ...]

    def case(self, version: int, case: str) -> PooledCase:
        return self.pools[version].cases[self.partners[version].ids[case]]

    def values(self, version: int, metric: str) -> Values:
        """Case -> values; a case that was not scored holds one missing value."""
        return {c: list(self.case(version, c).scores.get(metric) or [None]) for c in self.cases}

    def labels(self, version: int, metric: str) -> dict[str, list[str]]:
        """Case -> the session of each of `values`."""
        newest = self.pools[version].sessions[0].id
        return {c: list(self.case(version, c).sessions.get(metric) or [newest]) for c in self.cases}

    def metrics(self, version: int) -> tuple[str, ...]:
        """The metrics that hold a value in a shared case, in the order in which they were first seen."""
        scored = (self.case(version, c).scores for c in self.cases)
        known = (m for scores in scored for m, vs in scores.items() if any(v is not None for v in vs))
        return tuple(dict.fromkeys(known))

    def unlike(self, one: int, other: int) -> tuple[str, ...]:
        """The metrics that another judge, scorer or price list measured in the one than in the other."""
        sources = self.pools[one].sources, self.pools[other].sources
        both = [m for m in self.metrics(one) if m in self.metrics(other)]
        return tuple(m for m in both if sources[0].get(m, "") != sources[1].get(m, ""))

    def comparable(self, one: int, other: int) -> list[str]:
        """The metrics that both hold, measured alike."""
        unlike, held = self.unlike(one, other), self.metrics(other)
        return [m for m in self.metrics(one) if m in held and m not in unlike]


def shared(pools: Sequence[Pool]) -> Shared:
    """Match every version's cases with the first one's (see `match`)."""
    partners = tuple(_partner(pools[0], pool) for pool in pools)
    cases = tuple(c for c in pools[0].cases if all(c in partner.ids for partner in partners))
    return Shared(pools=tuple(pools), partners=partners, cases=cases)


def _partner(reference: Pool, pool: Pool) -> Partner:
    found = match(reference.cases, pool.cases)
    ids = {before: now for now, before in {**found.same, **found.renamed}.items()}
    known = {*ids.values(), *found.changed}
    met = {*ids, *found.changed.values()}
    return Partner(
        ids=ids,
        new=tuple(c for c in pool.cases if c not in known),
        removed=tuple(c for c in reference.cases if c not in met),
        changed=tuple(found.changed),
        variants=found.variants,
    )


def decide_between(
    found: Shared, one: int, other: int, policies: Mapping[str, MetricPolicy], *, alpha: float, inference: str
) -> Decision:
    """The gate's decision on `other` against `one`, over the shared cases, with every value that was recorded.

    No further repeats can be had, so that nothing is retried; `min` and `max` say nothing about a change.
    """
    metrics = [m for m in found.comparable(one, other) if m in policies]
    current = {m: found.values(other, m) for m in metrics}
    held = {c: max((len(values[c]) for values in current.values()), default=1) for c in found.cases}
    most = max(held.values(), default=1)
    return decide(
        {m: found.values(one, m) for m in metrics},
        current,
        {m: replace(policies[m], min=None, max=None) for m in metrics},
        alpha=alpha,
        repeats=(most, most),
        baseline_sessions={m: _labels(found, one, other, m) for m in metrics},
        final=True,
        # Cases hold different numbers of values: each enters with all that it has.
        own_repeats=held,
        inference=inference,
    )


def _labels(found: Shared, one: int, other: int, metric: str) -> dict[str, list[str]]:
    """Versions that were measured in the same sessions met the same provider on the same day."""
    labels = found.labels(one, metric)
    if _sessions(labels) == _sessions(found.labels(other, metric)):
        return {case: [INTERLEAVED] * len(given) for case, given in labels.items()}
    return labels


def _sessions(labels: Mapping[str, Collection[str]]) -> set[str]:
    return {label for given in labels.values() for label in given}
