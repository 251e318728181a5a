"""The pool of sessions that is a baseline."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from pytest_genaiver.core.sources import measured_alike, sources_of
from pytest_genaiver.core.variants import full_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_genaiver.core.policy import MetricPolicy
    from pytest_genaiver.core.results import CaseResult, SessionFacts, Version, VersionResults

NEWEST = 20
"""Values a case and metric that a pool keeps, the newest ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineFacts:
    """What was chosen as baseline and why. `name` is None where there is none, and `why` then says why.

    `distance` is in commits (None: not an ancestor, or unknown), `age` in seconds, `coverage` the share of this
    session's cases that the baseline holds, `sessions` how many of its own were pooled, `ancestors` how many of its
    unchanged ancestors'. `deployed_to` is the environment that it was chosen by, `deployed_ago` since when it runs
    there, in seconds. `fresh`: it runs beside this session.
    """

    why: str
    name: str | None = None
    commit: str | None = None
    model_id: str | None = None
    distance: int | None = None
    age: float | None = None
    coverage: float | None = None
    sessions: int = 0
    ancestors: int = 0
    deployed_to: str | None = None
    deployed_ago: float | None = None
    fresh: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledCase:
    """One baseline case. `sessions[metric][j]` is the session that `scores[metric][j]` came from.

    `id` carries the variant, if the case has one.
    """

    id: str
    digest: str
    function: str
    scores: dict[str, list[float | None]]
    sessions: dict[str, list[str]]
    gate: str = "fail"
    variant: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A baseline: sessions pooled, newest first.

    `trees` are the distinct trees that the given sessions of this version tested, newest first; only sessions
    of the first one are in the pool. `policy` is that of the newest session, `sources` what measured the metrics.
    """

    version: Version
    sessions: tuple[SessionFacts, ...]
    cases: dict[str, PooledCase]
    trees: tuple[str | None, ...]
    policy: tuple[MetricPolicy, ...] = ()
    sources: dict[str, str] = field(default_factory=dict)


def pool(sessions: Sequence[VersionResults]) -> Pool:
    """Pool the sessions of a baseline version, newest first; its ancestors' sessions may follow, nearest first.

    The first session's version is the baseline, and its sessions alone say which cases there are. Sessions of
    one version that tested another tree than its newest are left out. Of each session the balanced prefix
    counts (retries of failed cases would bias the pool), of each case the newest 20 values of a metric, and
    only those recorded under the digest that the case has in the newest session that holds it. What a version
    was found to have changed ends the reach into its ancestors: a session's verdict of all, a moved metric its own.
    Values that another judge, scorer or price list gave than the newest session's are left out.

    Raises ValueError when there is no session.
    """
    if not sessions:
        raise ValueError("no session to pool")
    version = sessions[0].version
    newest_tree: dict[str, str | None] = {}
    same = [s for s in sessions if newest_tree.setdefault(s.version.name, s.version.tree) == s.version.tree]
    reaching = list(_reach(measured_alike(same)))
    by_id = [({full_id(c): c for c in s.cases.values()}, s.session, closed) for s, closed in reaching]
    newest: dict[str, CaseResult] = {}
    for results in same:
        if results.version.name == version.name:
            for case in results.cases.values():
                newest.setdefault(full_id(case), case)
    return Pool(
        version=version,
        sessions=tuple(results.session for results, _ in reaching),
        cases={name: _pooled(name, case, by_id) for name, case in newest.items()},
        trees=tuple(dict.fromkeys(s.version.tree for s in sessions if s.version.name == version.name)),
        policy=tuple(sessions[0].policy),
        sources=sources_of(same),
    )


def _reach(sessions: Sequence[VersionResults]) -> Iterator[tuple[VersionResults, frozenset[str]]]:
    """The sessions that pool, each with the metrics of which newer versions were found to differ from it."""
    closed: set[str] = set()
    for _, group in groupby(sessions, key=lambda s: s.version.name):
        members = list(group)
        yield from ((member, frozenset(closed)) for member in members)
        closed.update(metric for member in members for metric in member.session.moved)
        if any(not member.session.unchanged for member in members):
            return


def _pooled(
    name: str, newest: CaseResult, sessions: Iterable[tuple[dict[str, CaseResult], SessionFacts, frozenset[str]]]
) -> PooledCase:
    scores: dict[str, list[float | None]] = {}
    origins: dict[str, list[str]] = {}
    for cases, session, closed in sessions:
        case = cases.get(name)
        if case is None or case.digest != newest.digest:
            continue
        for metric, values in case.scores.items():
            if metric in closed:
                continue
            taken = scores.setdefault(metric, [])
            room = NEWEST - sum(value is not None for value in taken)
            added = _newest_values(values[: session.repeats], room)
            taken += added
            origins.setdefault(metric, []).extend([session.id] * len(added))
    return PooledCase(
        id=name,
        digest=newest.digest,
        function=newest.function,
        scores=scores,
        sessions=origins,
        gate=newest.gate,
        variant=newest.variant,
        params=newest.params,
    )


def _newest_values(values: Sequence[float | None], room: int) -> list[float | None]:
    """The last values that fill the room; missing ones keep their place and take no room."""
    newest: list[float | None] = []
    for value in reversed(values):
        if room <= 0:
            break
        newest.append(value)
        room -= value is not None
    return newest[::-1]
