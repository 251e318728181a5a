"""Files of rows: JSONL, JSON and CSV, read with the standard library alone."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from pytest_genaiver.core.rows import Record
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_LARGEST_CELL = 2**31 - 1  # the csv module's own limit is 128 KB: less than a long context


def read_file(path: Path) -> list[Record]:
    """The records of a file whose suffix is one of `KINDS`.

    Raises ConfigError, naming the line, for a file that cannot be read or is not what its suffix says.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"line {line} is not UTF-8; save the file as UTF-8") from error
    return list(_PARSERS[path.suffix.lower()](text))


def _jsonl(text: str) -> Iterator[Record]:
    # Not splitlines(): it also cuts at characters that JSON allows within a string.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield Record(f"line {number}", _loaded(line, f"line {number}"))


def _json(text: str) -> Iterator[Record]:
    found = _loaded(text)
    if not isinstance(found, list):
        raise ConfigError("is not a list of rows; write [{...}, {...}], or one row a line in a .jsonl file")
    for number, values in enumerate(found, 1):
        yield Record(f"row {number}", values)


def _loaded(text: str, line: str | None = None) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        place = f"{line or f'line {error.lineno}'}, character {error.colno}"
        raise ConfigError(f"{place}: no JSON: {error.msg}") from error
    except (RecursionError, ValueError) as error:
        raise ConfigError(f"{line}: {error}" if line else str(error)) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return found


def _csv(text: str) -> Iterator[Record]:
    """Cells stay the strings they are: no guessed numbers, no missing values."""
    before = csv.field_size_limit(_LARGEST_CELL)
    try:
        yield from _table(text)
    finally:
        csv.field_size_limit(before)


def _table(text: str) -> Iterator[Record]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    start = 1
    try:
        for cells in reader:
            place, start = f"line {start}", reader.line_num + 1
            if not cells:
                continue
            if not header:
                header = _header(cells, place)
            elif len(cells) != len(header):
                counts = f"number of cells: {len(cells)}, columns in the header: {len(header)}"
                raise ConfigError(f"{place}: {counts}; quote a cell that holds a comma")
            else:
                yield Record(place, dict(zip(header, cells, strict=True)))
    except csv.Error as error:
        raise ConfigError(f"line {start}: no CSV: {error}") from error


def _header(names: list[str], place: str) -> list[str]:
    if len(names) == 1 and (found := next((mark for mark in ";\t" if mark in names[0]), None)):
        raise ConfigError(f"{place}: cells are separated by {found!r}; separate them by commas")
    for number, name in enumerate(names, 1):
        if not name.strip():
            raise ConfigError(f"{place}: column {number} of the header has no name")
        if names.index(name) < number - 1:
            raise ConfigError(f"{place}: the column {name!r} stands twice in the header")
    return names


_PARSERS: dict[str, Callable[[str], Iterator[Record]]] = {".jsonl": _jsonl, ".json": _json, ".csv": _csv}
KINDS = tuple(_PARSERS)
