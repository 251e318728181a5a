"""Lines of a page: each with its tone, untrusted text escaped, cut or wrapped to the width."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_genaiver.cli.output import is_unicode, say, shown, width
from pytest_genaiver.report.text import columns, fit, pad, wrap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_genaiver.report.parts import Tone

_COLOURS: dict[Tone, str | None] = {"bad": "red", "warn": "yellow", "good": "green", "plain": None}
GAP = "  "


class Line(NamedTuple):
    text: str
    tone: Tone = "plain"
    bold: bool = False


def show(lines: Iterable[Line]) -> None:
    for line in lines:
        say(line.text, colour=_COLOURS[line.tone], bold=line.bold)


def heading(text: str) -> Line:
    return Line(fitted(text, width()), bold=True)


def fitted(text: str, wide: int) -> str:
    """Untrusted text in at most that many columns."""
    return fit(shown(text), wide, ascii=not is_unicode())


def paragraph(text: str, *, indent: str = "", tone: Tone = "plain", bold: bool = False) -> Iterator[Line]:
    """Untrusted text in lines that fit; a word that is longer than a line is cut."""
    words = [fitted(word, width() - len(indent)) for word in shown(text).split(" ")]
    for line in wrap(words, width(), indent=indent):
        yield Line(line, tone, bold)


def warnings(texts: Iterable[str]) -> Iterator[Line]:
    for text in texts:
        yield from paragraph(f"warning: {text}", tone="warn")


def blocks(parts: Iterable[Sequence[Line]]) -> Iterator[Line]:
    """The parts that hold something, an empty line between."""
    first = True
    for part in parts:
        if part:
            yield from part if first else (Line(""), *part)
            first = False


def entries(pairs: Iterable[tuple[str, str]]) -> Iterator[Line]:
    """`name  value` lines: the names aligned, long values wrapped beside them, or below on a narrow terminal.

    Words stay whole, so that they can be copied.
    """
    known = [(name, value) for name, value in pairs if value]
    wide = max((columns(shown(name)) for name, _ in known), default=0)
    narrow = width() < wide + 45
    for name, value in known:
        if narrow:
            yield from map(Line, wrap(shown(f"{name}: {value}").split(" "), width()))
            continue
        for i, text in enumerate(wrap(shown(value).split(" "), width() - wide - len(GAP))):
            yield Line(f"{pad(shown(name) if i == 0 else '', wide)}{GAP}{text}".rstrip())


def aligned(rows: Sequence[Sequence[str]], *, left: Sequence[int] = (0,), least: int = 8) -> list[str] | None:
    """A table whose first column gives way where it is too wide; None where even then it does not fit.

    Cells are untrusted; those of the columns `left` are aligned to the left, the others to the right.
    """
    cells = [[shown(cell) for cell in row] for row in rows]
    widths = [max(map(columns, column)) for column in zip(*cells, strict=True)]
    room = width() - sum(widths[1:]) - len(GAP) * (len(widths) - 1)
    if room < min(least, widths[0]):
        return None
    widths[0] = min(widths[0], room)
    return [
        GAP.join(
            pad(fit(cell, wide, ascii=not is_unicode()), wide, right=i not in left)
            for i, (cell, wide) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
