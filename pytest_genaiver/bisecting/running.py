"""One session of one commit, as a process of its own in a work tree of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_genaiver.adapters import git
from pytest_genaiver.adapters.environments import environment_for
from pytest_genaiver.core.ci import without_ci
from pytest_genaiver.core.identity import version_name
from pytest_genaiver.errors import ConfigError, DependencyError, GitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_genaiver.adapters.environments import OnDifference

RAN = (0, 1)
"""pytest's exit codes of a session that ran to its end: all passed, or some failed."""
REASONS = {
    2: "could not collect its tests",
    3: "had an internal error",
    4: "could not be started",
    5: "collected no test",
}
TAIL = 15
PATIENCE_SECONDS = 10.0
# What is said of the caller's own session; the rest is the project's.
OWN_VARIABLES = ("GENAI_VERSION_NAME", "GENAI_REPORT", "GENAI_REQUIRE_BASELINE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where and as what commits run.

    `root` is the user's tree, `folder` the one in it that the user works in. `copied` are paths, relative to `root`,
    that a commit gets from the user's tree where it has none of that name.
    """

    root: Path
    folder: Path
    tracking_uri: str
    app: str
    experiment: str
    variant: str | None
    arguments: tuple[str, ...]
    copied: tuple[str, ...] = ()
    on_difference: OnDifference = "build"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """`why` is None where the session ran to its end, else the reason in a few words; `tail` what it printed last."""

    why: str | None = None
    tail: tuple[str, ...] = ()


def run_commit(place: Place, commit: str, repeats: int, say: Callable[[str], None]) -> Ran:
    """Record one session of a commit: its own tests on its own app, every case so many times.

    The user's tree is not touched. On Ctrl-C the session ends as pytest's do, and the work tree is removed.
    """
    try:
        with git.checkout(place.root, commit) as path:
            _copy(place, path)
            cache = place.root / ".genaiver" / "environments"
            environment = environment_for(
                path, place.root, cache=cache, on_difference=place.on_difference, say=lambda line: say(f"  {line}")
            )
            options = _options(place, commit, repeats)
            command = [str(environment.python), "-m", "pytest", *options, *place.arguments]
            folder = path / place.folder.relative_to(place.root)
            code, printed = _run(
                command, folder if folder.is_dir() else path, _variables(place, environment.variables)
            )
    except (DependencyError, GitError) as error:
        return Ran(why=str(error))
    if code in RAN:
        return Ran()
    return Ran(why=f"its session {REASONS.get(code, f'ended with exit code {code}')}", tail=_tail(printed))


def _options(place: Place, commit: str, repeats: int) -> list[str]:
    """The version is named as a session at that commit would name it, whatever the ini file was then."""
    name = version_name(place.app, sha=commit, variant=place.variant)
    fixed = ["--genai-version", f"--genai-version-name={name}", "--genai-baseline=none", "--genai-gate=off"]
    kept = {"app": place.app, "experiment": place.experiment, "variant": place.variant, "require_baseline": "false"}
    overridden = [f"--override-ini=genai_{key}={value}" for key, value in kept.items() if value]
    return [*fixed, f"--genai-repeats={repeats}", *overridden]


def _variables(place: Place, own: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in without_ci(os.environ).items() if name not in OWN_VARIABLES}
    return {**kept, **own, "MLFLOW_TRACKING_URI": place.tracking_uri}


def _copy(place: Place, path: Path) -> None:
    for name in place.copied:
        source, target = place.root / name, path / name
        if target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True)
        else:
            shutil.copy2(source, target)


def check_copied(root: Path, names: Sequence[str]) -> tuple[str, ...]:
    """The paths to copy, relative to the user's tree. Raises ConfigError for one that is not there, or outside it."""
    found = []
    for name in names:
        real = Path(os.path.realpath(name))
        top = Path(os.path.realpath(root))
        if not real.exists():
            raise ConfigError(f"--copy: {name!r} does not exist; name a file or folder of the project")
        if top not in real.parents:
            raise ConfigError(f"--copy: {name!r} is not in the project {str(root)!r}; name a file or folder of it")
        found.append(str(real.relative_to(top)))
    return tuple(found)


def _run(command: list[str], folder: Path, variables: dict[str, str]) -> tuple[int, str]:
    with _ended(
        subprocess.Popen(
            command,
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    ) as process:
        printed, _ = process.communicate()
    return process.returncode, printed.decode("utf-8", "replace")


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """However the caller leaves, the process ends: it gets the time to record that its session was cut short."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.communicate(timeout=PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


def _tail(printed: str) -> tuple[str, ...]:
    return tuple(line.rstrip() for line in printed.splitlines() if line.strip())[-TAIL:]
