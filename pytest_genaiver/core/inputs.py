"""From the gate's plain mappings to matrices: which metrics are judged, on which cases."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pytest_genaiver.core.latency import INTERLEAVED
from pytest_genaiver.core.sample import Metric, kind_of, matrix

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_genaiver.core.policy import MetricPolicy
    from pytest_genaiver.core.sample import CaseValues, Floats, Ints, Scores

    Labels = Mapping[str, Mapping[str, Sequence[object]]]


def build_metrics(
    baseline: Scores, current: Scores, policies: Mapping[str, MetricPolicy], sessions: Labels | None
) -> list[Metric]:
    """The metrics that have a policy, are not off, and that some side knows, by name.

    A case belongs to a metric when it holds a value for it on some side; a side that never scored the case, though
    it ran it, counts as one missing value.
    """
    known = _all_cases(baseline) & _all_cases(current)
    return [
        _metric(replace(policies[name], name=name), known, baseline, current, sessions)
        for name in sorted(policies)
        if policies[name].gate != "off" and (name in baseline or name in current)
    ]


def _all_cases(scores: Scores) -> set[str]:
    return {case for values in scores.values() for case in values}


def _metric(
    policy: MetricPolicy, known: set[str], baseline: Scores, current: Scores, sessions: Labels | None
) -> Metric:
    name = policy.name
    before: CaseValues = baseline.get(name, {})
    now: CaseValues = current.get(name, {})
    both = sorted(known & (before.keys() | now.keys()))
    others = sorted(now.keys() - known)
    base, base_lengths = matrix(before, both)
    values, lengths = matrix(now, both)
    alone, _ = matrix(now, others)
    held = np.flatnonzero(np.isfinite(np.hstack([base, values])).any(axis=1))
    cases = tuple(both[row] for row in held.tolist())
    gone, _ = matrix(before, sorted(before.keys() - known))
    kind = kind_of(policy, np.concatenate([part.ravel() for part in (base, values, alone, gone)]))
    if kind == "binary":
        base, values, alone = _cut(base), _cut(values), _cut(alone)
    base = base[held]
    new = not (np.isfinite(base).any() or np.isfinite(gone).any())
    return Metric(
        policy=policy,
        kind=kind,
        new=new,
        cases=cases,
        base=base,
        base_missing=0 if new else int(base_lengths[held].sum() - np.isfinite(base).sum()),
        current=values[held],
        lengths=lengths[held],
        others=alone,
        other_cases=tuple(others),
        sessions=_sessions(base, cases, None if sessions is None else sessions.get(name, {}))
        if kind == "latency"
        else None,
    )


def _cut(values: Floats) -> Floats:
    return np.where(np.isfinite(values), (values >= 0.5).astype(np.float64), np.nan)


def _sessions(base: Floats, cases: Sequence[str], labels: Mapping[str, Sequence[object]] | None) -> Ints | None:
    """The number of each baseline value's session; None where all were measured in this session."""
    held = np.isfinite(base)
    if labels is None:
        return np.where(held, 0, -1)
    numbers: dict[object, int] = {}
    coded = np.full(base.shape, -1, dtype=np.int64)
    for row, case in enumerate(cases):
        known = [*labels.get(case, ())][: base.shape[1]]
        padded = [*known, *[None] * (base.shape[1] - len(known))]
        coded[row] = [numbers.setdefault(label, len(numbers)) for label in padded]
    coded[~held] = -1
    if held.any() and bool((coded[held] == numbers.get(INTERLEAVED, -2)).all()):
        return None
    return coded
