"""What the history holds: commits by name, their order, distance, dates and subjects."""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import islice
from typing import TYPE_CHECKING

from pytest_genaiver.adapters.git.command import ask, failed, must, stream
from pytest_genaiver.core.gitformat import parse_commit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BATCH = 500
NEAR = 5
FULL_SHA = re.compile("[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True)
class Logged:
    """A commit as a log lists it; `committed` is in UTC."""

    sha: str
    committed: datetime
    subject: str


def resolve(toplevel: Path, ref: str) -> str | None:
    """Full SHA of the commit that a SHA, tag or branch (local, else origin's) names; None if it names none."""
    if not ref or ref.startswith("-") or "\0" in ref:
        return None
    for name in (ref, f"refs/remotes/origin/{ref}"):
        sha = ask(toplevel, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        if sha and FULL_SHA.fullmatch(sha):
            return sha
    return None


def near_refs(toplevel: Path, ref: str) -> tuple[str, ...]:
    """At most five branch and tag names that look like a mistyped one, closest first."""
    listed = must(toplevel, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads", "refs/tags", "refs/remotes")
    names = dict.fromkeys(os.fsdecode(listed).split("\n"))
    return tuple(difflib.get_close_matches(ref, names, n=NEAR))


def ancestors(toplevel: Path, start: str, *, first_parent: bool = True) -> Iterator[list[str]]:
    """Full SHAs in batches of 500, `start` first, nearest first, as git finds them: the history is not read ahead.

    Not along first parents they come newest first; compare `distance`. A `start` that this clone lacks comes alone.
    """
    known = resolve(toplevel, start)
    if known is None:
        yield [start]
        return
    for lines in _batches(toplevel, "rev-list", *(["--first-parent"] if first_parent else []), known, "--"):
        yield [line.decode().strip() for line in lines]


def first_parents(toplevel: Path, start: str) -> Iterator[list[Logged]]:
    """The commits along first parents in batches of 500, `start` first; nothing where this clone lacks it."""
    known = resolve(toplevel, start)
    if known is None:
        return
    shape = ("--first-parent", "--no-show-signature", "--encoding=UTF-8", "--format=%H %ct %s")
    for lines in _batches(toplevel, "log", *shape, known, "--"):
        yield [_logged(line) for line in lines]


def _logged(line: bytes) -> Logged:
    sha, seconds, subject = line.decode("utf-8", "replace").rstrip("\n").split(" ", 2)
    return Logged(sha, datetime.fromtimestamp(int(seconds), tz=timezone.utc), subject)


def _batches(toplevel: Path, *arguments: str) -> Iterator[list[bytes]]:
    """The lines of a git command, 500 at a time, while it works."""
    process = stream(toplevel, *arguments)
    try:
        while batch := list(islice(process.stdout or (), BATCH)):
            yield batch
        _, error = process.communicate()
        if process.returncode != 0:
            raise failed(toplevel, error.decode("utf-8", "replace"))
    finally:
        process.kill()
        process.communicate()


def distance(toplevel: Path, old: str, new: str) -> int | None:
    """Commits on the way from `old` to `new`; None where `old` is no ancestor of it, or not in this clone."""
    first, last = resolve(toplevel, old), resolve(toplevel, new)
    if first is None or last is None or ask(toplevel, "merge-base", "--is-ancestor", first, last) is None:
        return None
    return int(must(toplevel, "rev-list", "--count", f"{first}..{last}"))


def commit_date(toplevel: Path, sha: str) -> datetime | None:
    """When a commit was committed, in UTC; None where it is not in this clone."""
    known = resolve(toplevel, sha)
    return parse_commit(must(toplevel, "cat-file", "commit", known)).committed if known else None


def subject(toplevel: Path, sha: str) -> str | None:
    """The first line of a commit's message; None where it is not in this clone."""
    if resolve(toplevel, sha) is None:
        return None
    shape = ("-c", "log.showSignature=false", "log", "--no-patch", "--max-count=1", "--encoding=UTF-8", "--format=%s")
    return must(toplevel, *shape, sha, "--").decode("utf-8", "replace").strip("\n")


def holds(toplevel: Path, sha: str, path: str) -> bool:
    """Whether a commit of this clone holds this file."""
    return ask(toplevel, "cat-file", "-e", f"{sha}:{path}") is not None


def log(toplevel: Path, old: str, new: str, limit: int = 20) -> list[tuple[str, str]]:
    """SHA and subject of the commits in `new` that are not in `old`, newest first; none where one is not here."""
    first, last = resolve(toplevel, old), resolve(toplevel, new)
    if first is None or last is None:
        return []
    shape = ("-z", "--encoding=UTF-8", "--format=%H%x00%s", f"--max-count={limit}")
    raw = must(toplevel, "-c", "log.showSignature=false", "log", *shape, last, f"^{first}", "--")
    fields = raw.decode("utf-8", "replace").split("\0")
    return list(zip(fields[::2], fields[1::2], strict=False))


def trailers(toplevel: Path, sha: str, key: str) -> list[str]:
    """The values of a trailer in a commit's message, such as those of `GenAI-Accept: METRIC reason`, in order."""
    shape = f"--format=%(trailers:key={key},valueonly,unfold,separator=%x00)"
    raw = must(toplevel, "-c", "log.showSignature=false", "log", "--no-patch", "--max-count=1", shape, sha, "--")
    found = raw.decode("utf-8", "replace").strip("\n").split("\0")
    return [value.strip() for value in found if value.strip()]
