"""What a target prints belongs to its case, not to whichever test runs meanwhile."""

from __future__ import annotations

import contextlib
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_genaiver.running.execution import Execution

_printing: ContextVar[list[str] | None] = ContextVar("genaiver_printing", default=None)


class Prints:
    """Taps `sys.stdout` and `sys.stderr`: what a call writes there is kept with it.

    pytest exchanges these streams around every phase of a test, so `tap` is called again within each.
    """

    def __init__(self) -> None:
        self._tapped: list[Any] = []

    def tap(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and not any(stream is one for one in self._tapped):
                self._tap(stream)

    def _tap(self, stream: Any) -> None:
        write = stream.write

        def tapped(text: str) -> int:
            kept = _printing.get()
            if kept is None:
                return int(write(text) or 0)
            kept.append(text)
            return len(text)

        # A stream of somebody else's may refuse; then its output stays where it goes.
        with contextlib.suppress(AttributeError, TypeError):
            stream.write = tapped
            self._tapped.append(stream)

    def untap(self) -> None:
        while self._tapped:
            with contextlib.suppress(AttributeError):
                del self._tapped.pop().write

    @contextlib.contextmanager
    def into(self, execution: Execution) -> Iterator[None]:
        """What is printed within, also in tasks that start within, belongs to this execution."""
        token = _printing.set(execution.printed)
        try:
            yield
        finally:
            _printing.reset(token)
