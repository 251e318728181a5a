"""The report as Markdown that fits a comment of a pull request, or a CI job's summary."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_genaiver.report.diffs import cut
from pytest_genaiver.report.text import fit, printable, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_genaiver.report.cases import Case, Repeat
    from pytest_genaiver.report.parts import Fact, Link, Row, Summary, Tone, WorstCase

MOST = 65_536
"""Characters of a comment on GitHub; counted here in bytes, which are never fewer."""

_SIGNS: dict[Tone, str] = {"bad": "\N{CROSS MARK}", "warn": "\N{WARNING SIGN}", "good": "\N{WHITE HEAVY CHECK MARK}"}
_PUNCTUATION = re.compile(r"[^\w\s]|_", re.ASCII)
_LENGTHS = (1_000, 300, 100, 40, 20, 10, 5, 2, 0)
_MOST_NAME = 160
_MOST_SENTENCE = 600
_MOST_OUTPUT = 2_000
_HEADINGS = ("metric", "baseline", "current", "change", "could hide", "verdict")


def marker(app: str) -> str:
    """The hidden line by which a comment is found again, to be updated in place; the same for every session."""
    return f"<!-- pytest-genaiver:{re.sub('[^A-Za-z0-9_.]+', '-', app)} -->"


def document(summary: Summary, *, app: str, outputs: Sequence[Case] = ()) -> str:
    """The whole report, at most `MOST` bytes; where lists were cut, they say by how much.

    `outputs`: cases of which inputs and outputs may be shown, which is the user's decision.
    """
    texts = (_Drawing(summary, app, outputs, most).text() for most in _LENGTHS)
    return next((text for text in texts if len(text.encode()) <= MOST), marker(app) + "\n")


def sentence(text: str, most: int = _MOST_SENTENCE) -> str:
    """Text that may hold names from anywhere, as text and nothing else: no markup, mention, reference or link."""
    return _entities(fit(printable(text), most)).replace("&#64;", "&#64;&#8203;").replace("&#35;", "&#35;&#8203;")


def code(text: str, most: int = _MOST_NAME) -> str:
    """A name from anywhere."""
    return f"<code>{_entities(fit(printable(text), most))}</code>"


def block(text: str) -> str:
    """Text of several lines from anywhere; on one line here, so that nothing in it starts one."""
    shown = visible(cut(text, len(text), _MOST_OUTPUT))
    return f"<pre>{_entities(shown)}</pre>".replace("\n", "&#10;")


def _entities(text: str) -> str:
    return _PUNCTUATION.sub(lambda found: f"&#{ord(found[0])};" if found[0].isascii() else found[0], text)


class _Drawing:
    """One try: lists and tables of at most `most` lines."""

    def __init__(self, summary: Summary, app: str, outputs: Sequence[Case], most: int) -> None:
        self.summary = summary
        self.app = app
        self.outputs = {case.id: case for case in outputs}
        self.most = most

    def text(self) -> str:
        blocks = (
            self.head(),
            self.table(self.summary.rows),
            self.reasons(),
            self.warnings(),
            self.worst(),
            self.since(),
            self.tiers(),
            self.versus(),
            self.folded("Cases and traces", self.facts(self.summary.facts)),
            self.folded("How sure is this?", [f"- {sentence(text)}" for text in self.summary.sure]),
            self.foot(),
        )
        return "\n\n".join("\n".join(lines) for block in blocks if (lines := list(block))) + "\n"

    def head(self) -> Iterator[str]:
        summary = self.summary
        yield marker(self.app)
        sign = _SIGNS.get(summary.tone, "")
        yield f"### {sign} {sentence(summary.headline)}".replace("  ", " ")
        yield ""
        yield f"version {code(summary.version)} beside baseline {code(summary.baseline, _MOST_SENTENCE)}"
        if summary.about_baseline:
            yield f"<br><sub>{sentence(summary.about_baseline)}</sub>"

    def table(self, rows: Sequence[Row]) -> Iterator[str]:
        if not rows:
            return
        yield f"| {' | '.join(_HEADINGS)} |"
        yield "|:--|--:|--:|--:|--:|:--|"
        for row in rows[: self.most]:
            verdict = f"{_SIGNS.get(row.tone, '')} {sentence(row.verdict)}".strip()
            cells = (row.baseline, row.current, row.change, row.hides)
            yield f"| {code(row.metric)} | {' | '.join(map(sentence, cells))} | {verdict} |"
        yield from self.more(len(rows) - self.most, "metrics", before="\n")

    def reasons(self) -> Iterator[str]:
        told = [row for row in self.summary.rows if row.reason and row.tone != "plain"]
        for row in told[: self.most]:
            yield f"- {code(row.metric)} {sentence(row.reason)}"

    def warnings(self) -> Iterator[str]:
        found = self.summary.warnings
        for text in found[: self.most]:
            yield f"- {_SIGNS['warn']} {sentence(text)}"
        yield from self.more(len(found) - self.most, "warnings", before="- ")

    def worst(self) -> Iterator[str]:
        cases = self.summary.worst
        if not cases:
            return
        count = f"{len(cases)} case{'' if len(cases) == 1 else 's'} that got worst"
        yield "<details open>" if self.summary.tone == "bad" else "<details>"
        yield f"<summary>{count}</summary>"
        yield ""
        yield "| case | metric | baseline | current | values | |"
        yield "|:--|:--|--:|--:|--:|:--|"
        for case in cases[: self.most]:
            values = f"{case.n_baseline} &#8594; {case.n_current}"
            means = f"{sentence(case.baseline)} | {sentence(case.current)}"
            yield f"| {code(case.case)} | {code(case.metric)} | {means} | {values} | {case.mark} |"
        yield from self.more(len(cases) - self.most, "cases", before="\n")
        yield ""
        for case in {one.case: one for one in cases[: min(self.most, 10)]}.values():
            yield from self.details(case)
        yield "</details>"

    def details(self, worst: WorstCase) -> Iterator[str]:
        case = self.outputs.get(worst.case)
        if case is None:
            return
        yield f"<details><summary>{code(worst.case)}</summary>"
        if case.inputs is not None:
            yield f"<p>inputs</p>{block(case.inputs)}"
        yield from _output("baseline", case.before)
        yield from _output("current", case.now)
        yield "</details>"

    def since(self) -> Iterator[str]:
        return self.folded("What changed since the baseline", self.facts(self.summary.since))

    def tiers(self) -> Iterator[str]:
        for tier in self.summary.tiers:
            yield f"**{sentence(tier.title)}**"
            yield ""
            yield from self.table(tier.rows)
            yield ""

    def versus(self) -> Iterator[str]:
        for one in self.summary.versus[: self.most]:
            beside = f" beside {code(one.reference)}" if one.reference else ""
            yield f"**version** {code(one.version)}{beside}"
            yield ""
            yield from self.table(one.rows)
            yield ""

    def facts(self, facts: Sequence[Fact]) -> Iterator[str]:
        for fact in facts:
            yield f"- {_SIGNS['warn'] + ' ' if fact.tone == 'warn' else ''}{sentence(fact.text)}"
            yield from (f"  - {code(name)}" for name in fact.names[: self.most])
            yield from self.more(len(fact.names) - self.most, "", before="  - ")

    def folded(self, title: str, lines: Iterator[str] | list[str]) -> Iterator[str]:
        found = list(lines)
        if found:
            yield f"<details><summary>{title}</summary>"
            yield ""
            yield from found
            yield ""
            yield "</details>"

    def foot(self) -> Iterator[str]:
        summary = self.summary
        if summary.next_step:
            yield f"next: {sentence(summary.next_step)}"
        pages = [_page(one) for one in summary.links]
        if pages:
            yield f"<sub>{' &#183; '.join(pages)}</sub>"

    def more(self, number: int, what: str, *, before: str) -> Iterator[str]:
        if number > 0:
            yield f"{before}and {number:,} more {what}".rstrip()


def _page(link: Link) -> str:
    if link.target.startswith(("http://", "https://")):
        return f'<a href="{_entities(printable(link.target))}">{sentence(link.label)}</a>'
    return f"{sentence(link.label)}: {code(link.target, _MOST_SENTENCE)}"


def _output(side: str, repeats: Sequence[Repeat]) -> Iterator[str]:
    if repeats and repeats[0].output is not None:
        yield f"<p>{side}</p>{block(repeats[0].output)}"
    for name, note in repeats[0].notes[:5] if repeats else ():
        yield f"<p>{side}: {code(name)}</p>{block(note)}"
