"""The code of a version, kept with it once: packed (`genai_code = archive`), or as a model (`model:PATH`)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters import git
from pytest_genaiver.adapters.snapshot import distributions
from pytest_genaiver.adapters.snapshot.packed import pack
from pytest_genaiver.adapters.tracking import model_files
from pytest_genaiver.adapters.tracking.servable import Building
from pytest_genaiver.errors import CodeError, GenaiverError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
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


class Keeper:
    """Keeps the version's code with it, once. A model is built meanwhile, and refused before the first test."""

    def __init__(self, opened: Opened, wanted: Code, add_cleanup: Callable[[Callable[[], None]], None]) -> None:
        """Raises StoreError."""
        self._opened = opened
        self._wanted = wanted
        self._model_id = opened.version.model_id or ""
        self._todo = wanted.kind != "link" and model_files.tags(opened.store, self._model_id).get(TAG) != wanted.kind
        self._building: Building | None = None
        if self._todo and wanted.model is not None:
            self._building = _begin(opened, wanted.model, self._model_id)
            add_cleanup(self._building.close)

    def check(self) -> None:
        """Before the first test. Raises CodeError where there will be no model."""
        if self._building is not None:
            try:
                self._building.check()
            except CodeError as error:
                self._todo, self._building = False, None
                raise CodeError(f"genai_code: {error}") from error

    def keep(self) -> str | None:
        """After the last; what went wrong, in one line: the session goes on."""
        try:
            if self._building is not None:
                self._building.save(self._opened.store, self._model_id, {TAG: "model"})
            elif self._todo:
                self._archive()
        except GenaiverError as error:
            return f"genai_code = {self._wanted.kind}: {error}"
        return None

    def _archive(self) -> None:
        checkout = _checkout(self._opened)
        if checkout is None:
            raise CodeError("there is no commit whose files could be archived")
        model_files.save(self._opened.store, self._model_id, packed(checkout), {TAG: "archive"})


def _begin(opened: Opened, path: Path, model_id: str) -> Building:
    root, checkout = opened.surveyed.root, _checkout(opened)
    tracked = [] if checkout is None else [file.path for file in git.tracked(root, checkout.commit)]
    installed = [one for one in distributions.installed() if one.is_elsewhere]
    return Building(path, model_id, root=root, tracked=tracked, needs=[one.requirement() for one in installed])


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
