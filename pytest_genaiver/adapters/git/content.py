"""What a commit holds, file by file, and what the work tree has on top of it."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_genaiver.adapters.git.command import must
from pytest_genaiver.core.gitformat import STORE
from pytest_genaiver.errors import GitError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

LINK, SUBMODULE = 0o120000, 0o160000


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """One entry of a commit; `size` is 0 for a submodule, whose `sha` is its commit."""

    path: str
    mode: int
    sha: str
    size: int

    @property
    def is_submodule(self) -> bool:
        return self.mode == SUBMODULE


def tracked(toplevel: Path, commit: str) -> list[Tracked]:
    """Every file, link and submodule of a commit. Not `git archive`, which leaves out what attributes tell it to."""
    listed = must(toplevel, "ls-tree", "-r", "-z", "--long", "--full-tree", commit)
    return [_entry(line) for line in listed.split(b"\0") if line]


def _entry(line: bytes) -> Tracked:
    facts, _, path = line.partition(b"\t")
    mode, _, sha, size = facts.split()
    return Tracked(path=os.fsdecode(path), mode=int(mode, 8), sha=sha.decode(), size=0 if size == b"-" else int(size))


def contents(toplevel: Path, files: Sequence[Tracked]) -> Iterator[bytes]:
    """The content of each file as it is recorded, whatever the work tree makes of its line ends.

    Raises GitError where this clone lacks one.
    """
    with tempfile.TemporaryFile() as asked:
        asked.write("".join(f"{file.sha}\n" for file in files).encode())
        asked.seek(0)
        answer = must(toplevel, "cat-file", "--batch", given=asked) + b"\n"
    place = 0
    for file in files:
        end = answer.index(b"\n", place)
        if answer[place:end] != f"{file.sha} blob {file.size}".encode():
            raise GitError(f"this clone lacks the content of {file.path!r}; clone it without --filter")
        yield answer[end + 1 : end + 1 + file.size]
        place = end + 1 + file.size + 1


def patch(toplevel: Path) -> bytes:
    """What differs from the checked-out commit, staged or not, for `git apply`; never our own store."""
    # Each flag stands against a setting of the user's.
    settings = ("-c", "core.fsmonitor=false", "-c", "diff.noprefix=false", "-c", "diff.mnemonicPrefix=false")
    flags = ("--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames")
    own = [f":(exclude,top,literal){os.fsdecode(name)}" for name in STORE]
    found = must(toplevel, *settings, "diff", *flags, "--submodule=short", "HEAD", "--", ":(top)", *own)
    return found + b"\n" if found else b""
