"""The shell commands that recreate what a version was: its code, its dependencies, its session or one case of it."""

from __future__ import annotations

import base64
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_genaiver.core.secrets import MASK
from pytest_genaiver.core.snapshot import minor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# What a session was compared with, where it reported and how often it ran is no part of the version, or said anew.
_DROPPED = ("--genai-baseline", "--genai-report", "--genai-repeats", "--genai-version-name")
_DROPPED_FLAGS = ("--genai-require-baseline",)
# Which tests ran: of no concern where one case is named.
_CHOOSING = ("-k", "-m", "--deselect", "--ignore", "--ignore-glob", "--maxfail")
_CHOOSING_FLAGS = ("-x", "--exitfirst", "--lf", "--last-failed", "--ff", "--failed-first", "--sw", "--stepwise")
_END = "REQUIREMENTS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What is known of a version and one of its sessions.

    `source` is the URL or path to clone, `name` also names the folders that are made. `requirements` is the text of a
    requirements file. `folder` is where pytest was at home, below git's top folder. `node` is the id of one test, or
    of its function with `whole_function`. `own_name`: the user named the version. `patch` is what was not
    committed, as git takes it. `digest` is the snapshot's.
    """

    name: str
    commit: str
    source: str
    recorded: str
    command: str | None
    repeats: int
    tested: str | None = None
    python: str = ""
    requirements: str | None = None
    folder: str = ""
    node: str | None = None
    whole_function: bool = False
    own_name: bool = False
    variant: str | None = None
    submodules: bool = False
    dirty: bool = False
    patch: bytes | None = None
    untracked: str = ""
    digest: str | None = None


def script(recipe: Recipe) -> list[str]:
    """Lines for a POSIX shell, to be run as they stand in an empty folder; comments say what cannot be recreated."""
    return [*_about(recipe), "", *_code(recipe), *_environment(recipe), "", *_session(recipe)]


def quoted(argument: str) -> str:
    """An argument as a shell takes it, without characters that would move the cursor where it is printed."""
    if argument.isprintable():
        return shlex.quote(argument)
    plain = "".join(c if c.isprintable() and c not in "\\'" else _escape(c) for c in argument)
    return f"$'{plain}'"


def _escape(char: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))


def _comment(text: str) -> str:
    return "# " + "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _about(recipe: Recipe) -> Iterator[str]:
    yield _comment(f"version {recipe.name}, recorded {recipe.recorded}")
    for text in _lost(recipe):
        yield _comment(f"cannot be recreated: {text}")
    yield "# not recorded: API keys and other variables of the environment; set what the app needs"


def _lost(recipe: Recipe) -> Iterator[str]:
    yield "what a model answers, where its provider samples at random or has changed it since"
    if recipe.dirty and recipe.patch is None:
        yield "the changes that were not committed, which were not recorded (genai_code = archive keeps them)"
    if recipe.untracked:
        yield f"untracked files: {recipe.untracked}"
    if recipe.tested:
        yield f"the merge {recipe.tested[:8]} that the session tested; these are the commands for its head"
    if recipe.requirements is None:
        yield "the dependencies, which this session did not record"


def _code(recipe: Recipe) -> Iterator[str]:
    folder = quoted(recipe.name)
    yield f"git clone --quiet {quoted(recipe.source)} {folder}"
    yield f"cd {folder}"
    yield f"commit={recipe.commit}"
    # That of a pull request is on no branch.
    checkout = 'git checkout --quiet --detach "$commit"'
    yield f'{checkout} || {{ git fetch --quiet origin "$commit" && {checkout}; }}'
    if recipe.submodules:
        yield "git submodule --quiet update --init --recursive"
    if recipe.dirty and recipe.patch is not None:
        yield "base64 --decode <<'PATCH' | git apply --index"
        yield from _base64(recipe.patch)
        yield "PATCH"


def _base64(content: bytes) -> list[str]:
    """Whatever is in a patch, it is plain text on a terminal."""
    return base64.encodebytes(content).decode("ascii").splitlines()


def _environment(recipe: Recipe) -> Iterator[str]:
    """Beside the clone, not in it: a file more would be another work tree."""
    if recipe.requirements is None:
        return
    environment = quoted(f"../{recipe.name}-venv")
    yield ""
    yield f"python{minor(recipe.python) or '3'} -m venv {environment}"
    yield f". {environment}/bin/activate"
    lines = [line for line in recipe.requirements.splitlines() if line.strip() and line.isprintable()]
    yield f"python -m pip install --quiet --no-deps --requirement /dev/stdin <<'{_END}'"
    yield from (line for line in lines if line != _END)
    yield _END
    if any(": editable" in line for line in lines):
        yield "# if this project is among the editable ones: python -m pip install --no-deps --editable ."


def _session(recipe: Recipe) -> Iterator[str]:
    if recipe.node and recipe.whole_function:
        yield "# the case is one of several variants, which its function runs together"
    if recipe.folder and not recipe.node:
        yield f"cd {quoted(recipe.folder)}"
    arguments = _arguments(recipe)
    if any(MASK in argument for argument in arguments):
        yield f"# put in for {MASK} the secret that was not recorded"
    command = " ".join(map(quoted, arguments))
    # A record of its own: the team's is not for trials.
    yield f'MLFLOW_TRACKING_URI="sqlite:///$PWD/mlflow.db" {command}'
    if recipe.digest:
        yield f"# `genaiver show {quoted(recipe.name)}` then shows the snapshot {recipe.digest[:16]}"


def _arguments(recipe: Recipe) -> list[str]:
    program, *given = _split(recipe.command or "pytest --genai-version")
    kept = list(without(given, _DROPPED, _DROPPED_FLAGS))
    if recipe.node:
        chosen = without(kept, _CHOOSING, _CHOOSING_FLAGS)
        kept = [*(a for a in chosen if a.startswith("-") or not _is_place(a)), recipe.node]
    more = ["--genai-baseline", "none", "--genai-repeats", str(max(recipe.repeats, 1))]
    if recipe.own_name:
        more += ["--genai-version-name", recipe.name]
    if recipe.variant:
        more += ["-o", f"genai_variant={recipe.variant}"]
    return [program, *kept, *more]


def _split(command: str) -> list[str]:
    try:
        return shlex.split(command) or ["pytest"]
    except ValueError:
        return command.split()


def without(arguments: Iterable[str], valued: Sequence[str], flags: Sequence[str]) -> Iterator[str]:
    """The arguments without these options and their values, given as `--x VALUE`, `--x=VALUE` or `-xVALUE`."""
    skip = False
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        if skip:
            skip = False
        elif name in valued:
            skip = not equals
        elif argument not in flags and not any(len(v) == 2 and argument.startswith(v) for v in valued):
            yield argument


def _is_place(argument: str) -> bool:
    """Whether an argument names tests; one that does not may be the value of the option before it."""
    return "::" in argument or argument.endswith((".py", "/")) or argument in (".", "..", "tests", "test")
