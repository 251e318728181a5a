"""Results as a JSON file: written whole or not at all, read with every fault told in one sentence."""

from __future__ import annotations

import difflib
import json
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pytest_genaiver.core.results import VersionResults
from pytest_genaiver.errors import ResultsError

if TYPE_CHECKING:
    from collections.abc import Mapping


def write(path: str | os.PathLike[str], payload: Mapping[str, Any]) -> None:
    """Replace the file by this JSON, atomically; folders that are missing are made.

    A reader sees the old file or the new one, never a part. Raises ResultsError where the file cannot be
    written, ValueError where the payload holds NaN or an infinity.
    """
    write_text(path, json.dumps(payload, indent=1, allow_nan=False) + "\n")


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Replace the file by this text, as `write` does. Raises ResultsError."""
    # A symlink stays one: what it points at is replaced.
    target = Path(os.path.realpath(path))
    part = target.with_name(f".genaiver-{secrets.token_hex(8)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            # Plain open, not tempfile: its files are private (0600), and a report obeys the umask.
            with part.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise ResultsError(f"cannot write {os.fspath(path)!r}: {_reason(error)}") from error


def append_text(path: str | os.PathLike[str], text: str) -> None:
    """Add this text to a file that others write to as well. Raises ResultsError."""
    try:
        with Path(path).open("a", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise ResultsError(f"cannot write {os.fspath(path)!r}: {_reason(error)}") from error


def read(path: str | os.PathLike[str]) -> VersionResults:
    """The results in a file that `write` or `--genai-report` made.

    Raises ResultsError: no such file (what is near is said), not readable, not JSON, or not results.
    """
    return parse(_text(Path(path)), path)


def parse(text: str, name: str | os.PathLike[str]) -> VersionResults:
    """The results in the text of a results file; `name` is for messages. Raises ResultsError."""
    data = _parse(text, name)
    try:
        return VersionResults.from_json(data)
    except ResultsError as error:
        raise ResultsError(f"{os.fspath(name)!r} is not a results file: {error}") from error


def _text(path: Path) -> str:
    try:
        # -sig: editors on Windows put a byte order mark in front.
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ResultsError(f"there is no results file {str(path)!r}; {_near(path)}") from error
    except IsADirectoryError as error:
        raise ResultsError(f"{str(path)!r} is a folder, not a results file; {_offer(path)}") from error
    except UnicodeDecodeError as error:
        raise ResultsError(f"{str(path)!r} is not a results file: not UTF-8 text ({error.reason})") from error
    except (OSError, ValueError) as error:
        raise ResultsError(f"cannot read {str(path)!r}: {_reason(error)}") from error


def _parse(text: str, path: str | os.PathLike[str]) -> object:
    name = repr(os.fspath(path))
    try:
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise ResultsError(f"{name} is not JSON: {error.msg} at {where}") from error
    except RecursionError as error:
        raise ResultsError(f"{name} is not a results file: its JSON is nested too deeply") from error
    except ValueError as error:
        # Python refuses whole numbers of more than 4300 digits, and we NaN and the infinities.
        raise ResultsError(f"{name} is not a results file: {error}") from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"it holds {constant}, which is not JSON; a missing value is null")


def _near(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"the folder {str(folder)!r} does not exist either"
    return _offer(folder, like=path.name)


def _offer(folder: Path, *, like: str = "") -> str:
    try:
        names = sorted(entry.name for entry in folder.iterdir() if entry.suffix == ".json")
    except OSError as error:
        return f"and the folder {str(folder)!r} cannot be listed: {_reason(error)}"
    if not names:
        return f"the folder {str(folder)!r} holds no *.json"
    nearest = difflib.get_close_matches(like, names, n=3) or names[:3]
    more = f" and {len(names) - len(nearest)} more" if len(names) > len(nearest) else ""
    return f"the folder {str(folder)!r} holds {', '.join(map(repr, nearest))}{more}"


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
