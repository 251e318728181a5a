"""`genaiver show VERSION --case CASE` on a terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_genaiver.cli.drawing.lines import GAP, Line, aligned, blocks, entries, heading, paragraph
from pytest_genaiver.cli.output import shown
from pytest_genaiver.core import numbers
from pytest_genaiver.core.variants import full_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_genaiver.looking.cases import RecordedCase

_LONGEST = 2_000
"""Characters of a value that are shown; `-v` shows all, and so does --json."""


def lines(found: RecordedCase, *, verbose: bool) -> Iterator[Line]:
    """Scores of every repeat, then each repeat with its inputs, output, logged values and reasons."""
    yield from blocks(
        [
            [heading(full_id(found.case)), *entries(_facts(found))],
            [*_scores(found)],
            *([*_repeat(j, kept, verbose=verbose)] for j, kept in enumerate(found.repeats) if kept),
            [*paragraph("no inputs or outputs were kept of this case")] if not any(found.repeats) else [],
            [Line(f"trace: {shown(found.traces_page + trace)}") for trace in found.case.traces],
        ]
    )


def _facts(found: RecordedCase) -> Iterator[tuple[str, str]]:
    session = found.session
    yield "version", session.version.name
    yield "session", f"{session.session.started[:16].replace('T', ' ')}, {session.session.verdict or 'no verdict'}"
    yield "test", found.case.location or ""
    yield "gate", found.case.gate if found.case.gate != "fail" else ""
    for note in found.case.notes:
        yield "note", note


def _scores(found: RecordedCase) -> Iterator[Line]:
    rows = [
        (metric, " ".join(numbers.value(found.kinds.get(metric, "score"), value) for value in values))
        for metric, values in found.case.scores.items()
    ]
    if rows:
        table = aligned([("metric", "each repeat"), *rows], left=(0, 1)) or [" ".join(row) for row in rows]
        yield Line(table[0], bold=True)
        yield from map(Line, table[1:])


def _repeat(number: int, kept: Mapping[str, Any], *, verbose: bool) -> Iterator[Line]:
    yield heading(f"repeat {number + 1}")
    answer = kept.get("output", kept.get("traced"))
    values = {**{name: kept.get(name) for name in ("inputs", "expectations")}, "output": answer}
    reasons = {**kept.get("rationales", {}), **kept.get("errors", {})}
    for name, value in {**values, "logged": kept.get("logged"), **reasons}.items():
        if value is not None:
            yield from paragraph(f"{name}: {_text(value, verbose)}", indent=GAP)


def _text(value: Any, verbose: bool) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if verbose or len(text) <= _LONGEST else f"{text[:_LONGEST]} ({len(text):,} characters, -v shows all)"
