"""The versions that sessions on today's branches compare with: they must stay on record."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from pytest_genaiver.adapters import git
from pytest_genaiver.baseline.finder import ENOUGH, Finder
from pytest_genaiver.core.records import PlannedCase
from pytest_genaiver.core.results import Version
from pytest_genaiver.core.variants import full_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_genaiver.adapters.tracking.store import Store
    from pytest_genaiver.core.results import VersionResults
    from pytest_genaiver.version import Surveyed

_LOOK = 3
"""Recorded versions that are looked at from a commit: of the nearest it is not known whether it held all cases."""


def pooled_versions(store: Store, surveyed: Surveyed, variants: Iterable[str | None]) -> dict[str, str]:
    """Model id -> the branch, of every version in the pool of a baseline that is in use.

    In use is what a session compares with that runs at the end of a branch (local or of a remote), on a new branch
    from there, or at what is checked out: the nearest recorded versions from the branch's last commit, from where it
    left the target branch and, of the target branch, from its last commit but one; and what is pooled with them.
    """
    head = surveyed.head
    if head is None or head.commit is None:
        return {}
    starts = _starts(surveyed, head)
    found: dict[str, str] = {}
    for variant in variants:
        finder = Finder(store=store, surveyed=surveyed, version=Version(name="", app=surveyed.app, variant=variant))
        for start, branch in starts.items():
            for results in _pool(finder, start):
                found.setdefault(results.version.model_id or "", branch)
    return found


def _starts(surveyed: Surveyed, head: git.Head) -> dict[str, str]:
    """Commit from which a search for a baseline may begin -> the branch that it is of."""
    top = head.toplevel
    ends = {**git.tips(top), "HEAD": head.commit or ""}
    _, ref = git.target_ref(top, surveyed.ci)
    onto = git.resolve(top, ref) if ref else None
    starts: dict[str, str] = {}
    for branch, tip in ends.items():
        starts.setdefault(tip, branch)
        if onto is not None and (base := git.merge_base(top, tip, onto)):
            starts.setdefault(base, branch)
    now = git.target(top, head, surveyed.ci)
    for commit in (now.start, now.then and now.then.start, onto and git.resolve(top, f"{onto}~1")):
        if commit:
            starts.setdefault(commit, "HEAD")
    return starts


def _pool(finder: Finder, start: str) -> Iterator[VersionResults]:
    """The sessions that a search from this commit would pool, whichever of the cases the session then has."""
    target = git.Target(start=start, why="", branch=None)
    nearest = list(islice(finder.candidates(target, {}), _LOOK))
    widest = max((len(c.pool.cases) for c in nearest), default=0)
    for candidate in nearest:
        yield from finder.with_ancestors(candidate.sessions, _planned(candidate.sessions[0]))
        if len(candidate.pool.cases) >= ENOUGH * widest:
            return


def _planned(results: VersionResults) -> dict[str, PlannedCase]:
    return {
        full_id(c): PlannedCase(id=c.id, digest=c.digest, function=c.function, variant=c.variant)
        for c in results.cases.values()
    }
