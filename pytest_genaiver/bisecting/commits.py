"""The commits of a search: from GOOD to BAD along first parents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_genaiver.adapters import git
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def commits_between(toplevel: Path, good: str, bad: str) -> list[str]:
    """Full SHAs from GOOD to BAD, both included, oldest first; of a merged branch only the merge.

    Raises ConfigError where GOOD is not on BAD's way.
    """
    if good == bad:
        raise ConfigError(f"GOOD and BAD are both {good[:8]}; name two commits")
    found = git.path_between(toplevel, good, bad)
    if found is not None:
        return found
    if git.path_between(toplevel, bad, good) is not None:
        raise ConfigError(f"GOOD {good[:8]} comes after BAD {bad[:8]}; name them the other way round")
    base = git.merge_base(toplevel, good, bad)
    if base is None:
        raise ConfigError(
            f"GOOD {good[:8]} and BAD {bad[:8]} have no common ancestor in this clone; a shallow one is deepened by "
            "`git fetch --unshallow`"
        )
    if base != good:
        raise ConfigError(
            f"GOOD {good[:8]} is no ancestor of BAD {bad[:8]}; their merge base is {base[:8]}, which may be good too"
        )
    fork = next(sha for batch in git.ancestors(toplevel, bad) for sha in batch if _holds(toplevel, sha, good))
    raise ConfigError(
        f"GOOD {good[:8]} came into BAD's history by the merge {fork[:8]}, which a search along first parents does "
        f"not enter; name a commit on BAD's own way, such as {fork[:8]}^"
    )


def _holds(toplevel: Path, sha: str, ancestor: str) -> bool:
    """Whether this is the merge that brought the ancestor in."""
    return git.merge_base(toplevel, sha, ancestor) == ancestor and (
        git.merge_base(toplevel, f"{sha}^1", ancestor) != ancestor
    )


def inside_merge(toplevel: Path, merge: git.CommitNote) -> tuple[str, str] | None:
    """Of a merge, the ends of a search through what it brought in; None for any other commit."""
    if len(merge.parents) < 2:
        return None
    base = git.merge_base(toplevel, merge.parents[0], merge.parents[1])
    return None if base is None or base == merge.parents[1] else (base, merge.parents[1])
