"""The report as one HTML file that needs nothing else: no network, and nothing runs but its own script."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_genaiver.core.policy import LOG_KINDS
from pytest_genaiver.report import page, plots
from pytest_genaiver.report.text import printable, without_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_genaiver.core.decision import Decision
    from pytest_genaiver.report.cases import Case
    from pytest_genaiver.report.parts import Past, Row, Summary

_FOLDER = Path(__file__).with_name("templates")
_MOST_PLOTS = 30
_MOST_MOVED = 12
_MOST_BYTES = 2_900_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """What only this report shows. `history`: versions oldest first, this one last; `traces_page` is empty where no
    server shows traces, else what comes before a trace's id. `keys` are the metrics' names in the history.
    """

    cases: Sequence[Case]
    history: Sequence[Past]
    keys: dict[str, str]
    traces_page: str
    app: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A metric's row with its plots, and what they say in words."""

    row: Row
    interval: str
    interval_says: str
    history: str
    history_says: str


def document(summary: Summary, decision: Decision | None, extra: Extra) -> str:
    """The whole page; texts are cut further until it is smaller than 3 MB."""
    budget = page.BUDGET
    while True:
        text = _document(summary, decision, extra, page.fitted(extra.cases, budget))
        if len(text.encode()) <= _MOST_BYTES or budget < 1_000:
            return text
        budget //= 2


def _document(summary: Summary, decision: Decision | None, extra: Extra, cases: Sequence[Case]) -> str:
    style, script = _asset("report.css"), _asset("report.js")
    by_id = {case.id: case for case in cases}
    moved = [by_id[name] for name in dict.fromkeys(worst.case for worst in summary.worst) if name in by_id]
    metrics = [row.metric for row in summary.rows]
    known = dict.fromkeys([*metrics, *(value.metric for case in cases for value in case.values)])
    return str(
        _environment()
        .get_template("report.html")
        .render(
            summary=summary,
            app=extra.app,
            metrics=_drawn(summary.rows, decision, extra),
            moved=[(case, page.beside(case)) for case in moved[:_MOST_MOVED]],
            more_moved=max(len(moved) - _MOST_MOVED, 0),
            gated={row.metric for row in summary.rows if row.gated},
            count=len(cases),
            data=_json(page.data(cases, list(known), extra.traces_page)),
            traces_page=extra.traces_page,
            style=style,
            script=script,
            policy=_policy(style, script),
        )
    )


@cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    made = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["shown"] = printable
    made.filters["short"] = without_path
    made.filters["is_page"] = lambda target: target.startswith(("http://", "https://"))
    # Only for what is ours: the style, the script, the plots, and data in which no `<` is left.
    made.filters["ours"] = Markup
    return made


def _asset(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8").strip()


def _policy(style: str, script: str) -> str:
    """Nothing but this style and this script; a page that is opened as a file cannot even ask for an icon."""
    return (
        f"default-src 'none'; style-src {_hashed(style)}; script-src {_hashed(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _drawn(rows: Sequence[Row], decision: Decision | None, extra: Extra) -> list[Drawn]:
    drawable = plots.available()
    drawn = []
    for index, row in enumerate(rows):
        wanted = drawable and index < _MOST_PLOTS
        interval, says = _interval(row, decision) if wanted else ("", "")
        history, told = _history(row, extra) if wanted else ("", "")
        drawn.append(
            Drawn(row=row, interval=interval, interval_says=says, history=history, history_says=told),
        )
    return drawn


def _interval(row: Row, decision: Decision | None) -> tuple[str, str]:
    metric = None if decision is None else decision.metrics.get(row.metric)
    if metric is None or metric.drop is None:
        return "", ""
    relative = " (as a logarithm of the ratio)" if metric.kind in LOG_KINDS else ""
    says = (
        f"change {row.change}, could hide a drop of {row.hides}; worse is to the left, the band is the tolerance of "
        f"{metric.tolerance:g}{relative}"
    )
    return plots.interval(metric.drop, metric.upper, metric.tolerance), says


def _history(row: Row, extra: Extra) -> tuple[str, str]:
    key = extra.keys.get(row.metric, row.metric)
    known = [(past.version, past.metrics[key]) for past in extra.history if key in past.metrics]
    if len(known) < 2:
        return "", ""
    (first, oldest), (_, newest) = known[0], known[-1]
    says = f"over {len(known)} versions, from {oldest:.4g} in {first} to {newest:.4g}"
    return plots.history([value for _, value in known]), says
