"""What is said while calls run."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.running import waiting
from pytest_genaiver.running.waiting import (
    BelowTheTests,
    Counts,
    InAFile,
    Nothing,
    PlainLines,
    WithOthers,
    for_terminal,
    of_workers,
)

if TYPE_CHECKING:
    from pathlib import Path


def counts(**given: Any) -> Counts:
    return Counts(**{"total": 160, "ended": 0, "running": 8, "failed": 0, "cost": 0.0, "seconds": 10.0, **given})


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({}, "0 of 160 calls done, 8 running"),
        ({"ended": 40}, "40 of 160 calls done, 8 running, about 30 s left"),
        (
            {"ended": 10, "failed": 1, "cost": 0.123},
            "10 of 160 calls done, 8 running, 1 failed, $0.12, about 2 min left",
        ),
        ({"ended": 160, "running": 0, "cost": 0.001}, "160 of 160 calls done, 0 running, under $0.01"),
    ],
)
def test_a_line_says_how_far_and_how_long(given: dict[str, Any], line: str) -> None:
    if given.get("ended") == 10:
        given["seconds"] = 10.0
    assert counts(**given).line() == line


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(waiting, "time", made)
    return made


class Reporter:
    def __init__(self, *, isatty: bool = False, verbosity: int = 0) -> None:
        self.isatty, self.verbosity = isatty, verbosity
        self.lines: list[str] = []
        self.file = io.StringIO()
        self._tw = SimpleNamespace(_file=self.file, width_of_current_line=12, fullwidth=40)

    def ensure_newline(self) -> None:
        self.lines.append("")

    def write_line(self, text: str) -> None:
        self.lines.append(text)


def test_a_log_gets_a_line_each_half_minute(clock: Clock) -> None:
    reporter = Reporter()
    shown = for_terminal(reporter)
    assert isinstance(shown, PlainLines)
    for _ in range(700):
        clock.now += 0.1
        shown.show(counts)
    shown.clear()
    assert reporter.lines == ["", "genaiver: 0 of 160 calls done, 8 running"] * 2


def test_a_terminal_gets_a_line_below_the_tests_that_is_wiped_again(clock: Clock) -> None:
    reporter = Reporter(isatty=True)
    shown = for_terminal(reporter)
    assert isinstance(shown, BelowTheTests)
    shown.show(counts)
    shown.clear()
    assert reporter.file.getvalue() == ""
    clock.now += 0.3
    shown.show(counts)
    drawn = reporter.file.getvalue()
    assert drawn == "\n\r\x1b[2Kgenaiver: 0 of 160 calls done, 8 runnin\x1b[1A\x1b[13G"
    shown.clear()
    assert reporter.file.getvalue() == drawn + "\n\r\x1b[2K\x1b[1A\x1b[13G"


@pytest.mark.parametrize("reporter", [None, Reporter(verbosity=-1), Reporter(verbosity=-1, isatty=True)])
def test_nothing_is_said_where_nobody_listens(reporter: Any) -> None:
    shown = for_terminal(reporter)
    assert isinstance(shown, Nothing)
    shown.show(counts)
    shown.clear()


def test_what_workers_write_is_added_up(clock: Clock, tmp_path: Path) -> None:
    for name, ended in (("gw0", 3), ("gw1", 4)):
        shown = InAFile(tmp_path, name)
        shown.show(lambda ended=ended: counts(ended=ended, total=10, cost=0.5))  # type: ignore[misc]
        shown.show(lambda: counts(ended=9))
        shown.clear()
    found = of_workers(tmp_path)
    assert (found.total, found.ended, found.running, found.cost, found.seconds) == (20, 7, 16, 1.0, 10.0)


def test_what_another_process_writes_beside_this_one_is_added_to_it(clock: Clock, tmp_path: Path) -> None:
    InAFile(tmp_path, "twin").show(lambda: counts(ended=3, total=10))
    reporter = Reporter()
    shown = WithOthers(PlainLines(reporter), tmp_path)
    clock.now += 31
    shown.show(lambda: counts(ended=4, total=10))
    shown.clear()
    assert reporter.lines == ["", "genaiver: 7 of 20 calls done, 16 running, about 19 s left"]
