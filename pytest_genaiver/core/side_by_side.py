"""Versions side by side: each metric's mean over the same cases, and the gate's decision against the first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_genaiver.core.compare import means
from pytest_genaiver.core.interval import change_interval
from pytest_genaiver.core.policy import LOG_KINDS
from pytest_genaiver.core.sample import kind_of
from pytest_genaiver.core.shared import decide_between
from pytest_genaiver.core.variants import label

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pytest_genaiver.core.decision import MetricDecision
    from pytest_genaiver.core.policy import GateMode, Kind, MetricPolicy
    from pytest_genaiver.core.shared import Shared

_RANK: dict[GateMode, int] = {"fail": 0, "warn": 1, "off": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One version's part of a metric's row. `mean` is over the cases that every version scored, of `values` values.

    `decision` is the gate's, against the first version; None for the first itself, and where nothing was compared.
    `other_source`: another judge, scorer or price list measured it than in the first version.
    """

    mean: float | None
    values: int
    decision: MetricDecision | None = None
    other_source: bool = False

    def to_json(self) -> dict[str, Any]:
        decided = self.decision
        compared = None
        if decided is not None:
            interval = change_interval(decided)
            compared = {
                "verdict": decided.verdict,
                "baseline": decided.baseline,
                "current": decided.current,
                "interval": list(interval) if interval else None,
                "p": decided.p,
                "p_improved": decided.p_improved,
                "level": decided.level,
                "cases": decided.cases,
                "advisory": decided.advisory,
                "reason": decided.reason,
            }
        return {"mean": self.mean, "values": self.values, "other_source": self.other_source, "against": compared}


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRow:
    """A metric over all versions. `variant` is the label of the cases that it is about; empty for all."""

    metric: str
    kind: Kind
    gate: GateMode
    entries: tuple[Entry, ...]
    variant: str = ""
    cases: int = 0


def rows(found: Shared, policies: Mapping[str, MetricPolicy], *, alpha: float, inference: str) -> list[MetricRow]:
    """The metrics of the shared cases, those that gate first. What only shows is tested all the same, alone."""
    tested = {m: replace(p, gate="warn") if p.gate == "off" else p for m, p in policies.items()}
    decisions = [
        decide_between(found, 0, i, tested, alpha=alpha, inference=inference).metrics
        for i in range(1, len(found.pools))
    ]
    return [
        _row(found, metric, policies[metric], found.cases, [None, *(d.get(metric) for d in decisions)])
        for metric in _ordered(found, policies)
    ]


def variant_rows(found: Shared, policies: Mapping[str, MetricPolicy]) -> list[MetricRow]:
    """The same by variant, where the shared cases are of several; nothing is decided on a part of the cases."""
    labels = dict.fromkeys(label(found.case(0, case).variant) for case in found.cases)
    if len(labels) < 2:
        return []
    nothing: list[MetricDecision | None] = [None] * len(found.pools)
    shown = [m for m in _ordered(found, policies) if policies[m].gate != "off"]
    of = {name: [c for c in found.cases if label(found.case(0, c).variant) == name] for name in labels}
    return [
        replace(_row(found, metric, policies[metric], of[name], nothing), variant=name or "no variant")
        for metric in shown
        for name in labels
    ]


def _ordered(found: Shared, policies: Mapping[str, MetricPolicy]) -> list[str]:
    names = dict.fromkeys(m for i in range(len(found.pools)) for m in found.metrics(i))
    return sorted(names, key=lambda m: _RANK[policies[m].gate])


def _row(
    found: Shared,
    metric: str,
    policy: MetricPolicy,
    cases: Collection[str],
    decisions: Sequence[MetricDecision | None],
) -> MetricRow:
    wanted = set(cases)
    columns = [
        {c: [v for v in vs if v is not None] for c, vs in found.values(i, metric).items() if c in wanted}
        for i in range(len(found.pools))
    ]
    held = [{c for c, vs in column.items() if vs} for column in columns]
    everywhere = set.intersection(*(h for h in held if h)) if any(held) else set()
    flat = [v for column in columns for vs in column.values() for v in vs]
    kind = kind_of(policy, np.array(flat, dtype=np.float64))
    entries = []
    for i, (column, decision) in enumerate(zip(columns, decisions, strict=True)):
        kept = {c: column[c] for c in sorted(everywhere) if column[c]}
        entries.append(
            Entry(
                mean=means({}, kept, ratio=kind in LOG_KINDS)[1],
                values=sum(map(len, kept.values())),
                decision=decision,
                other_source=metric in found.unlike(0, i),
            )
        )
    return MetricRow(metric=metric, kind=kind, gate=policy.gate, entries=tuple(entries), cases=len(everywhere))
