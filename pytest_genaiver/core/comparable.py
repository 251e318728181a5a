"""Stored scores that a different scorer or judge gave say nothing about today's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from pytest_genaiver.core.pooling import Pool, PooledCase

Fingerprints = Mapping[str, str]
"""Metric -> fingerprint of what scored it; a metric that the test itself scored has none."""


def comparable(pool: Pool, now: Fingerprints, metrics: Collection[str]) -> tuple[Pool, list[str]]:
    """The pool with those values alone that today's scorers gave, and the metrics that lost values by it.

    `metrics` are those of the current session, `now` says what scored them there. Of a metric that the session does
    not have the values stay: that it is gone is another matter.
    """
    changed = {
        (session, metric)
        for session, then in pool.scorers.items()
        for metric in metrics
        if then.get(metric) != now.get(metric)
    }
    lost: dict[str, None] = {}
    cases = {name: _kept(case, changed, lost) for name, case in pool.cases.items()}
    return replace(pool, cases=cases), list(lost)


def _kept(case: PooledCase, changed: Collection[tuple[str, str]], lost: dict[str, None]) -> PooledCase:
    scores, sessions = dict(case.scores), dict(case.sessions)
    for metric, origins in case.sessions.items():
        keep = [j for j, session in enumerate(origins) if (session, metric) not in changed]
        if len(keep) == len(origins):
            continue
        lost[metric] = None
        scores[metric] = [case.scores[metric][j] for j in keep]
        sessions[metric] = [origins[j] for j in keep]
        if not keep:
            del scores[metric], sessions[metric]
    return replace(case, scores=scores, sessions=sessions)
