"""The branches of a clone: where they end, and where two of them part."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pytest_genaiver.adapters.git.command import ask, must

if TYPE_CHECKING:
    from pathlib import Path


def tips(toplevel: Path) -> dict[str, str]:
    """Branch, local (`main`) or of a remote (`origin/main`) -> the full SHA that it ends with."""
    shape = "--format=%(objectname) %(refname) %(symref)"
    lines = os.fsdecode(must(toplevel, "for-each-ref", shape, "refs/heads", "refs/remotes")).splitlines()
    found = [line.split(" ", 2) for line in lines]
    # A symbolic ref (origin/HEAD) is another name of a branch that is listed.
    return {
        ref.removeprefix("refs/heads/").removeprefix("refs/remotes/"): sha
        for sha, ref, symbolic in found
        if not symbolic
    }


def merge_base(toplevel: Path, one: str, other: str) -> str | None:
    """Full SHA of the commit that two commits both descend from; None where this clone knows none."""
    return ask(toplevel, "merge-base", one, other)
