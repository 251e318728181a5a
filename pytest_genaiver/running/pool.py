"""Calls beside the tests: so many at once, each bounded in time, on threads that never outlive the process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections import deque
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_genaiver.errors import CallRefused, CallTimeout

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import TracebackType

T = TypeVar("T")

_TICK = 0.1
_PACKAGE = os.path.dirname(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """On calls: `concurrency` at once, each at most `timeout` seconds."""

    concurrency: int = 8
    timeout: float = 120.0


@dataclass(slots=True, eq=False)
class Call:
    """One call: `work(call)` runs once, in `context`; then `value` or `error` is there and `done` is set.

    `started` and `ended` are readings of a monotonic clock, None before. The work may leave in `abandon` what stops
    it when the call is given up. `free`: it costs nothing, so no limit on costs stops it.
    """

    work: Callable[[Call], Any]
    context: Context
    free: bool = False
    value: Any = None
    error: BaseException | None = None
    started: float | None = None
    ended: float | None = None
    done: threading.Event = field(default_factory=threading.Event)
    abandon: Callable[[], object] = lambda: None
    _traceback: TracebackType | None = None

    def result(self) -> Any:
        """The value, or the call's own exception with its own traceback, however often it is asked for."""
        __tracebackhide__ = True
        if self.error is not None:
            # Each raise adds its frames to the traceback that the exception holds.
            raise self.error.with_traceback(self._traceback)
        return self.value

    def end(self, value: Any = None, error: BaseException | None = None) -> None:
        """Once: what comes after a time-out is too late."""
        if not self.done.is_set():
            self.value, self.error = value, error
            self._traceback = _within_work(error)
            self.ended = time.monotonic()
            self.done.set()


def _within_work(error: BaseException | None) -> TracebackType | None:
    """The traceback from the app's first frame on: how it came to be called is of no interest."""
    found = error.__traceback__ if error is not None else None
    while found is not None and found.tb_frame.f_code.co_filename.startswith(_PACKAGE):
        found = found.tb_next
    return found


class Pool:
    """Runs at most `size` calls at once; `timeout` seconds are what one may take.

    Urgent calls (somebody waits for them) go first. When a place is free and none is urgent, `more()` is asked for
    the next call that may start. `refusal()` says why nothing new may start, None while it may.
    """

    def __init__(
        self,
        size: int,
        *,
        timeout: float,
        more: Callable[[], Call | None] = lambda: None,
        refusal: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.size = size
        self.timeout = timeout
        self.ended = self.failed = 0
        self._more = more
        self._refusal = refusal
        self._urgent: deque[Call] = deque()
        self._running: set[Call] = set()
        self._lock = threading.RLock()
        self._halted: str | None = None

    @property
    def running(self) -> int:
        return len(self._running)

    @property
    def waiting(self) -> int:
        """Urgent calls that have not started."""
        return len(self._urgent)

    def submit(self, call: Call) -> Call:
        """Run this one before all that nobody waits for yet."""
        with self._lock:
            self._urgent.append(call)
        self.fill()
        return call

    def fill(self) -> None:
        """Start as many as there is room for."""
        while (call := self._next()) is not None:
            threading.Thread(target=self._run, args=(call,), name="genaiver-call", daemon=True).start()

    def _next(self) -> Call | None:
        with self._lock:
            if len(self._running) >= self.size:
                return None
            why = self._halted or self._refusal()
            if why is not None:
                self._refuse(why)
            call = self._urgent.popleft() if self._urgent else self._more() if why is None else None
            if call is not None:
                call.started = time.monotonic()
                self._running.add(call)
            return call

    def _refuse(self, why: str) -> None:
        stays = deque(c for c in self._urgent if c.free and self._halted is None)
        for call in self._urgent:
            if call not in stays:
                call.end(error=CallRefused(why))
        self._urgent = stays

    def _run(self, call: Call) -> None:
        try:
            call.end(value=call.context.run(call.work, call))
        except BaseException as error:
            call.end(error=error)
        self._leave(call)

    def _leave(self, call: Call) -> None:
        with self._lock:
            if call not in self._running:
                return
            self._running.discard(call)
            self.ended += 1
            self.failed += call.error is not None
        self.fill()

    def wait(self, call: Call, tick: Callable[[], None] = lambda: None) -> None:
        """Until the call has ended; calls that take too long are given up meanwhile, this one or others."""
        while not call.done.wait(_TICK):
            self._give_up()
            tick()

    def _give_up(self) -> None:
        """A thread cannot be stopped, but its place is given to another call."""
        now = time.monotonic()
        with self._lock:
            late = [c for c in self._running if c.started is not None and now - c.started > self.timeout]
        for call in late:
            call.end(error=CallTimeout(f"the call took longer than genai_call_timeout allows ({self.timeout:g} s)"))
            call.abandon()
            self._leave(call)

    def halt(self, why: str) -> None:
        """Nothing starts from now on."""
        with self._lock:
            self._halted = why
            self._refuse(why)

    def drain(self, seconds: float, which: Callable[[Call], bool] = lambda _: True) -> None:
        """Wait for those that run, so long at most."""
        end = time.monotonic() + seconds
        with self._lock:
            running = [c for c in self._running if which(c)]
        for call in running:
            while not call.done.wait(min(_TICK, max(end - time.monotonic(), 0))) and time.monotonic() < end:
                self._give_up()


class Loop:
    """One event loop for all asynchronous targets, on a thread of its own that starts when it is first used."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def run(self, work: Coroutine[Any, Any, T], call: Call) -> T:
        """Run a coroutine to its end, as a task in a copy of this context; called from the thread of `call`."""
        loop, context, ended = self._started(), copy_context(), threading.Event()
        tasks: list[asyncio.Task[T]] = []

        def start() -> None:
            task = context.run(loop.create_task, work)
            task.add_done_callback(lambda _: ended.set())
            call.abandon = lambda: loop.call_soon_threadsafe(task.cancel)
            tasks.append(task)

        loop.call_soon_threadsafe(start)
        ended.wait()
        return tasks[0].result()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="genaiver-loop", daemon=True)
                self._thread.start()
            return self._loop

    def stop(self) -> None:
        """Cancel what runs and end the loop; safe to call again."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is None or self._thread is None:
            return
        with contextlib.suppress(RuntimeError):
            asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result(timeout=1.0)
        loop.call_soon_threadsafe(loop.stop)
        self._thread.join(timeout=1.0)
        if not loop.is_running():
            loop.close()


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()
