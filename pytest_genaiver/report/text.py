"""Untrusted text on a terminal: escaped, measured in columns, cut to fit."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


_LOGGING_COMMAND = re.compile(r"##(?=\w*\[)")


def printable(text: str, *, ascii: bool = False) -> str:
    """The text with everything escaped that could move the cursor, break the line or turn its direction.

    That is every character without a shape of its own: control characters (so ANSI escapes too), line and
    paragraph separators, bidirectional controls and other invisible format characters, lone surrogates.
    With `ascii` everything beyond ASCII.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(char, ascii) for char in text)


def visible(text: str) -> str:
    """Text of several lines with everything else that `printable` escapes made visible."""
    if text.isascii() and text.isprintable():
        return text
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join("\t".join(map(printable, line.split("\t"))) for line in lines)


def inert(line: str) -> str:
    """A line that no CI service takes for a command to it (`::error::` of GitHub, `##[…` and `##vso[…` of Azure)."""
    if line.lstrip().startswith("::"):
        line = line.replace("::", r"\x3a:", 1)
    return _LOGGING_COMMAND.sub(r"#\\x23", line)


def columns(text: str) -> int:
    """How many terminal columns printable text takes: wide characters two, combining ones none."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def fit(text: str, width: int, *, ascii: bool = False) -> str:
    """The text in at most `width` columns, cut in the middle."""
    if columns(text) <= max(width, 0):
        return text
    mark = _mark(ascii)
    room = width - len(mark)
    if room < 2:
        return _head(text, width)
    tail = _head(text[::-1], room // 2)[::-1]
    return _head(text, room - columns(tail)) + mark + tail


def fit_case(case: str, width: int, *, ascii: bool = False) -> str:
    """A case id in at most `width` columns. What cases share goes first: path, then function, then the middle."""
    for short in (case, without_path(case, ascii=ascii)):
        if columns(short) <= width:
            return short
    _, bracket, parameters = case.partition("[")
    return fit(_mark(ascii) + bracket + parameters if bracket else short, width, ascii=ascii)


def without_path(case: str, *, ascii: bool = False) -> str:
    """`…::test_topic[a]` of `tests/test_support.py::test_topic[a]`."""
    path, bracket, parameters = case.partition("[")
    _, colons, function = path.partition("::")
    return _mark(ascii) + colons + function + bracket + parameters if colons else case


def pad(text: str, width: int, *, right: bool = False) -> str:
    """The text filled with spaces to `width` columns; `right` aligns it to the right, as numbers are."""
    fill = " " * (width - columns(text))
    return fill + text if right else text + fill


def wrap(words: Iterable[str], width: int, *, indent: str = "") -> list[str]:
    """Words in lines of at most `width` columns; a longer word has a line of its own."""
    lines: list[str] = []
    line = ""
    for word in words:
        longer = f"{line} {word}" if line else indent + word
        if line and columns(longer) > width:
            lines.append(line.rstrip())
            longer = indent + word
        line = longer
    return [*lines, line.rstrip()]


def _mark(ascii: bool) -> str:
    return "..." if ascii else "\N{HORIZONTAL ELLIPSIS}"


def _visible(char: str, ascii: bool) -> str:
    if char.isprintable() and (char.isascii() or not ascii):
        return char
    return char.encode("unicode_escape").decode("ascii")


def _columns(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _head(text: str, width: int) -> str:
    """As much as fits of a text that is wider."""
    end = taken = 0
    while (taken := taken + _columns(text[end])) <= width:
        end += 1
    return text[:end]
