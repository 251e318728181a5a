"""Where the search for a baseline starts."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_genaiver.adapters.git.command import ask
from pytest_genaiver.adapters.git.history import FULL_SHA, resolve

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_genaiver.adapters.git.head import Head
    from pytest_genaiver.core.ci import CiFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where the search for a baseline starts."""

    start: str | None
    """Full SHA, perhaps of a commit that a shallow clone lacks; None: there is nothing to compare with."""
    why: str
    branch: str | None
    then: Target | None = None
    """Of a dirty tree: where to search when HEAD's clean version does not serve."""


def target(toplevel: Path, head: Head, ci: CiFacts) -> Target:
    """Where the search for a baseline starts, and why there in plain words.

    The merge base with the target branch that CI names, else with the remote's default branch, else with the local
    main or master; on that branch itself the parent. Of a merge that tests a pull request, the side it is merged
    onto; of any other merge, unless CI names a target branch, the first parent. Of a dirty tree, HEAD first.
    """
    if head.commit is None:
        return Target(start=None, why="no commit yet", branch=None)
    clean = _clean_target(toplevel, head, ci)
    if head.dirty is None:
        return clean
    return Target(start=head.commit, why="HEAD without its uncommitted changes", branch=clean.branch, then=clean)


def _clean_target(top: Path, head: Head, ci: CiFacts) -> Target:
    if head.tested:
        onto = head.parents[1] if head.commit == head.parents[0] else head.parents[0]
        return Target(start=onto, why="the commit the pull request is merged onto", branch=ci.target_branch)
    parent = head.parents[0] if head.parents else None
    name, ref = target_ref(top, ci)
    if len(head.parents) > 1 and ci.target_branch is None:
        return Target(start=parent, why="first parent of the merge commit", branch=name)
    base, why = _merge_base(top, ci, name, ref)
    if base == head.commit or (ref and ci.target_branch is None and head.branch == name):
        return Target(start=parent, why=f"parent on {name}" if parent else f"first commit of {name}", branch=name)
    if base:
        return Target(start=base, why=why, branch=name)
    return Target(start=parent, why=_why_parent(parent, ci, ref), branch=name)


def target_ref(top: Path, ci: CiFacts) -> tuple[str | None, str | None]:
    """The target branch's name and the full ref that holds it; without a ref it is not in this clone."""
    remotes = (ask(top, "remote") or "").split()
    remote = "origin" if "origin" in remotes or not remotes else remotes[0]
    tracking = f"refs/remotes/{remote}/"
    default = ask(top, "symbolic-ref", "--quiet", f"{tracking}HEAD")
    defaults = (default and default.removeprefix(tracking), ci.default_branch, "main", "master")
    names = [ci.target_branch] if ci.target_branch else [name for name in defaults if name]
    for place in (tracking, "refs/heads/"):
        for name in names:
            if resolve(top, place + name):
                return name, place + name
    return ci.target_branch, None


def _merge_base(top: Path, ci: CiFacts, name: str | None, ref: str | None) -> tuple[str | None, str]:
    """The merge base with the target branch, else with the commit on it that CI names; and which of them it is."""
    if ref and (base := ask(top, "merge-base", "HEAD", ref)):
        return base, f"merge base with {_short(ref)}"
    known = resolve(top, ci.base) if ci.base else None
    base = ask(top, "merge-base", "HEAD", known) if known else None
    if base is None and known is None and ci.base and FULL_SHA.fullmatch(ci.base):
        base = ci.base
    return base, f"merge base with {name}, as {ci.provider} names it"


def _why_parent(parent: str | None, ci: CiFacts, ref: str | None) -> str:
    if parent is None:
        return "the first commit has no parent"
    if ref:
        return f"parent of HEAD: no merge base with {_short(ref)} in this clone"
    if ci.target_branch:
        fetch = f"git fetch origin {shlex.quote(ci.target_branch)}"
        return f"parent of HEAD: target branch {ci.target_branch!r} is not in this clone ({fetch})"
    return "parent of HEAD: no remote branch, no main, no master"


def _short(ref: str) -> str:
    return ref.removeprefix("refs/remotes/").removeprefix("refs/heads/")
