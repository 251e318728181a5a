"""The way from one commit to another, and what a person wants to know of a commit on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_genaiver.adapters.git.command import must
from pytest_genaiver.adapters.git.history import resolve

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitNote:
    """What a person wants to know of a commit. `authored` is ISO 8601 with the author's own offset."""

    sha: str
    subject: str
    author: str
    authored: str
    parents: tuple[str, ...]


def note(toplevel: Path, sha: str) -> CommitNote:
    """Subject, author and date of a commit of this clone."""
    shape = "--format=%H%x00%s%x00%an%x00%aI%x00%P"
    flags = ("--no-patch", "--max-count=1", "--encoding=UTF-8")
    raw = must(toplevel, "-c", "log.showSignature=false", "log", *flags, shape, sha, "--")
    full, subject, author, authored, parents = raw.decode("utf-8", "replace").strip("\n").split("\0")
    return CommitNote(sha=full, subject=subject, author=author, authored=authored, parents=tuple(parents.split()))


def path_between(toplevel: Path, old: str, new: str) -> list[str] | None:
    """The commits from `old` to `new` along first parents, both included, oldest first; None where no way leads."""
    first, last = resolve(toplevel, old), resolve(toplevel, new)
    if first is None or last is None:
        return None
    listed = must(toplevel, "rev-list", "--first-parent", "--parents", last, f"^{first}", "--").decode().splitlines()
    rows = [line.split() for line in reversed(listed)]
    if not rows or rows[0][1:2] != [first]:
        return [first] if first == last else None
    return [first, *(row[0] for row in rows)]
