"""What is known to be spent on LLM calls, against the limit that the user set."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from pytest_genaiver.running.meeting import put

if TYPE_CHECKING:
    from pathlib import Path

_SUFFIX = "-spent.json"
_FRESH = 0.5


class Purse:
    """US dollars of this process; `limit` None is no limit. What is unknown cannot be counted."""

    def __init__(self, limit: float | None) -> None:
        self.limit = limit
        self.spent = 0.0
        self._here = threading.local()
        self._lock = threading.Lock()

    def pay(self, dollars: float) -> None:
        self._here.paid = self.paid_here() + dollars
        with self._lock:
            self.spent += dollars

    def paid_here(self) -> float:
        """What this thread has paid so far."""
        return float(getattr(self._here, "paid", 0.0))

    def total(self) -> float:
        return self.spent

    def refusal(self) -> str | None:
        """Why no new call may start; None while it may."""
        if self.limit is None or self.total() < self.limit:
            return None
        return f"genaiver: the known cost has reached --genai-max-cost ({self.limit:g} USD)"


class SharedPurse(Purse):
    """One of several processes that share a limit: each writes what it spent into a folder, and reads the others'."""

    def __init__(self, limit: float | None, folder: Path, name: str) -> None:
        super().__init__(limit)
        self._folder = folder
        self._own = folder / f"{name}{_SUFFIX}"
        self._writing = threading.Lock()
        self._others = 0.0
        self._read = 0.0

    def pay(self, dollars: float) -> None:
        super().pay(dollars)
        # One at a time: an earlier sum must not take the place of a later one.
        with self._writing:
            put(self._own, self.spent)

    def total(self) -> float:
        now = time.monotonic()
        if now - self._read > _FRESH:
            self._read = now
            files = [f for f in self._folder.glob(f"*{_SUFFIX}") if f != self._own]
            self._others = sum(float(f.read_text(encoding="utf-8")) for f in files)
        return self.spent + self._others
