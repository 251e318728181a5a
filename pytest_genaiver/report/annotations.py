"""Annotations that GitHub shows on the test lines of cases: workflow commands in the job's log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_genaiver.report.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_genaiver.report.parts import Summary, WorstCase

MOST = 10
"""What GitHub shows of one step and one kind."""


def workflow_commands(summary: Summary, environ: Mapping[str, str]) -> list[str]:
    """One command for each case that broke, then for the worst ones of a metric that regressed; ten at most.

    None outside GitHub's CI. They carry the case's id and numbers, never what a model wrote: an annotation is seen by
    whoever sees the change.
    """
    if environ.get("GITHUB_ACTIONS") != "true":
        return []
    regressed = {row.metric for row in summary.rows if row.verdict == "regressed"}
    broken = [case for case in summary.worst if case.mark == "broken"]
    worse = [case for case in summary.worst if case.mark != "broken" and case.metric in regressed]
    kind = "error" if summary.tone == "bad" else "warning"
    told = [_command(kind, case, "broke") for case in broken] + [_command("warning", c, "got worse") for c in worse]
    return told[:MOST]


def _command(kind: str, case: WorstCase, what: str) -> str:
    where = ""
    path, colon, line = (case.location or "").rpartition(":")
    if colon and line.isdecimal():
        where = f" file={_property(path)},line={line},title={_property(f'genaiver: {case.metric} {what}')}"
    numbers = f"{case.metric} {case.baseline} -> {case.current} (n {case.n_baseline} -> {case.n_current})"
    return f"::{kind}{where}::{_data(f'{case.case}: {numbers}')}"


def _data(text: str) -> str:
    return printable(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
