"""Which version to compare with: the one named, else the nearest recorded ancestor."""

from __future__ import annotations

import difflib
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_genaiver.adapters import git, results_file
from pytest_genaiver.core.results import NEWEST, Pool, Version, VersionResults, pool
from pytest_genaiver.errors import ConfigError, ResultsError
from pytest_genaiver.report.parts import BaselineFacts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_genaiver.adapters.tracking.store import SessionRef, Store, VersionRef
    from pytest_genaiver.core.records import PlannedCase
    from pytest_genaiver.version import Surveyed

ENOUGH = 0.8
"""A baseline must hold this share of the session's cases; else the best-covering one serves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What was chosen. `pool` is None where there is none; `warnings` are one-line sentences."""

    pool: Pool | None
    facts: BaselineFacts
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A recorded version that may serve, with its sessions loaded and pooled."""

    pool: Pool
    commit: str | None
    coverage: float


@dataclass(slots=True, kw_only=True)
class Finder:
    """Looks for a baseline of `version` in `store` and in git's history.

    `option` names where the reference came from, for messages.
    """

    store: Store
    surveyed: Surveyed
    version: Version
    option: str = "--genai-baseline"
    _warnings: list[str] = field(default_factory=list)

    def check(self, reference: str) -> None:
        """Refuse a reference that cannot be used, before the first test runs. Raises ConfigError."""
        if reference in ("auto", "none"):
            return
        self._named(reference)

    def find(self, reference: str, cases: Mapping[str, PlannedCase]) -> Baseline:
        """The baseline for these cases. Raises ConfigError for a reference that cannot be used."""
        if reference == "none":
            return _none(f"{self.option} none")
        if reference != "auto":
            found, why = self._named(reference)
            return self._chosen(_candidate(found, cases), why)
        return self._auto(cases)

    def given(self, results: VersionResults, cases: Mapping[str, PlannedCase], why: str) -> Baseline:
        """A baseline that a hook handed over."""
        return self._chosen(_candidate([results], cases), why)

    def _named(self, reference: str) -> tuple[list[VersionResults], str]:
        """The sessions that a reference names, newest first; a session that was cut short serves when named."""
        if reference.endswith(".json"):
            return [self._file(reference)], f"results file {Path(reference).name}"
        ref = self._version_ref(reference)
        if ref.model_id == self.version.model_id or ref.name == self.version.name:
            raise ConfigError(
                f"{self.option} {reference!r} is the version under test itself ({self.version.name}); "
                "name an earlier commit or version, or use auto"
            )
        sessions = self._load(ref, complete_only=True) or self._load(ref, complete_only=False)
        if not sessions:
            raise ConfigError(
                f"{self.option} {reference!r}: version {ref.name} has no recorded results; "
                "run `pytest --genai-version` there first"
            )
        return sessions, f"named as {reference}" if reference != ref.name else "named"

    def _file(self, path: str) -> VersionResults:
        try:
            return results_file.read(path)
        except ResultsError as error:
            raise ConfigError(f"{self.option} {path!r}: {error}") from error

    def _version_ref(self, reference: str) -> VersionRef:
        if re.fullmatch(r"m-[0-9a-f]{32}", reference):
            if found := self.store.version_by_id(reference):
                return found
            raise ConfigError(f"{self.option} {reference!r}: no such model in the store{self._near(reference)}")
        if found := self.store.version_named(reference):
            return found
        head = self.surveyed.head
        sha = git.resolve(head.toplevel, reference) if head else None
        if sha is None:
            raise ConfigError(
                f"{self.option} {reference!r} is no git ref, commit, recorded version, model id or results file"
                f"{self._near(reference)}"
            )
        return self._recorded(reference, sha)

    def _recorded(self, reference: str, sha: str) -> VersionRef:
        found = [v for v in self.store.versions_of_commits([sha], self.version.app) if self._same_variant(v)]
        if not found:
            raise ConfigError(
                f"{self.option} {reference!r} is commit {sha[:8]}, of which no session is recorded"
                f"{self._near_recorded(sha)}; check it out and run `pytest --genai-version` there, or use auto"
            )
        return found[0]

    def _near(self, reference: str) -> str:
        names = [*self.store.version_names(), "auto", "none"]
        head = self.surveyed.head
        refs = git.near_refs(head.toplevel, reference) if head else ()
        near = [*refs, *difflib.get_close_matches(reference, names, n=5)][:5]
        if near:
            return f"; near: {', '.join(near)}"
        return f"; recorded: {', '.join(names[:5])}" if len(names) > 2 else "; nothing is recorded yet"

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
            return _none(f"{what} there is no ancestor; name a results file or a version with {self.option}")
        target: git.Target | None = git.target(head.toplevel, head, self.surveyed.ci)
        best: tuple[Candidate, str] | None = None
        why = ""
        while target is not None:
            why = target.why
            for candidate in self._candidates(target.start, cases):
                if candidate.coverage >= ENOUGH:
                    return self._chosen(candidate, why)
                if best is None or candidate.coverage > best[0].coverage:
                    best = candidate, why
            target = target.then
        if best is not None:
            self._warnings.append(
                f"no recorded ancestor holds {ENOUGH:.0%} of these cases; the best-covering one holds "
                f"{best[0].coverage:.0%}"
            )
            return self._chosen(*best)
        return self._nothing(head, why)

    def _nothing(self, head: git.Head, why: str) -> Baseline:
        reason = f"no recorded ancestor (searched from: {why})"
        if not head.shallow:
            return _none(reason)
        return _none(reason, _SHALLOW)

    def _candidates(self, start: str | None, cases: Mapping[str, PlannedCase]) -> Iterator[Candidate]:
        """Recorded versions with a complete session: along first parents, nearest first; if none, any ancestor."""
        head = self.surveyed.head
        if start is None or head is None:
            return
        found = False
        for batch in git.ancestors(head.toplevel, start):
            for ref in self._by_distance(batch):
                for candidate in self._loaded(ref, cases):
                    found = True
                    yield candidate
        if found:
            return
        seen = [
            r for batch in git.ancestors(head.toplevel, start, first_parent=False) for r in self._by_distance(batch)
        ]
        for ref in sorted(seen, key=lambda r: self._distance(r.commit) or 0):
            yield from self._loaded(ref, cases)

    def _by_distance(self, shas: Sequence[str]) -> list[VersionRef]:
        """The recorded versions of these commits in the order of the commits, never the one under test."""
        place = {sha: i for i, sha in enumerate(shas)}
        found = self.store.versions_of_commits(shas, self.version.app)
        others = [v for v in found if v.model_id != self.version.model_id and self._same_variant(v)]
        return sorted(others, key=lambda v: (place[v.commit or ""], v.created_ms))

    def _same_variant(self, ref: VersionRef) -> bool:
        return ref.variant == self.version.variant

    def _loaded(self, ref: VersionRef, cases: Mapping[str, PlannedCase]) -> Iterator[Candidate]:
        if sessions := self._load(ref, complete_only=True):
            yield _candidate(sessions, cases)

    def _load(self, ref: VersionRef, *, complete_only: bool) -> list[VersionResults]:
        """Sessions of a version, newest first, until every case has as many values as a pool keeps."""
        loaded: list[VersionResults] = []
        for session in self.store.sessions(ref.model_id):
            if complete_only and not session.complete:
                continue
            if (results := self._read(session)) is not None:
                loaded.append(results)
            if _full(loaded):
                break
        return loaded

    def _read(self, session: SessionRef) -> VersionResults | None:
        """One session's results; one that cannot be read is named, and the others serve."""
        try:
            return results_file.parse(self.store.read_results(session), f"run {session.run_id}")
        except ResultsError as error:
            self._warnings.append(f"a recorded session was left out: {error}")
            return None

    def _distance(self, commit: str | None) -> int | None:
        head = self.surveyed.head
        tip = (head.tested or head.commit) if head else None
        if head is None or commit is None or tip is None:
            return None
        return git.distance(head.toplevel, commit, tip)

    def _chosen(self, candidate: Candidate, why: str) -> Baseline:
        version = candidate.pool.version
        newest = candidate.pool.sessions[0]
        facts = BaselineFacts(
            why=why,
            name=version.name,
            commit=version.commit,
            model_id=version.model_id,
            distance=self._distance(version.commit),
            age=_age(newest.started),
            coverage=candidate.coverage,
            sessions=len(candidate.pool.sessions),
        )
        return Baseline(pool=candidate.pool, facts=facts, warnings=tuple(self._warnings))


_SHALLOW = (
    "this is a shallow clone, whose visible history ends early: run `git fetch --deepen=100` "
    "(or `git fetch --unshallow`; on GitHub: `fetch-depth: 0`) and try again"
)


def _none(why: str, *warnings: str) -> Baseline:
    return Baseline(pool=None, facts=BaselineFacts(why=why), warnings=warnings)


def _candidate(sessions: Sequence[VersionResults], cases: Mapping[str, PlannedCase]) -> Candidate:
    pooled = pool(sessions)
    return Candidate(pool=pooled, commit=pooled.version.commit, coverage=coverage(pooled, cases))


def coverage(baseline: Pool, cases: Mapping[str, PlannedCase]) -> float:
    """The share of these cases that the baseline holds: by id and digest, or renamed (function and digest)."""
    if not cases:
        return 1.0
    held = {(c.function, c.digest) for c in baseline.cases.values()}
    known = {(n, c.digest) for n, c in baseline.cases.items()}
    return sum((n, c.digest) in known or (c.function, c.digest) in held for n, c in cases.items()) / len(cases)


def _full(sessions: Sequence[VersionResults]) -> bool:
    return sum(s.session.repeats for s in sessions) >= NEWEST


def _age(started: str) -> float | None:
    from datetime import datetime

    try:
        return max(0.0, time.time() - datetime.fromisoformat(started.replace("Z", "+00:00")).timestamp())
    except ValueError:
        return None
