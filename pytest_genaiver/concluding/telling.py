"""What a session says on the terminal: its header, what it is about to run, its report."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.tracking.store import shown_uri
from pytest_genaiver.report import terminal
from pytest_genaiver.report.annotations import workflow_commands
from pytest_genaiver.report.text import fit, inert, printable, wrap
from pytest_genaiver.running import soft

if TYPE_CHECKING:
    from pytest_genaiver.core.pooling import BaselineFacts
    from pytest_genaiver.core.records import Plan
    from pytest_genaiver.opening import Opened
    from pytest_genaiver.report.parts import Summary


def header(opened: Opened, reporter: Any) -> list[str]:
    """The version and its store; a store inside the project by its path there."""
    place, root = opened.store.place, opened.surveyed.root
    store = shown_uri(place.uri)
    if place.database is not None and place.database.is_relative_to(root):
        store = place.database.relative_to(root).as_posix()
    return folded(f"genaiver: version {opened.version.name}, store {store}", reporter)


def announce(plan: Plan, least: int, baseline: BaselineFacts, reporter: Any) -> None:
    """What will be run, before anything is paid for; silent under -q."""
    if reporter is None or reporter.verbosity < 0:
        return
    sides = 2 if baseline.fresh else 1
    runs = sum((c.repeats or least) * (len(c.versions) or sides) for c in plan.cases.values())
    cases = f"{len(plan.cases)} case{'' if len(plan.cases) == 1 else 's'}"
    judges = sum(c.judges * (c.repeats or least) * (len(c.versions) or sides) for c in plan.cases.values())
    judged = f" and at most {judges} by judges" if judges else ""
    name = f"{baseline.name}, run beside it" if baseline.fresh else baseline.name or "none"
    text = f"genaiver: {cases} to run, {runs} runs in all{judged}; baseline {name}"
    for line in folded(text, reporter):
        reporter.write_line(line)


def between(text: str, reporter: Any) -> None:
    """A line while tests run, on a line of its own."""
    if reporter is None:
        return
    reporter.ensure_newline()
    # Under xdist the reporter does not know that its dots left the line open.
    if reporter.config.get_terminal_writer().width_of_current_line:
        reporter.write("\n")
    for line in folded(text, reporter):
        reporter.write_line(line)


def summary(shown: Summary | None, reporter: Any) -> None:
    """The report at the end of the session, where it came to one."""
    soft_failures(reporter)
    if shown is None:
        return
    # The line of the last test has ended, which the reporter does not know: it would leave a blank one.
    reporter.currentfspath = None
    reporter.section("genai version")
    lines = terminal.lines(shown, width=_width(reporter), verbosity=reporter.verbosity, ascii=_ascii(reporter))
    for text, markup in lines:
        reporter.write_line(text, **markup)
    for command in workflow_commands(shown, os.environ):
        reporter.write_line(command)


def soft_failures(reporter: Any) -> None:
    """Under `-ra` and `-rA` a line for each soft failure, under `-rA` its traceback too, as `--tb` asks for it."""
    options, found = reporter.config.option, reporter.stats.get(soft.CATEGORY, [])
    if not found or not {"a", "A"} & {*options.reportchars}:
        return
    reporter.currentfspath = None
    reporter.section("soft failures")
    lined = options.tbstyle == "line"
    for report in found if "A" in options.reportchars and options.tbstyle != "no" else ():
        if not lined:
            reporter.write_sep("_", report.head_line or report.nodeid, yellow=True)
        for line in getattr(report, soft.PLACE if lined else soft.TRACEBACK).rstrip().splitlines():
            reporter.write_line(printable(line, ascii=_ascii(reporter)))
    for report in found:
        reason = getattr(report, soft.SOFT).partition("\n")[0]
        reporter.write_line(printable(f"{soft.WORD} {report.nodeid} - {reason}", ascii=_ascii(reporter)), yellow=True)


def folded(text: str, reporter: Any) -> list[str]:
    """The text in lines that fit the terminal, everything in it printable."""
    width, ascii_only = _width(reporter), _ascii(reporter)
    words = printable(text, ascii=ascii_only).split(" ")
    return [inert(line) for line in wrap([fit(word, width, ascii=ascii_only) for word in words], width)]


def _width(reporter: Any) -> int:
    return int(reporter._tw.fullwidth) if reporter is not None else 80


def _ascii(reporter: Any) -> bool:
    """Whether the terminal cannot show what the report draws with."""
    file = getattr(getattr(reporter, "_tw", None), "_file", sys.stdout)
    try:
        "\N{HORIZONTAL ELLIPSIS}\N{BOX DRAWINGS LIGHT HORIZONTAL}\N{RIGHTWARDS ARROW}".encode(
            getattr(file, "encoding", None) or "utf-8"
        )
    except (UnicodeEncodeError, LookupError):
        return True
    return False
