"""Which version to compare with: the one named, else the nearest recorded ancestor."""

from __future__ import annotations

import difflib
import re
import time
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_genaiver.adapters import git
from pytest_genaiver.baseline.deployed import PREFIX, Running, told
from pytest_genaiver.baseline.recorded import Candidate, Recorded, candidate_of, has_value, is_full
from pytest_genaiver.core.identity import sanitise
from pytest_genaiver.core.pooling import BaselineFacts, pool
from pytest_genaiver.errors import ConfigError, ResultsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pytest_genaiver.adapters.tracking.store import Store, VersionRef
    from pytest_genaiver.core.pooling import Pool
    from pytest_genaiver.core.records import PlannedCase
    from pytest_genaiver.core.results import Version, VersionResults
    from pytest_genaiver.core.snapshot import Snapshot
    from pytest_genaiver.version import Surveyed

ENOUGH = 0.8
"""A baseline must hold this share of the session's cases; else the best-covering one serves."""

MOST_ANCESTORS = 40
"""Recorded ancestors that are looked at for a pool: each costs a look-up, and a download for each session."""

NEAREST = 50
"""Commits of the first look-up: where each is recorded, as in CI, loading hundreds of versions takes longest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What was chosen. `pool` is None where there is none; `warnings` are one-line sentences.

    `snapshot` is that of its newest session; None where that recorded none.
    """

    pool: Pool | None
    facts: BaselineFacts
    warnings: tuple[str, ...] = ()
    snapshot: Snapshot | None = None


@dataclass(slots=True, kw_only=True)
class Finder:
    """Looks for a baseline of `version` in `store` and in git's history.

    `option` names where the reference came from, for messages. `not_collected(id)` is True for a case that the
    session left out by its own selection.
    """

    store: Store
    surveyed: Surveyed
    version: Version
    option: str = "--genai-baseline"
    not_collected: Callable[[str], bool] = lambda _: False
    _recorded: Recorded = field(init=False)
    _running: Running = field(init=False)
    _warnings: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self._recorded = Recorded(self.store)
        self._running = Running(store=self.store, version=self.version, option=self.option)
        self._warnings = self._recorded.warnings

    def check(self, reference: str) -> None:
        """Refuse a reference that cannot be used, before the first test runs. Raises ConfigError."""
        if reference not in ("auto", "none") and not self._running.itself(reference):
            self._named(reference, None)

    def find(self, reference: str, cases: Mapping[str, PlannedCase]) -> Baseline:
        """The baseline for these cases. Raises ConfigError for a reference that cannot be used."""
        if reference == "none":
            return _none(f"{self.option} none")
        if reference == "auto":
            return self._auto(cases)
        if self._running.itself(reference):
            return _none(f"{reference} is this very version")
        found, why = self._named(reference, cases)
        chosen = self._chosen(candidate_of(found, cases, self.not_collected), why, cases)
        return replace(chosen, facts=told(chosen.facts, self._running.now(reference)))

    def given(self, results: VersionResults, cases: Mapping[str, PlannedCase], why: str) -> Baseline:
        """A baseline that a hook handed over."""
        return self._chosen(candidate_of([results], cases, self.not_collected), why, {})

    def _named(self, reference: str, cases: Mapping[str, PlannedCase] | None) -> tuple[list[VersionResults], str]:
        """The sessions that a reference names, newest first; a session that was cut short serves when named."""
        if reference.endswith(".json") and not reference.startswith(PREFIX):
            try:
                return [self._recorded.file(reference)], f"results file {Path(reference).name}"
            except ResultsError as error:
                raise ConfigError(f"{self.option}: {error}") from error
        ref = self._version_ref(reference)
        if ref.model_id == self.version.model_id:
            raise ConfigError(
                f"{self.option}: {reference!r} is the version under test itself ({self.version.name}); "
                "name an earlier commit or version, or use auto"
            )
        sessions = self._recorded.sessions(ref, cases) or self._recorded.sessions(ref, cases, cut_short=True)
        if not sessions:
            raise ConfigError(
                f"{self.option}: {reference!r}: version {ref.name} has no recorded results; "
                "run `pytest --genai-version` there first"
            )
        return sessions, "named" if reference == ref.name else f"named as {reference}"

    def _version_ref(self, reference: str) -> VersionRef:
        if (running := self._running.now(reference)) and (found := self.store.version_by_id(running.model_id)):
            return found
        if re.fullmatch(r"m-[0-9a-f]{32}", reference):
            if found := self.store.version_by_id(reference):
                return found
            raise ConfigError(f"{self.option}: {reference!r}: no such model in the store{self._near(reference)}")
        if found := self.store.version_named(reference):
            return found
        head = self.surveyed.head
        if head and (sha := git.resolve(head.toplevel, reference)):
            return self._of_commit(reference, sha)
        if found := self.store.version_named(sanitise(reference)):
            return found
        raise ConfigError(
            f"{self.option}: {reference!r} is no git ref, commit, recorded version, model id or results file"
            f"{self._near(reference)}"
        )

    def _of_commit(self, reference: str, sha: str) -> VersionRef:
        """The version recorded for a commit; this one only where there is no other, to be refused as itself."""
        found = [v for v in self.store.versions_of_commits([sha], self.version.app) if self._same_variant(v)]
        if not found:
            variant = f" as variant {self.version.variant}" if self.version.variant else ""
            raise ConfigError(
                f"{self.option}: {reference!r} is commit {sha[:8]}, of which no session is recorded{variant}"
                f"{self._near_recorded(sha)}; check it out and run `pytest --genai-version` there, or use auto"
            )
        return min(found, key=lambda v: (v.model_id == self.version.model_id, v.created_ms))

    def _near(self, reference: str) -> str:
        """What is like the reference, else what is recorded."""
        names = [name for name in self.store.version_names() if name != self.version.name]
        head = self.surveyed.head
        refs = git.near_refs(head.toplevel, reference) if head else ()
        words = difflib.get_close_matches(reference, ["auto", "none"], cutoff=0.75)
        near = [*words, *refs, *difflib.get_close_matches(reference, names, n=5)][:5]
        if near:
            return f"; near: {', '.join(near)}"
        return f"; recorded: {', '.join(names[:5])}" if names else "; no other version is recorded"

    def _near_recorded(self, sha: str) -> str:
        """The recorded version nearest to a commit that has none."""
        head = self.surveyed.head
        if head is None:
            return ""
        for batch in git.ancestors(head.toplevel, sha):
            found = self._by_distance(batch)
            if found:
                return f"; the nearest recorded ancestor is {found[0].name}"
        return ""

    def _auto(self, cases: Mapping[str, PlannedCase]) -> Baseline:
        head = self.surveyed.head
        if head is None or head.commit is None:
            what = "outside git" if head is None else "without a commit"
            return _none(f"{what} there is no ancestor")
        last = git.target(head.toplevel, head, self.surveyed.ci)
        targets = [last]
        while last.then is not None:
            targets.append(last := last.then)
        best: tuple[Candidate, str] | None = None
        for target in targets:
            for candidate in self.candidates(target, cases):
                if candidate.coverage >= ENOUGH:
                    return self._chosen(candidate, target.why, cases)
                if best is None or candidate.coverage > best[0].coverage:
                    best = candidate, target.why
        if best is not None:
            self._warnings.append(f"no ancestor holds {ENOUGH:.0%} of these cases: best {best[0].coverage:.0%}")
            return self._chosen(*best, cases)
        return self._nothing(head, last)

    def _nothing(self, head: git.Head, target: git.Target) -> Baseline:
        where, colon, trouble = target.why.partition(": ")
        reason = f"no recorded ancestor ({where})" if target.start else f"no ancestor ({where})"
        warnings = [*self._warnings, f"baseline: {trouble}"] if colon else self._warnings
        return _none(reason, *warnings, *(_SHALLOW if head.shallow else ()))

    def candidates(self, target: git.Target, cases: Mapping[str, PlannedCase]) -> Iterator[Candidate]:
        """Recorded versions with a complete session: along first parents, nearest first; then any ancestor."""
        head = self.surveyed.head
        if target.start is None or head is None:
            return
        if target.then is not None:
            # Of a dirty tree: that commit alone, its ancestors are searched from where a clean tree starts.
            for ref in self._by_distance([target.start]):
                yield from self._loaded(ref, cases)
            return
        seen: set[str] = set()
        for ref in self._recorded_from(head, target.start):
            seen.add(ref.model_id)
            yield from self._loaded(ref, cases)
        others = [
            ref
            for batch in git.ancestors(head.toplevel, target.start, first_parent=False)
            for ref in self._by_distance(batch)
            if ref.model_id not in seen
        ]
        for ref in sorted(others, key=lambda r: self.distance(r.commit) or 0):
            yield from self._loaded(ref, cases)

    def _by_distance(self, shas: Sequence[str]) -> list[VersionRef]:
        """The recorded versions of these commits in the order of the commits, never the one under test."""
        found = self._recorded.versions(shas, self.version.app)
        return [v for v in found if v.model_id != self.version.model_id and self._same_variant(v)]

    def _same_variant(self, ref: VersionRef) -> bool:
        return ref.variant == self.version.variant

    def _loaded(self, ref: VersionRef, cases: Mapping[str, PlannedCase]) -> Iterator[Candidate]:
        """None where there is no complete session, or none that holds a value: the provider was down."""
        if sessions := self._recorded.sessions(ref, cases):
            candidate = candidate_of(sessions, cases, self.not_collected)
            if any(map(has_value, candidate.pool.cases.values())):
                yield candidate

    def with_ancestors(
        self, sessions: Sequence[VersionResults], cases: Mapping[str, PlannedCase]
    ) -> list[VersionResults]:
        """And the sessions of unchanged ancestors, nearest first, until every case's pool is full."""
        found, newest = list(sessions), list(sessions)
        head, commit = self.surveyed.head, sessions[0].version.commit
        if head is None or commit is None or sessions[0].session.run_id is None:
            return found
        for ref in islice(self._recorded_from(head, commit), MOST_ANCESTORS):
            if not all(s.session.unchanged for s in newest) or is_full(found, cases):
                break
            if ref.model_id != sessions[0].version.model_id:
                newest = self._recorded.sessions(ref, cases)
                found += newest
        return found

    def _recorded_from(self, head: git.Head, commit: str) -> Iterator[VersionRef]:
        """The recorded versions along first parents, nearest first."""
        for i, batch in enumerate(git.ancestors(head.toplevel, commit)):
            for part in (batch,) if i else (batch[:NEAREST], batch[NEAREST:]):
                yield from self._by_distance(part)

    def distance(self, commit: str | None) -> int | None:
        """Commits between; the merge that a CI service made to test a pull request is none of them."""
        head = self.surveyed.head
        tip = (head.tested or head.commit) if head else None
        if head is None or commit is None or tip is None:
            return None
        found = git.distance(head.toplevel, commit, tip)
        return found - 1 if found and head.tested else found

    def _chosen(self, candidate: Candidate, why: str, cases: Mapping[str, PlannedCase]) -> Baseline:
        pooled = pool(self.with_ancestors(candidate.sessions, cases))
        version = pooled.version
        newest = pooled.sessions[0]
        facts = BaselineFacts(
            why=why,
            name=version.name,
            commit=version.commit,
            model_id=version.model_id,
            distance=self.distance(version.commit),
            age=_age(newest.started),
            coverage=candidate.coverage,
            sessions=len(candidate.pool.sessions),
            ancestors=len(pooled.sessions) - len(candidate.pool.sessions),
        )
        snapshot = self._recorded.snapshot(candidate.sessions[0])
        return Baseline(pool=pooled, facts=facts, warnings=tuple(self._warnings), snapshot=snapshot)


_SHALLOW = (
    "shallow clone: its history ends early; run `git fetch --deepen=100`",
    "or fetch all: `git fetch --unshallow`; in actions/checkout: fetch-depth: 0",
)


def _none(why: str, *warnings: str) -> Baseline:
    return Baseline(pool=None, facts=BaselineFacts(why=why), warnings=warnings)


def _age(started: str) -> float | None:
    from datetime import datetime

    try:
        return max(0.0, time.time() - datetime.fromisoformat(started.replace("Z", "+00:00")).timestamp())
    except ValueError:
        return None
