"""This session's hold on its twin: started, asked, ended; whatever happens to it is one sentence."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_genaiver.errors import TwinError
from pytest_genaiver.twin.channel import Channel, Closed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_genaiver.twin.channel import Message

_START = 600.0
"""Seconds that the twin may take to collect its tests."""

_POLL = 0.1
_GRACE = 5.0
_LAST_LINES = 3
_PROGRESS = re.compile(r"[=!_\s-]*|[.sxXFERf,]*\s*(?:\[\s*\d+%\])?")
"""Lines of pytest's that say nothing: rules, and the dots of tests that ran."""


@dataclass(slots=True, kw_only=True)
class Twin:
    """A child process that runs pytest. `order` is what it reads at its start; it works in `order["folder"]`.

    Raises TwinError, which says why and what it printed last, where it is gone or does not answer.
    """

    order: Mapping[str, Any]
    name: str
    _process: subprocess.Popen[bytes] | None = None
    _channel: Channel | None = None
    _heard: int = 0

    def start(self, tick: Callable[[], None] = lambda: None) -> Message:
        """Start it, and wait until it has collected; what it then says."""
        folder = Path(self.order["folder"])
        there, here = os.pipe(), os.pipe()
        order = folder / f"{self.name}-order.json"
        whole = {**self.order, "name": self.name, "parent": os.getpid(), "pipes": [there[0], here[1]]}
        order.write_text(json.dumps(whole), encoding="utf-8")
        self._channel = Channel(here[0], there[1])
        try:
            self._process = self._popen(order, (there[0], here[1]))
        except OSError as error:
            self.stop()
            raise TwinError(f"it cannot be run: {error}") from error
        finally:
            os.close(there[0])
            os.close(here[1])
        ready = self.answer(_START, tick)
        self._heard = self._log.stat().st_size
        return ready

    def _popen(self, order: Path, pipes: tuple[int, int]) -> subprocess.Popen[bytes]:
        with self._log.open("wb") as log:
            return subprocess.Popen(
                [self.order["python"], "-m", "pytest", "-p", "pytest_genaiver.twin.child", *self.order["args"]],
                cwd=self.order["cwd"],
                env={**os.environ, **self.order["env"], "GENAIVER_TWIN": str(order)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Not in a session of its own: where Linux shares the processor among sessions, one of the two apps
                # would get more of it than the other, and seem faster. Its process group it makes itself.
                pass_fds=pipes,
            )

    @property
    def _log(self) -> Path:
        return Path(self.order["folder"]) / f"{self.name}.log"

    def tell(self, message: Message) -> None:
        if self._channel is None:
            raise TwinError(self._how("it was ended"))
        try:
            self._channel.send(message)
        except Closed:
            raise self._gone() from None

    def answer(self, seconds: float, tick: Callable[[], None] = lambda: None) -> Message:
        """What it answers, which may take so long."""
        end = time.monotonic() + seconds
        try:
            while self._channel is not None and time.monotonic() < end:
                if (message := self._channel.receive(_POLL)) is not None:
                    return message
                tick()
        except Closed:
            raise self._gone() from None
        raise TwinError(self._how(f"it did not answer within {seconds:.0f} s"))

    def _gone(self) -> TwinError:
        assert self._process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        code = self._process.returncode
        ended = f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"
        return TwinError(self._how(f"it ended {ended}"))

    def _how(self, what: str) -> str:
        lines = self.last_lines()
        return f"{what}; its last output: {lines}" if lines else f"{what} and printed nothing"

    def last_lines(self) -> str:
        """The last lines that it printed, in one; of one that had started, since then."""
        text = self._log.read_bytes()[self._heard :].decode("utf-8", "replace")
        lines = [line.strip() for line in text.splitlines() if not _PROGRESS.fullmatch(line)]
        return " | ".join(lines[-_LAST_LINES:])

    def stop(self, patience: float = _GRACE) -> None:
        """End it, and all that it started; safe to call again.

        Without its channel it ends by itself, which may take `patience` seconds; then it is interrupted, as by
        Ctrl-C, so that its fixtures are torn down; then it is killed.
        """
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._process is None:
            return
        if not self._ends(patience):
            self._process.send_signal(signal.SIGINT)
            if not self._ends(_GRACE):
                self._process.kill()
                self._process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process = None

    def _ends(self, seconds: float) -> bool:
        assert self._process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.returncode is not None
