"""The code of a version, packed with it once (`genai_code = archive`)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters import git
from pytest_genaiver.adapters.snapshot.packed import pack
from pytest_genaiver.adapters.tracking import model_files
from pytest_genaiver.errors import CodeError, GenaiverError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pytest_genaiver.opening import Opened
    from pytest_genaiver.options.values import Code

MOST_BYTES = 50_000_000
"""Of the files of a commit and of its patch, before they are compressed."""
LARGEST = 3
TAG = "genaiver.code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """What is archived: a commit, and what the work tree has on top of it. `untracked` are named, not kept."""

    toplevel: Path
    commit: str
    dirty: bool
    untracked: tuple[str, ...]


def keep(opened: Opened, wanted: Code) -> str | None:
    """Keep the version's code with it, if it is not there yet; what went wrong, in one line: the session goes on."""
    try:
        if wanted.kind == "archive":
            _archive(opened)
    except GenaiverError as error:
        return f"genai_code = {wanted.kind}: {error}"
    return None


def _archive(opened: Opened) -> None:
    model_id = opened.version.model_id or ""
    checkout = _checkout(opened)
    if checkout is None:
        raise CodeError("there is no commit whose files could be archived")
    if TAG not in model_files.tags(opened.store, model_id):
        model_files.save(opened.store, model_id, packed(checkout), {TAG: "archive"})


def _checkout(opened: Opened) -> Checkout | None:
    """The version's commit; of a merge that was made to test it, the merge, where this clone has nothing else."""
    head = opened.surveyed.head
    if head is None or head.commit is None:
        return None
    known = git.resolve(head.toplevel, head.commit)
    return Checkout(
        toplevel=head.toplevel,
        commit=known or head.tested or head.commit,
        dirty=head.dirty is not None,
        untracked=head.untracked,
    )


def packed(checkout: Checkout, most: int = MOST_BYTES) -> dict[str, bytes]:
    """The archive, the patch, and what stands in neither, by name. Raises CodeError where it is too much."""
    top = checkout.toplevel
    entries = git.tracked(top, checkout.commit)
    files = [entry for entry in entries if not entry.is_submodule]
    _fits(((file.path, file.size) for file in files), most)
    patch = git.patch(top) if checkout.dirty else b""
    _fits([("the patch of what is not committed", len(patch))], most)
    moment = git.commit_date(top, checkout.commit)
    held = zip(files, git.contents(top, files), strict=True)
    about = {
        "commit": checkout.commit,
        "submodules": {entry.path: entry.sha for entry in entries if entry.is_submodule},
        "untracked": list(checkout.untracked),
        "patch": bool(patch),
    }
    return {
        model_files.CODE: pack(
            ((file.path, file.mode, content) for file, content in held),
            moment=int(moment.timestamp()) if moment else 0,
        ),
        **({model_files.PATCH: patch} if patch else {}),
        model_files.ABOUT_CODE: _text(about),
    }


def _fits(files: Iterable[tuple[str, int]], most: int) -> None:
    known = sorted(files, key=lambda file: -file[1])
    size = sum(size for _, size in known)
    if size > most:
        largest = ", ".join(f"{path} ({_megabytes(size)})" for path, size in known[:LARGEST])
        much = f"{_megabytes(size)}, more than {_megabytes(most)}"
        raise CodeError(f"the code is {much}, and is not archived; the largest: {largest}")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def _text(value: Any) -> bytes:
    return (json.dumps(value, indent=1) + "\n").encode("ascii")
