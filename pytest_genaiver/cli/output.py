"""What commands print: JSON for programs, aligned text for people, untrusted text escaped."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

import click

from pytest_genaiver.core.jsonform import finite
from pytest_genaiver.report.text import columns, pad, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from click.decorators import FC

json_option: Callable[[FC], FC] = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
"""For every command that reads: its function is given `as_json`."""


def show_json(data: Any) -> None:
    """One JSON document on stdout; NaN and infinities become null."""
    click.echo(json.dumps(finite(data), indent=2, ensure_ascii=not is_unicode()))


def say(text: str = "", *, colour: str | None = None, bold: bool = False) -> None:
    """A line on stdout. Names, ids and outputs in it must be `shown` first."""
    click.echo(click.style(text, fg=colour, bold=bold) if colour or bold else text)


def progress(text: str) -> None:
    """A line on stderr, so that stdout stays what was asked for."""
    click.echo(shown(text), err=True)


def shown(text: str) -> str:
    """Untrusted text as it may be printed here: nothing in it can move the cursor or start a line."""
    return printable(text, ascii=not is_unicode())


def is_unicode() -> bool:
    """Whether stdout takes more than ASCII."""
    return (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("-", "").startswith("utf")


def width() -> int:
    """Columns of the terminal; of a pipe or file too, COLUMNS where it is set, else 80."""
    return shutil.get_terminal_size((80, 24)).columns


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> list[str]:
    """Lines of an aligned table; the first `left` columns are text, the others numbers, aligned to the right."""
    lines = [[shown(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(columns, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(_aligned(line, widths, left)).rstrip() for line in lines]


def _aligned(line: Sequence[str], widths: Sequence[int], left: int) -> list[str]:
    return [pad(cell, wide, right=i >= left) for i, (cell, wide) in enumerate(zip(line, widths, strict=True))]
