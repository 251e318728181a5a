"""`genaiver history` on a terminal: a line a version, newest first, with a bar for the metric's value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_genaiver.cli.drawing.lines import GAP, Line, blocks, fitted, heading, paragraph, warnings
from pytest_genaiver.cli.output import is_unicode, shown, width
from pytest_genaiver.core import numbers
from pytest_genaiver.core.changepoints import on_line
from pytest_genaiver.core.words import p_value
from pytest_genaiver.report.text import columns, pad

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_genaiver.core.changepoints import ChangePoint
    from pytest_genaiver.looking.branch import History, Point

_BAR = 12
_LEAST_BAR, _LEAST_SUBJECT = 6, 12
_EIGHTHS = ("", *(chr(0x2590 - n) for n in range(1, 9)))
"""Blocks of one eighth of a column to a whole one."""


def lines(found: History) -> Iterator[Line]:
    yield from blocks([[*_head(found)], [*_versions(found)], [*_foot(found)]])


def _head(found: History) -> Iterator[Line]:
    values = [p.value for p in found.points if p.value is not None]
    count = f"{len(found.points)} version{'' if len(found.points) == 1 else 's'}"
    yield heading(f"{found.metric} {found.where}: {count}, newest first")
    if values:
        ends = " to ".join(numbers.value(found.kind, end) for end in (min(values), max(values)))
        yield from paragraph(f"{ends}; {found.direction} is better")


def _versions(found: History) -> Iterator[Line]:
    cells = [_cells(found, point) for point in found.points]
    wide = max((columns(value) for _, value in cells), default=0)
    names = [shown(name) for name, _ in cells]
    longest = min(max(map(columns, names), default=0), max(width() // 3, 8))
    taken = len("2026-01-01") + longest + wide + len(GAP) * 3
    bar = min(_BAR, width() - taken)
    room = width() - taken - bar - len(GAP)
    line = [on_line(p.value, found.kind) for p in found.points if p.value is not None]
    ends = min(line, default=0.0), max(line, default=0.0)
    for place, (point, name, (_, value)) in enumerate(zip(found.points, names, cells, strict=True)):
        parts = [point.when.strftime("%Y-%m-%d"), pad(fitted(name, longest), longest), pad(value, wide, right=True)]
        if bar >= _LEAST_BAR:
            here = None if point.value is None else on_line(point.value, found.kind)
            parts.append(pad(_bar(here, *ends, bar), bar))
        if room >= _LEAST_SUBJECT:
            parts.append(fitted(_remarks(point), room))
        elif marks := _marks(point):
            parts.append(marks)
        yield Line(GAP.join(parts).rstrip())
        if place in found.changes:
            yield from _mark(found, found.changes[place])


def _cells(found: History, point: Point) -> tuple[str, str]:
    name = point.ref.commit[:8] if point.ref.commit and point.subject else point.ref.name
    return name, numbers.value(found.kind, point.value)


def _marks(point: Point) -> str:
    return "".join(mark for mark, there in (("*", point.ref.dirty), ("!", point.cut_short)) if there)


def _remarks(point: Point) -> str:
    marks = [text for text, there in (("[dirty]", point.ref.dirty), ("[cut short]", point.cut_short)) if there]
    return " ".join([*marks, point.subject])


def _mark(found: History, change: ChangePoint) -> Iterator[Line]:
    shift = change.shift
    sides = " -> ".join(numbers.value(shift.kind, mean) for mean in (shift.before, shift.after))
    rose = shift.after > shift.before
    text = f"^ {'rose' if rose else 'fell'} {sides}, over {shift.cases} cases (p {p_value(shift.p)})"
    yield from paragraph(text, indent=GAP, tone="bad" if shift.worse else "good", bold=True)


def _foot(found: History) -> Iterator[Line]:
    if len(found.points) > 1 and not found.changes:
        yield from paragraph("no change beyond chance and tolerance")
    if width() < 60 and any(map(_marks, found.points)):
        yield from paragraph("* uncommitted changes, ! cut short")
    others = [name for name in found.metrics if name != found.metric]
    if others:
        yield from paragraph(f"other metrics (--metric): {', '.join(others)}")
    yield from warnings(found.warnings)


def _bar(value: float | None, low: float, high: float, wide: int) -> str:
    """From a short bar for the least value shown to a full one for the largest; none where it is unknown."""
    if value is None:
        return ""
    share = (value - low) / (high - low) if high > low else 0.5
    length = 1 + share * (wide - 1)
    if not is_unicode():
        return "#" * round(length)
    whole, rest = divmod(round(length * 8), 8)
    return _EIGHTHS[8] * whole + _EIGHTHS[rest]
