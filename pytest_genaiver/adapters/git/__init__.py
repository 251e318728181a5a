"""Git as this package sees it: where HEAD is, what it should be compared with, what the history holds.

Only reads: no fetch (also none by a partial clone), no change of configuration, no refreshed index written back;
`checkout` alone makes something, a temporary work tree, and removes it.
Every function may raise GitError, whose message holds the fix; all but `read_head` and `git_available` raise it where
git is not installed.
"""

from __future__ import annotations

from pytest_genaiver.adapters.git.branches import merge_base, tips
from pytest_genaiver.adapters.git.checkout import checkout
from pytest_genaiver.adapters.git.command import NO_GIT, git_available
from pytest_genaiver.adapters.git.content import Tracked, contents, patch, tracked
from pytest_genaiver.adapters.git.head import Head, read_head
from pytest_genaiver.adapters.git.history import (
    Logged,
    ancestors,
    commit_date,
    distance,
    first_parents,
    holds,
    log,
    near_refs,
    resolve,
    subject,
    trailers,
)
from pytest_genaiver.adapters.git.path import CommitNote, note, path_between
from pytest_genaiver.adapters.git.target import Target, target, target_ref
from pytest_genaiver.adapters.git.worktree import changed, is_tracked, is_untracked

__all__ = [
    "NO_GIT",
    "CommitNote",
    "Head",
    "Logged",
    "Target",
    "Tracked",
    "ancestors",
    "changed",
    "checkout",
    "commit_date",
    "contents",
    "distance",
    "first_parents",
    "git_available",
    "holds",
    "is_tracked",
    "is_untracked",
    "log",
    "merge_base",
    "near_refs",
    "note",
    "patch",
    "path_between",
    "read_head",
    "resolve",
    "subject",
    "target",
    "target_ref",
    "tips",
    "tracked",
    "trailers",
]
