"""What git prints, read: commit objects and the state of a work tree. Paths are bytes, as git and POSIX have them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

STORE = (b"mlflow.db", b"mlruns", b".genaiver")
SQLITE_SIDE_FILES = (b"-wal", b"-shm", b"-journal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit object as it was written: in a shallow clone its parents may not be there."""

    tree: str
    parents: tuple[str, ...]
    committed: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkTree:
    """How a work tree differs from its commit; both sorted."""

    changed: tuple[bytes, ...]
    """Tracked files that differ, and files staged anew."""
    submodules: frozenset[bytes]
    """Those among `changed` that are submodules."""
    untracked: tuple[bytes, ...]


def parse_commit(raw: bytes) -> Commit:
    """Reads `git cat-file commit`; the date is the committer's, in UTC."""
    header = raw.split(b"\n\n", 1)[0].decode("utf-8", "replace")
    fields = [line.split(" ", 1) for line in header.split("\n") if " " in line]
    committer = next(value for name, value in fields if name == "committer")
    return Commit(
        tree=next(value for name, value in fields if name == "tree"),
        parents=tuple(value for name, value in fields if name == "parent"),
        committed=datetime.fromtimestamp(int(committer.rsplit(" ", 2)[1]), tz=timezone.utc),
    )


def parse_status(raw: bytes, ours: Iterable[bytes] = ()) -> WorkTree:
    """Reads `git status --porcelain=v2 -z --no-renames`.

    Files below a path of `ours` count nowhere. A submodule that differs only by files it does not track is clean,
    as for `git describe --dirty`.
    """
    own = tuple(ours)
    changed, submodules, untracked = set[bytes](), set[bytes](), set[bytes]()
    for entry in filter(None, raw.split(b"\0")):
        kind = entry[:1]
        path = entry.split(b" ", _FIELDS_BEFORE_PATH[kind])[-1]
        submodule = entry[5:9] if kind == b"1" else b""
        if submodule == b"S..U" or is_ours(path, own):
            continue
        (untracked if kind == b"?" else changed).add(path)
        if submodule.startswith(b"S"):
            submodules.add(path)
    return WorkTree(
        changed=tuple(sorted(changed)),
        submodules=frozenset(submodules),
        untracked=tuple(sorted(untracked - changed)),
    )


def is_ours(path: bytes, ours: Iterable[bytes]) -> bool:
    """Whether the path is one of `ours`, lies below it, or is what SQLite keeps beside it."""
    return any(
        path == own or path.startswith(own + b"/") or path in [own + end for end in SQLITE_SIDE_FILES] for own in ours
    )


_FIELDS_BEFORE_PATH = {b"1": 8, b"u": 10, b"?": 1}
