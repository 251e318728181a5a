"""What is said while calls run: a line below the tests on a terminal, a plain line now and then in a log."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pytest_genaiver.running.meeting import put

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

PROGRESS = "-progress.json"
_REDRAW = 0.2
_PLAIN = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Calls of targets and scorers so far; `cost` is what is known of it in US dollars, `seconds` since the first."""

    total: int
    ended: int
    running: int
    failed: int
    cost: float
    seconds: float

    def line(self) -> str:
        """`12 of 160 calls done, 8 running, 1 failed, $0.02, about 40 s left`."""
        parts = [f"{self.ended} of {self.total} calls done", f"{self.running} running"]
        if self.failed:
            parts.append(f"{self.failed} failed")
        if self.cost:
            parts.append(f"${self.cost:.2f}" if self.cost >= 0.01 else "under $0.01")
        if self.ended and self.total > self.ended:
            parts.append(f"about {_duration(self.seconds / self.ended * (self.total - self.ended))} left")
        return ", ".join(parts)


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"


def added(counts: Iterable[Counts]) -> Counts:
    """Those of several processes that work side by side."""
    all_of = list(counts)
    return Counts(
        total=sum(c.total for c in all_of),
        ended=sum(c.ended for c in all_of),
        running=sum(c.running for c in all_of),
        failed=sum(c.failed for c in all_of),
        cost=sum(c.cost for c in all_of),
        seconds=max((c.seconds for c in all_of), default=0.0),
    )


class Shown(Protocol):
    """Who shows the counts."""

    def show(self, counts: Callable[[], Counts]) -> None:
        """Called many times a second while somebody waits; asks for the counts only when there is need."""

    def clear(self) -> None:
        """Nobody waits any more: other output follows."""


class Nothing:
    """For sessions without a terminal reporter, and under -q."""

    def show(self, counts: Callable[[], Counts]) -> None:
        """Nothing."""

    def clear(self) -> None:
        """Nothing."""


class PlainLines:
    """For logs: a line every half minute."""

    def __init__(self, reporter: Any) -> None:
        self._reporter = reporter
        self._last = time.monotonic()

    def show(self, counts: Callable[[], Counts]) -> None:
        now = time.monotonic()
        if now - self._last >= _PLAIN:
            self._last = now
            self._reporter.ensure_newline()
            self._reporter.write_line(f"genaiver: {counts().line()}")

    def clear(self) -> None:
        """A line of a log stays."""


class BelowTheTests:
    """For terminals: drawn on the line under pytest's own, and wiped before pytest goes on."""

    def __init__(self, reporter: Any) -> None:
        self._tw = reporter._tw
        self._last = time.monotonic()
        self._drawn = False

    def show(self, counts: Callable[[], Counts]) -> None:
        now = time.monotonic()
        if now - self._last >= _REDRAW:
            self._last = now
            self._draw(f"genaiver: {counts().line()}"[: self._tw.fullwidth - 1])
            self._drawn = True

    def clear(self) -> None:
        if self._drawn:
            self._drawn = False
            self._draw("")

    def _draw(self, text: str) -> None:
        # A new line (which scrolls where it must), the text, one line up again, back to the column pytest was at.
        back = self._tw.width_of_current_line + 1
        self._tw._file.write(f"\n\r\x1b[2K{text}\x1b[1A\x1b[{back}G")
        self._tw._file.flush()


class InAFile:
    """For a worker of pytest-xdist: its controller adds up what the workers write."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / f"{name}{PROGRESS}"
        self._last = 0.0

    def show(self, counts: Callable[[], Counts]) -> None:
        now = time.monotonic()
        if now - self._last >= 1.0:
            self._last = now
            put(self._path, asdict(counts()))

    def clear(self) -> None:
        """What is in the file stays true."""


def of_workers(folder: Path) -> Counts:
    """What the workers have written so far."""
    return added(Counts(**json.loads(f.read_text(encoding="utf-8"))) for f in sorted(folder.glob(f"*{PROGRESS}")))


@dataclass(slots=True)
class WithOthers:
    """Shows what this process counts and what others write into a folder, added up."""

    shown: Shown
    folder: Path

    def show(self, counts: Callable[[], Counts]) -> None:
        self.shown.show(lambda: added([counts(), of_workers(self.folder)]))

    def clear(self) -> None:
        self.shown.clear()


def for_terminal(reporter: Any) -> Shown:
    if reporter is not None and reporter.verbosity >= 0 and reporter.isatty:
        return BelowTheTests(reporter)
    return for_log(reporter)


def for_log(reporter: Any) -> Shown:
    """Also where another thread than pytest's own shows it, which cannot know where pytest's line ends."""
    return Nothing() if reporter is None or reporter.verbosity < 0 else PlainLines(reporter)
