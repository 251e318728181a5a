"""How the files of a work tree differ from its commit, and a hash of it."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_genaiver.adapters.git.command import ask, must
from pytest_genaiver.core.gitformat import STORE, is_ours, parse_status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_genaiver.core.gitformat import WorkTree

CHUNK = 1 << 20


def read_work_tree(top: Path, ours: Iterable[str] = ()) -> WorkTree:
    """What differs, but for our own store and the absolute paths `ours`."""
    # Each flag stands against a setting of the user's: what differs must not depend on who looks.
    flags = ("--porcelain=v2", "-z", "--untracked-files=all", "--no-renames")
    return parse_status(must(top, "-c", "core.fsmonitor=false", "status", *flags), _own_paths(top, ours))


def is_untracked(top: Path, path: Path) -> bool:
    """Whether `git add --all` would add the file: it lies in the work tree, neither tracked nor ignored."""
    real = Path(os.path.realpath(path.parent), path.name)
    if top not in real.parents:
        return False
    listed = ask(top, "ls-files", "--others", "--exclude-standard", "--", f":(literal){real.relative_to(top)}")
    return bool(listed)


def changed(top: Path, since: str = "HEAD") -> list[str]:
    """The files, relative to the toplevel, in which the work tree differs from a commit; untracked ones too, but for
    those that are ignored, and our own store.
    """
    differing = must(top, "diff", "--name-only", "--no-renames", "-z", since, "--")
    untracked = must(top, "ls-files", "--others", "--exclude-standard", "-z")
    names = {name for listed in (differing, untracked) for name in listed.split(b"\0") if name}
    return sorted(os.fsdecode(name) for name in names if not is_ours(name, STORE))


def is_tracked(top: Path, path: Path) -> bool:
    """Whether the file is committed, or about to be."""
    real = Path(os.path.realpath(path.parent), path.name)
    if top not in real.parents:
        return False
    return bool(ask(top, "ls-files", "--", f":(literal){real.relative_to(top)}"))


def fingerprint(top: Path, work_tree: WorkTree) -> str:
    """Hash of the differing files as they lie in the work tree: whether a change is staged makes no difference."""
    digest = hashlib.sha256()
    for name in sorted({*work_tree.changed, *work_tree.untracked}):
        path = os.path.join(os.fsencode(top), name)
        content = _submodule(Path(os.fsdecode(path))) if name in work_tree.submodules else _content(path)
        for part in (name, content):
            digest.update(b"%d:%b" % (len(part), part))
    return digest.hexdigest()


def _own_paths(top: Path, ours: Iterable[str]) -> tuple[bytes, ...]:
    """Our own files and folders as git names them, relative to the toplevel."""
    real = [Path(os.path.realpath(os.path.dirname(own)), os.path.basename(own)) for own in ours]
    return (*STORE, *(os.fsencode(own.relative_to(top)) for own in real if top in own.parents))


def _content(path: bytes) -> bytes:
    try:
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            return b"link " + os.readlink(path)
        if stat.S_ISREG(mode):
            return (b"executable " if mode & stat.S_IXUSR else b"file ") + _hash(path)
    except OSError as error:
        return b"unreadable %d" % (error.errno or 0)
    return b"other %d" % stat.S_IFMT(mode)


def _hash(path: bytes) -> bytes:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.digest()


def _submodule(path: Path) -> bytes:
    """A submodule's commit and its own changes; nothing where its folder is gone."""
    if not path.is_dir():
        return b""
    commit = ask(path, "rev-parse", "--verify", "--quiet", "HEAD") or ""
    return f"{commit} {fingerprint(path, read_work_tree(path))}".encode()
