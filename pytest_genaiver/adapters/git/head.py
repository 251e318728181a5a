"""What is checked out."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_genaiver.adapters.git.command import NotInstalledError, ask, failed, must, run
from pytest_genaiver.adapters.git.history import commit_date, resolve
from pytest_genaiver.adapters.git.worktree import fingerprint, read_work_tree
from pytest_genaiver.core.ci import pull_request_head
from pytest_genaiver.core.gitformat import parse_commit
from pytest_genaiver.core.identity import clean_url
from pytest_genaiver.errors import GitError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pytest_genaiver.core.ci import CiFacts
    from pytest_genaiver.core.gitformat import Commit, WorkTree

HASH_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What is checked out, and the commit that the version is named after."""

    toplevel: Path
    main_worktree: Path
    """The toplevel of the repository's main work tree; of a bare repository its path without `.git`."""
    commit: str | None
    """Full SHA of the version: HEAD, or the head of a pull request; None before the first commit."""
    tested: str | None
    """Full SHA of what is checked out, where that is a merge made to test `commit`; else None."""
    parents: tuple[str, ...]
    """Parents of the checked-out commit; a shallow clone knows their names, not their content."""
    branch: str | None
    tree: str | None
    dirty: str | None
    """Six hex digits of what differs from the checked-out commit, untracked files included; None when clean."""
    untracked: tuple[str, ...]
    shallow: bool
    remote: str | None
    """origin's URL without credentials."""
    committed: datetime | None
    """When `commit` was committed, in UTC; None where it is not in this clone."""


def read_head(path: Path, ci: CiFacts, *, ours: Sequence[str] = ()) -> Head | None:
    """The repository around `path`; None where there is none, or no git.

    `ours` are absolute paths of our own store and reports, which never count as a change; nor do `mlflow.db`,
    `mlruns` and `.genaiver` at the toplevel. Raises GitError where git refuses or the repository is broken.
    """
    try:
        top = _toplevel(path if path.is_dir() else path.parent)
    except NotInstalledError:
        return None
    if top is None:
        return None
    sha = ask(top, "rev-parse", "--verify", "--quiet", "HEAD")
    checked_out = parse_commit(must(top, "cat-file", "commit", sha)) if sha else None
    return _describe(top, ci, sha, checked_out, read_work_tree(top, ours))


def _describe(top: Path, ci: CiFacts, sha: str | None, checked_out: Commit | None, work_tree: WorkTree) -> Head:
    commit = _version_commit(top, ci, sha, checked_out)
    branch = ask(top, "symbolic-ref", "--quiet", "HEAD")
    url = ask(top, "config", "--get", "remote.origin.url")
    return Head(
        toplevel=top,
        main_worktree=_main_worktree(top),
        commit=commit,
        tested=None if commit == sha else sha,
        parents=checked_out.parents if checked_out else (),
        branch=branch.removeprefix("refs/heads/") if branch else ci.branch,
        tree=checked_out.tree if checked_out else None,
        dirty=fingerprint(top, work_tree)[:HASH_DIGITS] if checked_out and work_tree.changed else None,
        untracked=tuple(name.decode("utf-8", "backslashreplace") for name in work_tree.untracked),
        shallow=ask(top, "rev-parse", "--is-shallow-repository") == "true",
        remote=clean_url(url) if url else None,
        committed=commit_date(top, commit) if commit else None,
    )


def _version_commit(top: Path, ci: CiFacts, sha: str | None, checked_out: Commit | None) -> str | None:
    if sha is None or checked_out is None:
        return None
    ref = resolve(top, ci.pr_ref) if ci.pr_ref else None
    return pull_request_head(ci, sha, checked_out.parents, ref) or sha


def _toplevel(path: Path) -> Path | None:
    status, out, error = run(path, "rev-parse", "--show-toplevel")
    if status == 0:
        return Path(os.fsdecode(out))
    if "not a git repository (or any" in error or "must be run in a work tree" in error:
        return None
    owned = re.search(r"(?:dubious ownership in repository at|unsafe repository \()\s*'(.+?)'", error)
    if owned:
        fix = f"git config --global --add safe.directory {shlex.quote(owned[1])}"
        raise GitError(f"git does not trust {owned[1]!r}, which another user owns; if you trust it, run: {fix}")
    raise failed(path, error)


def _main_worktree(top: Path) -> Path:
    own, common = (top / os.fsdecode(must(top, "rev-parse", kind)) for kind in ("--git-dir", "--git-common-dir"))
    if own.resolve() == common.resolve():
        return top
    common = common.resolve()
    return common.parent if common.name.startswith(".") else common.with_name(common.name.removesuffix(".git"))
