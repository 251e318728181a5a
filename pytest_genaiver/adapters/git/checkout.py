"""A commit's files in a temporary work tree of their own.

The one part of this package that makes git write: `git worktree add --detach` into a folder under the system's
temporary one, and its removal. The user's own work tree, index, HEAD, branches, stash and configuration are not
touched, their hooks do not run, nothing is fetched. Submodules that are here are cloned from where they are;
those that the user never initialised stay empty, as in the user's own tree.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_genaiver.adapters.git.command import ask, must, run
from pytest_genaiver.adapters.git.history import resolve
from pytest_genaiver.errors import GitError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

PREFIX = "genaiver-"
LOCK = "lock"
OURS = re.compile(rf"{PREFIX}[0-9a-f]{{8}}")
# A folder that is not here may be another machine's or container's that shares the repository and still runs.
GIVEN_UP_SECONDS = 24 * 3600
NO_HOOKS = ("-c", f"core.hooksPath={os.devnull}")
GITLINK = b"160000"


@contextmanager
def checkout(toplevel: Path, commit: str) -> Iterator[Path]:
    """A folder that holds the commit's tracked files, as a linked, detached work tree; removed at the end.

    Also where the body raises, on Ctrl-C, and on SIGTERM and SIGHUP unless the caller handles these itself. What a
    killed process left behind is removed by the next checkout of the same repository. Any thread may use it, any
    number at a time; only the main thread can catch the signals.

    Raises GitError where the commit, or a submodule's commit, is not in this clone.
    """
    sha = resolve(toplevel, commit)
    if sha is None:
        raise GitError(f"{commit!r} is no commit in this clone; fetch it first: git fetch --unshallow, or --all")
    remove_leftovers(toplevel)
    with ExitStack() as stack:
        stack.enter_context(_ended_by_signals())
        folder = Path(os.path.realpath(tempfile.mkdtemp(prefix=PREFIX)))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.enter_context(_held(folder / LOCK))
        path = folder / f"{PREFIX}{sha[:8]}"
        stack.callback(_remove, toplevel, path)
        _add(toplevel, path, sha)
        yield path


def remove_leftovers(toplevel: Path) -> None:
    """Remove the work trees that `checkout` made and whose processes are gone; nobody else's."""
    common = Path(os.fsdecode(must(toplevel, "rev-parse", "--path-format=absolute", "--git-common-dir")))
    for link in common.glob("worktrees/*/gitdir"):
        try:
            path = Path(os.fsdecode(link.read_bytes()).strip()).parent
            made = link.stat().st_mtime
        except OSError:
            continue
        if OURS.fullmatch(path.name) and path.parent.name.startswith(PREFIX) and _is_leftover(path.parent, made):
            _remove(toplevel, path)
            shutil.rmtree(path.parent, ignore_errors=True)


def _is_leftover(folder: Path, made: float) -> bool:
    if not folder.is_dir():
        return time.time() - made > GIVEN_UP_SECONDS
    import fcntl

    try:
        with (folder / LOCK).open("ab") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextmanager
def _held(lock: Path) -> Iterator[None]:
    """As long as the file is locked its folder is in use; a process that ends in any way lets go of it."""
    import fcntl

    with lock.open("ab") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _add(toplevel: Path, path: Path, sha: str) -> None:
    flags = ("--detach", "--force", "--quiet")
    status, _, error = run(toplevel, *NO_HOOKS, "worktree", "add", *flags, str(path), sha)
    if status != 0:
        reason = next((line for line in error.splitlines() if line.startswith(("fatal:", "error:"))), error)
        raise GitError(f"git cannot check out {sha[:8]} into a temporary work tree ({reason.strip()})")
    common = Path(os.fsdecode(must(toplevel, "rev-parse", "--path-format=absolute", "--git-common-dir")))
    _fill_submodules(path, common, toplevel)


def _remove(toplevel: Path, path: Path) -> None:
    """The folder first: a file that git cannot remove must not keep its entry in the user's repository."""
    shutil.rmtree(path, ignore_errors=True)
    run(toplevel, "worktree", "remove", "--force", "--force", str(path))


def _fill_submodules(path: Path, git_dir: Path, original: Path) -> None:
    """Clone each submodule of the work tree from its repository in `git_dir`, else from the user's own folder."""
    names = _submodule_names(path)
    for entry in filter(None, must(path, "ls-files", "--stage", "-z").split(b"\0")):
        kind, sha, rest = entry.split(b" ", 2)
        if kind != GITLINK:
            continue
        place = os.fsdecode(rest.partition(b"\t")[2])
        held = git_dir / "modules" / names.get(place, place)
        source = held if held.is_dir() else original / place / ".git"
        if source.is_dir():
            _clone(source, path / place, place, sha.decode())
            _fill_submodules(path / place, source, original / place)


def _submodule_names(path: Path) -> dict[str, str]:
    """Path -> name of the submodules that `.gitmodules` lists."""
    if not (path / ".gitmodules").is_file():
        return {}
    listed = ask(path, "config", "--file", ".gitmodules", "-z", "--get-regexp", r"^submodule\..*\.path$") or ""
    pairs = [entry.split("\n", 1) for entry in listed.split("\0") if "\n" in entry]
    return {place: key.removeprefix("submodule.").removesuffix(".path") for key, place in pairs}


def _clone(source: Path, path: Path, place: str, sha: str) -> None:
    if ask(source, f"--git-dir={source}", "cat-file", "-e", f"{sha}^{{commit}}") is None:
        raise GitError(f"submodule {place!r} is at {sha[:8]}, which is not in this clone: git -C {place} fetch")
    path.mkdir(parents=True, exist_ok=True)
    flags = ("--shared", "--no-checkout", "--quiet", "--template=")
    must(path, *NO_HOOKS, "-c", "protocol.file.allow=always", "clone", *flags, str(source), ".")
    must(path, *NO_HOOKS, "checkout", "--detach", "--quiet", "--force", sha)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the process by an exception while the body runs, so that everything is put away."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signals = [s for s in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(s) is signal.SIG_DFL]
    for number in signals:
        signal.signal(number, _exit)
    try:
        yield
    finally:
        for number in signals:
            signal.signal(number, signal.SIG_DFL)


def _exit(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)
