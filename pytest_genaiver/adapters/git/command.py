"""The git command, run through GitPython."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pytest_genaiver.errors import GitError

if TYPE_CHECKING:
    from subprocess import Popen
    from types import ModuleType

NO_GIT = "git is not installed or not on PATH: the version is named after no commit"

# A git hook points these at its own repository and index; what counts here is the repository around the tests.
REPOSITORY_VARIABLES = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
)
# A partial clone would fetch what it lacks; a prompt would hang the session.
READ_ONLY = {"GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}
COMMAND_NOT_FOUND = 127
REFRESH = "GIT_PYTHON_REFRESH"


class NotInstalledError(GitError):
    """There is no git executable."""


def git_available() -> bool:
    """Whether a git executable answers."""
    try:
        return run(Path(os.sep), "version")[0] == 0
    except NotInstalledError:
        return False


def ask(path: Path, *arguments: str) -> str | None:
    """What git prints, without the last newline; None where it fails."""
    status, out, _ = run(path, *arguments)
    return os.fsdecode(out) if status == 0 else None


def must(path: Path, *arguments: str, given: IO[bytes] | None = None) -> bytes:
    """What git prints, without the last newline; GitError where it fails. `given` is what it reads."""
    status, out, error = run(path, *arguments, given=given)
    if status != 0:
        raise failed(path, error)
    return out


def run(path: Path, *arguments: str, given: IO[bytes] | None = None) -> tuple[int, bytes, str]:
    """Exit status, output and error text of a git command in the folder `path`."""
    git = _gitpython()
    try:
        status, out, error = git.Git(path).execute(
            _command(git, path, arguments),
            istream=given,
            with_extended_output=True,
            with_exceptions=False,
            stdout_as_string=False,
            shell=False,
            env=READ_ONLY,
        )
    except (git.GitCommandNotFound, OSError) as failure:
        raise NotInstalledError(NO_GIT) from failure
    if status == COMMAND_NOT_FOUND:
        raise NotInstalledError(NO_GIT)
    return status, out, error


def stream(path: Path, *arguments: str) -> Popen[bytes]:
    """A running git command, to be read while it works; the caller ends it."""
    git = _gitpython()
    running = git.Git(path).execute(_command(git, path, arguments), as_process=True, shell=False, env=READ_ONLY)
    process: Popen[bytes] = running.proc
    # GitPython's wrapper ends the process when it is collected, which is at the end of this function.
    running.proc = None
    return process


def failed(path: Path, error: str) -> GitError:
    """The error for a repository that git cannot read."""
    reason = next((line for line in error.splitlines() if line.startswith(("fatal:", "error:"))), error)
    return GitError(
        f"git cannot read the repository in {str(path)!r} ({reason.strip()}): repair it, or clone it anew"
    )


def _command(git: ModuleType, path: Path, arguments: tuple[str, ...]) -> list[str]:
    unset = [word for name in REPOSITORY_VARIABLES if name in os.environ for word in ("-u", name)]
    prefix = ["env", *unset] if unset else []
    return [
        *prefix,
        git.Git.GIT_PYTHON_GIT_EXECUTABLE,
        "-C",
        os.path.abspath(path),
        "--no-optional-locks",
        *arguments,
    ]


@cache
def _gitpython() -> ModuleType:
    """GitPython, which refuses to be imported without a git executable unless it is told to be quiet."""
    before = os.environ.get(REFRESH)
    os.environ[REFRESH] = "quiet"
    try:
        import git
    finally:
        if before is None:
            del os.environ[REFRESH]
        else:
            os.environ[REFRESH] = before
    return git
