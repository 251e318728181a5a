"""The cases as data for the HTML page: everything visible, nothing longer than fits, the smallest form."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_genaiver.report.cases import ORDER, Case, Repeat
from pytest_genaiver.report.diffs import Piece, cut, diff, fair_share
from pytest_genaiver.report.text import printable, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

BUDGET = 1_900_000
"""Bytes that all texts of all cases take together, as JSON."""

_LEAST = 120
_MOST_REPEATS = 20
_MOST_COLUMNS = 6


def fitted(cases: Sequence[Case], budget: int = BUDGET) -> tuple[Case, ...]:
    """The cases with every text made visible, the longest cut so that all fit; names are raw still."""
    shown = [_texts(case, visible) for case in cases]
    sizes = [_size(text) for case in shown for text in _all_texts(case)]
    most = max(fair_share(sizes, budget), _LEAST)
    return tuple(_texts(case, lambda text: cut(text, _size(text), most)) for case in shown)


def _texts(case: Case, change: Callable[[str], str]) -> Case:
    def repeats(given: Sequence[Repeat]) -> tuple[Repeat, ...]:
        return tuple(
            replace(
                one,
                output=None if one.output is None else change(one.output),
                notes=tuple((name, change(text)) for name, text in one.notes),
            )
            for one in given[:_MOST_REPEATS]
        )

    return replace(
        case,
        inputs=None if case.inputs is None else change(case.inputs),
        expectations=None if case.expectations is None else change(case.expectations),
        before=repeats(case.before),
        now=repeats(case.now),
        notes=tuple(map(change, case.notes)),
    )


def _all_texts(case: Case) -> Iterator[str]:
    yield from (text for text in (case.inputs, case.expectations, *case.notes) if text is not None)
    for one in (*case.before, *case.now):
        if one.output is not None:
            yield one.output
        yield from (text for _, text in one.notes)


def _size(text: str) -> int:
    return len(text) if text.isascii() and text.isalnum() else len(json.dumps(text, ensure_ascii=False).encode())


def beside(case: Case) -> list[Piece] | None:
    """Baseline and current output with their differences; None where one of them is not known."""
    old, new = _output(case.before), _output(case.now)
    return None if old is None or new is None else diff(old, new)


def _output(repeats: Sequence[Repeat]) -> str | None:
    return repeats[0].output if repeats else None


def data(cases: Sequence[Case], metrics: Sequence[str], traces_page: str) -> dict[str, Any]:
    """What the page's script draws the cases from. `metrics` come as they are to be shown, the first as columns."""
    place = {metric: index for index, metric in enumerate(metrics)}
    return {
        "metrics": [printable(metric) for metric in metrics],
        "columns": min(len(metrics), _MOST_COLUMNS),
        "verdicts": list(ORDER),
        "traces": traces_page,
        "cases": [_row(case, place) for case in cases],
    }


def _row(case: Case, place: dict[str, int]) -> list[Any]:
    pieces = beside(case)
    return [
        printable(case.id),
        ORDER.index(case.verdict),
        printable(case.location or ""),
        [[place[v.metric], v.shown_baseline, v.shown_current, round(v.worse, 6)] for v in case.values],
        case.inputs,
        case.expectations,
        pieces,
        _repeats(case.before, told=pieces is not None),
        _repeats(case.now, told=pieces is not None),
        list(map(printable, case.baseline_traces)),
        list(map(printable, case.traces)),
        list(case.notes),
    ]


def _repeats(repeats: Sequence[Repeat], *, told: bool) -> list[Any]:
    """`told`: the first one's output is among the differences already."""
    return [
        [
            one.number + 1,
            None if told and index == 0 else one.output,
            [[printable(name), text] for name, text in one.notes],
        ]
        for index, one in enumerate(repeats)
    ]
