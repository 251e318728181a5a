"""What measured a metric: values that another judge, scorer or price list gave are neither pooled nor compared."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pytest_genaiver.core.pooling import Pool
    from pytest_genaiver.core.results import VersionResults


def sources_of(sessions: Sequence[VersionResults]) -> dict[str, str]:
    """Metric -> what measured it in the first of these sessions, newest first, that holds it; "" for the test."""
    found: dict[str, str] = {}
    for session in sessions:
        for metric in session.metric_names():
            found.setdefault(metric, session.sources.get(metric, ""))
    return found


def measured_alike(sessions: Sequence[VersionResults]) -> list[VersionResults]:
    """The sessions, newest first, without the values that something else measured than in the newest one."""
    newest = sources_of(sessions)
    return [_without(session, unlike(newest, session)) for session in sessions]


def unlike(sources: Mapping[str, str], session: VersionResults) -> tuple[str, ...]:
    """The metrics that something else measured in this session."""
    return tuple(m for m in session.metric_names() if m in sources and sources[m] != session.sources.get(m, ""))


def pool_without(pool: Pool, metrics: Collection[str]) -> Pool:
    """The pool as if these metrics had never been scored."""
    if not metrics:
        return pool
    return replace(
        pool,
        cases={
            name: replace(
                case,
                scores={m: values for m, values in case.scores.items() if m not in metrics},
                sessions={m: labels for m, labels in case.sessions.items() if m not in metrics},
            )
            for name, case in pool.cases.items()
        },
    )


def _without(session: VersionResults, metrics: Collection[str]) -> VersionResults:
    if not metrics:
        return session
    cases = {
        name: replace(case, scores={m: values for m, values in case.scores.items() if m not in metrics})
        for name, case in session.cases.items()
    }
    return replace(session, cases=cases)
