"""Recorded sessions as candidates for a baseline: loaded once, pooled by version, measured by what they cover."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import dropwhile, islice
from typing import TYPE_CHECKING

from pytest_genaiver.adapters import results_file
from pytest_genaiver.adapters.tracking import snapshots
from pytest_genaiver.adapters.tracking.sessions import sessions_of
from pytest_genaiver.core.matching import match
from pytest_genaiver.core.pooling import NEWEST, Pool, PooledCase, pool
from pytest_genaiver.core.variants import full_id
from pytest_genaiver.errors import GenaiverError, ResultsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_genaiver.adapters.tracking.store import SessionRef, Store, VersionRef
    from pytest_genaiver.core.records import PlannedCase
    from pytest_genaiver.core.results import VersionResults
    from pytest_genaiver.core.snapshot import Snapshot
    from pytest_genaiver.core.variants import Case

MOST_READ = 5 * NEWEST
"""Sessions of one version that are read at most: a case that is always skipped never fills its pool."""


LOOK_AHEAD = 8
"""Versions whose sessions are looked up at once, doubled each time: mostly the nearest few suffice, and of hundreds
that were cut short each alone would cost a search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A recorded version that may serve, with its sessions loaded and pooled."""

    pool: Pool
    coverage: float
    sessions: tuple[VersionResults, ...]


class Recorded:
    """Reads what is on record, each once; `warnings` names in one line each what could not be read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._files: dict[str, VersionResults] = {}
        self._runs: dict[str, VersionResults | None] = {}
        self._of_commit: dict[str, list[VersionRef]] = {}
        self._found: dict[str, VersionRef] = {}
        self._sessions: dict[str, list[SessionRef]] = {}
        self._look_ahead = LOOK_AHEAD
        self.warnings: list[str] = []

    def versions(self, shas: Sequence[str], app: str) -> list[VersionRef]:
        """The clean versions of these commits, nearest first as the commits are, oldest first of one commit."""
        if new := [sha for sha in shas if sha not in self._of_commit]:
            self._of_commit |= {sha: [] for sha in new}
            for ref in self._store.versions_of_commits(new, app):
                self._of_commit[ref.commit or ""].append(ref)
            self._found |= {ref.model_id: ref for sha in new for ref in self._of_commit[sha]}
        return [ref for sha in shas for ref in self._of_commit[sha]]

    def file(self, path: str) -> VersionResults:
        """The results in a file, as it was first read: a test that changes the folder must not change its meaning.

        Raises ResultsError.
        """
        if path not in self._files:
            self._files[path] = results_file.read(path)
        return self._files[path]

    def sessions(
        self, ref: VersionRef, cases: Mapping[str, Case] | None, *, cut_short: bool = False
    ) -> list[VersionResults]:
        """Complete sessions of a version, newest first; with `cut_short` the others.

        As many as fill the pool of each of these cases; one, where they are not known yet.
        """
        loaded: list[VersionResults] = []
        fitting = [s for s in self._sessions_of(ref) if s.complete != cut_short]
        # What ran under the tests of another commit stands in where there is nothing else, and is never mixed in.
        own = [s for s in fitting if s.tests_from is None]
        for session in own or fitting:
            if (results := self.read(session)) is not None:
                loaded.append(results)
                if cases is None or is_full(loaded, cases):
                    break
        return loaded

    def forget(self, ref: VersionRef) -> None:
        """Ask the store anew which sessions the version has: one has been recorded meanwhile."""
        self._sessions.pop(ref.model_id, None)

    def _sessions_of(self, ref: VersionRef) -> list[SessionRef]:
        """Those of a version that was found among commits come with those of the versions behind it."""
        if ref.model_id not in self._found:
            return self._store.sessions(ref.model_id)
        if ref.model_id not in self._sessions:
            behind = dropwhile(lambda other: other.model_id != ref.model_id, self._found.values())
            unknown = (other for other in behind if other.model_id not in self._sessions)
            self._sessions |= sessions_of(self._store, list(islice(unknown, self._look_ahead)))
            self._look_ahead *= 2
        return self._sessions[ref.model_id]

    def snapshot(self, results: VersionResults) -> Snapshot | None:
        """What the session of these results saw of the app; None where it left no snapshot, or none can be read."""
        run_id = results.session.run_id
        if results.snapshot is not None or run_id is None or run_id not in self._runs:
            return results.snapshot
        try:
            return snapshots.of_run(self._store, run_id)
        except GenaiverError as error:
            self.warnings.append(str(error))
            return None

    def read(self, session: SessionRef) -> VersionResults | None:
        """One session's results; one that cannot be read is named, and the others serve."""
        if session.run_id not in self._runs:
            try:
                results = results_file.parse(self._store.read_results(session), f"run {session.run_id}")
            except ResultsError as error:
                self.warnings.append(f"a recorded session was left out: {error}")
                results = None
            self._runs[session.run_id] = results
        return self._runs[session.run_id]


def candidate_of(
    sessions: Sequence[VersionResults],
    cases: Mapping[str, PlannedCase],
    not_collected: Callable[[str], bool] = lambda _: False,
) -> Candidate:
    """The sessions of one version, newest first, pooled. `not_collected` is `match`'s."""
    pooled = pool(sessions)
    return Candidate(pool=pooled, coverage=coverage(pooled, cases, not_collected), sessions=tuple(sessions))


def has_value(case: PooledCase) -> bool:
    """Whether the case holds at least one value of a metric."""
    return any(value is not None for values in case.scores.values() for value in values)


def coverage(
    baseline: Pool, cases: Mapping[str, PlannedCase], not_collected: Callable[[str], bool] = lambda _: False
) -> float:
    """The share of these cases that the baseline holds a value of, and that would be compared with it."""
    if not cases:
        return 1.0
    found = match({n: c for n, c in baseline.cases.items() if has_value(c)}, cases, not_collected=not_collected)
    return (len(found.same) + len(found.renamed)) / len(cases)


def is_full(sessions: Sequence[VersionResults], cases: Mapping[str, Case]) -> bool:
    """Whether older sessions would add nothing to the pool of these cases, or so many were read that they may not."""
    trees: dict[str, str | None] = {}
    pooled = [s for s in sessions if trees.setdefault(s.version.name, s.version.tree) == s.version.tree]
    runs = Counter(full_id(c) for s in pooled for c in s.cases.values() for _ in range(s.session.repeats))
    return len(sessions) >= MOST_READ or all(runs[full_id(c)] >= NEWEST for c in cases.values())
