"""The report on a terminal: plain lines that fit the width, each with the markup that pytest's writer takes."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from pytest_genaiver.core import numbers
from pytest_genaiver.report.text import columns, fit, fit_case, inert, pad, printable, without_path, wrap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_genaiver.report.parts import Fact, Row, Summary, Tone, WorstCase

__all__ = ["Line", "lines", "printable"]

Line = tuple[str, dict[str, bool]]

_MARKUP: dict[Tone, dict[str, bool]] = {
    "bad": {"red": True, "bold": True},
    "warn": {"yellow": True},
    "good": {"green": True},
    "plain": {},
}
_HEADINGS = ("metric", "baseline", "current", "change", "could hide", "verdict")
_GAP = "  "
_LEAST_NAME = 12
_MOST_WORST = 10
_MOST_NAMES = 5
_MOST_CHANGES = 3
_MOST_VERBOSE = 200
_MOST_VERY_VERBOSE = 5_000
_MOST_NOTE = 400
_MOST_NOTE_VERY_VERBOSE = 4_000


def lines(summary: Summary, *, width: int, verbosity: int, ascii: bool = False) -> list[Line]:
    """The report as (text, keyword arguments for `TerminalReporter.write_line`).

    Tables, case ids and lists fit `width` columns. The version, the baseline, warnings and links stay whole, one
    line each: they are there to be copied or searched. `verbosity` is pytest's: below 0 the report is short,
    above 0 it shows more cases, their traces, every reason and how sure that is, above 1 all cases and longer notes.
    `ascii` is for terminals without Unicode.
    """
    drawing = _Drawing(summary, width, verbosity, ascii)
    drawn = drawing.short() if verbosity < 0 else drawing.full()
    return [(inert(line), markup) for line, markup in drawn]


class _Drawing:
    def __init__(self, summary: Summary, width: int, verbosity: int, ascii: bool) -> None:
        self.summary = summary
        self.width = width
        self.verbose = verbosity > 0
        self.most = (_MOST_WORST, _MOST_VERBOSE, _MOST_VERY_VERBOSE)[min(max(verbosity, 0), 2)]
        self.most_note = _MOST_NOTE if verbosity < 2 else _MOST_NOTE_VERY_VERBOSE
        self.ascii = ascii

    def short(self) -> list[Line]:
        return [*self.head(), *self.failing(), *self.loud_facts(), *self.warnings()]

    def full(self) -> list[Line]:
        head = [*self.head(), *self.wrapped(self.summary.about_baseline, indent=_GAP)]
        facts = [*chain.from_iterable(map(self.fact, self.summary.facts))]
        blocks = [
            head,
            [*self.metrics()],
            [*self.worst()],
            *self.tiers(),
            [*self.since()],
            [*self.sure()],
            *self.versus(),
            facts,
            [*self.warnings()],
            [*self.links()],
        ]
        return [line for block in blocks if block for line in (*block, ("", {}))][:-1]

    def head(self) -> Iterator[Line]:
        for line, markup in self.wrapped(self.summary.headline, tone=self.summary.tone):
            yield line, {"bold": True, **markup}
        yield f"version {self.safe(self.summary.version)}", {}
        yield f"baseline {self.safe(self.summary.baseline)}", {}

    def failing(self) -> Iterator[Line]:
        for row in self.summary.rows:
            if row.gated and row.tone != "plain":
                yield self.one_line(row), _MARKUP[row.tone]

    def one_line(self, row: Row) -> str:
        rest = f": {row.verdict}, {_values(row)}"
        return self.fitted(row.metric, max(self.width - len(rest), _LEAST_NAME)) + rest

    def versus(self) -> list[list[Line]]:
        """Other versions of the session, each beside its reference; one that is itself a reference is shown there."""
        references = {one.reference for one in self.summary.versus}
        blocks = []
        for one in self.summary.versus:
            if one.reference or one.version not in references:
                beside = f" beside {self.safe(one.reference)}" if one.reference else ""
                blocks.append(
                    [(f"version {self.safe(one.version)}{beside}", {"bold": True}), *self.metrics(one.rows)]
                )
        return blocks

    def tiers(self) -> list[list[Line]]:
        return [[(tier.title, {"bold": True}), *self.metrics(tier.rows)] for tier in self.summary.tiers]

    def metrics(self, rows: Sequence[Row] | None = None) -> Iterator[Line]:
        rows = self.summary.rows if rows is None else rows
        names = [self.safe(row.metric) for row in rows]
        cells = [_HEADINGS[1:], *(_cells(row) for row in rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        longest = max(map(columns, ("metric", *names)))
        room = self.width - sum(widths) - len(_GAP) * len(widths)
        if rows and room >= min(longest, _LEAST_NAME):
            yield from self.table(rows, [min(longest, room), *widths])
        elif rows:
            yield from self.stacked(rows)
        for row in rows:
            if row.reason and (self.verbose or row.tone != "plain"):
                yield from self.wrapped(f"{row.metric}: {row.reason}", indent=_GAP)

    def table(self, rows: Sequence[Row], widths: Sequence[int]) -> Iterator[Line]:
        for name, cells, markup in (
            (_HEADINGS[0], _HEADINGS[1:], {"bold": True}),
            *((row.metric, _cells(row), _MARKUP[row.tone]) for row in rows),
        ):
            first = pad(self.fitted(name, widths[0]), widths[0])
            middle = [pad(cell, width, right=True) for cell, width in zip(cells, widths[1:-1], strict=False)]
            yield _GAP.join((first, *middle, cells[-1])), markup

    def stacked(self, rows: Sequence[Row]) -> Iterator[Line]:
        for row in rows:
            name = self.fitted(row.metric, max(self.width - len(row.verdict) - 2, _LEAST_NAME))
            yield f"{name}: {row.verdict}", _MARKUP[row.tone]
            yield from self.wrapped(_values(row), indent=_GAP)

    def since(self) -> Iterator[Line]:
        """What changed since the baseline, a line for each area; when verbose, for each change."""
        areas = [self.fitted(fact.text, self.width // 2) for fact in self.summary.since]
        longest = max(map(columns, areas), default=0)
        room = self.width - longest - 2 * len(_GAP)
        drawn = [(area, *self.listed(fact.names, room)) for area, fact in zip(areas, self.summary.since, strict=True)]
        if drawn:
            heading, hint = "changed since the baseline", " (-v shows all)"
            hinted = any(hidden for *_, hidden in drawn) and len(heading + hint) <= self.width
            yield heading + (hint if hinted else ""), {"bold": True}
        for area, texts, _ in drawn:
            for text in texts:
                yield f"{_GAP}{pad(area, longest)}{_GAP}{text}".rstrip(), {}

    def listed(self, names: Sequence[str], room: int) -> tuple[list[str], bool]:
        """As many of the names as fit one line, and whether some do not; when verbose each on its own line."""
        if self.verbose or not names:
            return [self.fitted(name, room) for name in names[:_MOST_VERBOSE]] or [""], False
        for shown in range(min(len(names), _MOST_CHANGES), 0, -1):
            hidden = len(names) - shown
            more = f" and {hidden:,} more" if hidden else ""
            text = ", ".join(map(self.safe, names[:shown]))
            if columns(text + more) <= room:
                return [text + more], bool(hidden)
        return [self.fitted(names[0], max(room - len(more), 1)) + more], bool(hidden)

    def worst(self) -> Iterator[Line]:
        cases = self.summary.worst
        shown = cases[: self.most]
        if not shown:
            return
        yield "cases that got worst", {"bold": True}
        rest = [_GAP.join(cells) for cells in _columned([self.case_cells(case) for case in shown])]
        room = self.width - max(map(columns, rest)) - len(_GAP)
        beside = all(columns(without_path(self.safe(c.case), ascii=self.ascii)) <= room for c in shown)
        names = [self.fitted_case(case.case, room if beside else self.width) for case in shown]
        longest = max(map(columns, names))
        for case, name, cells in zip(shown, names, rest, strict=True):
            if beside:
                yield f"{pad(name, longest)}{_GAP}{cells}".rstrip(), {}
            else:
                yield name, {}
                yield from self.wrapped(cells.rstrip(), indent=_GAP)
            if self.verbose:
                yield from self.details(case, shortened=name != self.safe(case.case))
        if len(cases) > len(shown):
            yield self.more(len(cases) - len(shown)), {}

    def sure(self) -> Iterator[Line]:
        """Asked for, or where the verdict itself is that nothing is sure."""
        if self.verbose or self.summary.verdict == "inconclusive":
            for text in self.summary.sure:
                yield from self.wrapped(text)

    def case_cells(self, case: WorstCase) -> tuple[str, ...]:
        means = f"{case.baseline} -> {case.current}"
        return self.fitted(case.metric, 20), means, f"n {case.n_baseline} -> {case.n_current}", case.mark

    def details(self, case: WorstCase, *, shortened: bool) -> Iterator[Line]:
        whole = case.case if shortened else ""
        traces = f"traces {', '.join(case.traces)}" if case.traces else ""
        # Notes may hold what a model wrote, which has no limit of its own.
        notes = (self.fitted(note, self.most_note) for note in case.notes)
        for text in (whole, case.location or "", traces, *notes):
            yield from self.wrapped(text, indent=_GAP * 2, whole=True)

    def fact(self, fact: Fact) -> Iterator[Line]:
        shown = fact.names[: self.most if self.verbose else _MOST_NAMES]
        yield from self.wrapped(fact.text + (":" if shown else ""), tone=fact.tone)
        for name in shown:
            yield _GAP + self.fitted_case(name, self.width - len(_GAP)), {}
        if len(fact.names) > len(shown):
            yield _GAP + self.more(len(fact.names) - len(shown)), {}

    def loud_facts(self) -> Iterator[Line]:
        return ((self.safe(f.text), _MARKUP[f.tone]) for f in self.summary.facts if f.tone != "plain")

    def warnings(self) -> Iterator[Line]:
        return ((f"warning: {self.safe(text)}", _MARKUP["warn"]) for text in self.summary.warnings)

    def links(self) -> Iterator[Line]:
        if self.summary.next_step:
            yield from self.wrapped(f"next: {self.summary.next_step}")
        for link in self.summary.links:
            yield f"{self.safe(link.label)}: {self.safe(link.target)}", {}

    def more(self, number: int) -> str:
        how = {_MOST_WORST: " (-v shows them)", _MOST_VERBOSE: " (-vv shows them)"}.get(self.most, "")
        return f"and {number:,} more{how}"

    def safe(self, text: str) -> str:
        return printable(text, ascii=self.ascii)

    def fitted(self, text: str, width: int) -> str:
        return fit(self.safe(text), width, ascii=self.ascii)

    def fitted_case(self, case: str, width: int) -> str:
        return fit_case(self.safe(case), width, ascii=self.ascii)

    def wrapped(self, text: str, *, indent: str = "", tone: Tone = "plain", whole: bool = False) -> Iterator[Line]:
        """Lines that fit the width; with `whole` a word that is longer than a line is not cut."""
        words = self.safe(text).split(" ")
        if not whole:
            words = [fit(word, self.width - len(indent), ascii=self.ascii) for word in words]
        if text:
            yield from ((line, _MARKUP[tone]) for line in wrap(words, self.width, indent=indent))


def _cells(row: Row) -> tuple[str, ...]:
    return row.baseline, row.current, row.change, row.hides, row.verdict


def _values(row: Row) -> str:
    """`0.96 -> 0.55 (-0.41), could hide 0.49`, without what is unknown."""
    change = "" if row.change == numbers.NOTHING else f" ({row.change})"
    before = "" if row.baseline == numbers.NOTHING else f"{row.baseline} -> "
    hides = "" if row.hides == numbers.NOTHING else f", could hide {row.hides}"
    return f"{before}{row.current}{change}{hides}"


def _columned(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]
    return [[pad(cell, width) for cell, width in zip(row, widths, strict=True)] for row in rows]
