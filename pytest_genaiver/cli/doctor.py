"""`genaiver doctor`: what could keep a session from working, or from finding its baseline, each with its fix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pytest_genaiver.adapters.traces.surroundings import calm
from pytest_genaiver.cli.main import NO, OK
from pytest_genaiver.cli.output import json_option, say, show_json, shown, width
from pytest_genaiver.report.text import wrap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_genaiver.cli.checks.finding import Finding

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}
_INDENT = 18


@click.command("doctor")
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> int:
    """Check what a session needs: git's history, the store, versions, clock, keys, the baseline.

    Nothing is changed, and no check waits longer than seconds. Exit 1 when something is wrong.
    """
    from pytest_genaiver.cli.examining import Examination

    examination = Examination(ctx.find_root().obj or ())
    findings: list[Finding] = []
    with calm():
        for finding in examination.findings():
            findings.append(finding)
            if not as_json:
                _show(finding)
    failed = any(f.state == "fail" for f in findings)
    if as_json:
        checked = [f.to_json() for f in findings]
        show_json({"ok": not failed, "findings": checked, "baseline": examination.baseline})
    else:
        say(_summary(findings), bold=failed)
    return NO if failed else OK


def _show(finding: Finding) -> None:
    first, *more = _lines(f"{finding.check:<12}", finding.text)
    say(click.style(f"{finding.state:<4}", fg=_COLOURS[finding.state]) + f"  {first}")
    for line in more:
        say(line)
    if finding.fix:
        for line in _lines("", finding.fix, mark="-> "):
            say(line)


def _lines(name: str, text: str, *, mark: str = "") -> Iterable[str]:
    """The text beside its name, in lines of the terminal's width."""
    room = max(width() - _INDENT - len(mark), 20)
    first, *more = wrap(shown(text).split(" "), room)
    yield f"{name}{first}" if name else " " * _INDENT + mark + first
    yield from (" " * (_INDENT + len(mark)) + line for line in more)


def _summary(findings: Iterable[Finding]) -> str:
    states = [f.state for f in findings]
    failed, warned = states.count("fail"), states.count("warn")
    if failed:
        return f"{failed} to mend, {warned} to look at"
    return f"nothing to mend, {warned} to look at" if warned else "all is well"
