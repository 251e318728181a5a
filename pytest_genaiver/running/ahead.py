"""Targets are called ahead of their tests: as many at once as may, each as soon as the fixtures it needs are up."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest import TestCase

from pytest_genaiver.cases import using
from pytest_genaiver.collecting.marker import copied
from pytest_genaiver.collecting.planned import PLANNED
from pytest_genaiver.running import fixtures
from pytest_genaiver.running.pool import Call, Loop, Pool
from pytest_genaiver.running.targets import Answer, arguments, ask, checked
from pytest_genaiver.running.waiting import Counts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pytest

    from pytest_genaiver.adapters.traces.tracer import Tracer
    from pytest_genaiver.running.execution import Execution
    from pytest_genaiver.running.fixtures import Key
    from pytest_genaiver.running.prints import Prints
    from pytest_genaiver.running.spending import Purse
    from pytest_genaiver.running.waiting import Shown

    Repeat = tuple[pytest.Item, int]

# Their items may not run at all, which only their own setup tells.
_UNSURE = ("skip", "skipif", "xfail")
_LAST_CALLS = 2.0
"""Seconds that calls which no test will use are given to end."""


@dataclass(slots=True, kw_only=True)
class Ahead:
    """The calls of one process. `make(item, repeat)` makes what a repeat is recorded in.

    Everything but the calls themselves happens on the main thread, or under the pool's lock.
    """

    make: Callable[[pytest.Item, int], Execution]
    tracer: Tracer
    prints: Prints
    size: int
    timeout: float
    purse: Purse
    shown: Shown
    pool: Pool = field(init=False)
    planned: int = 0
    _started: float = field(default_factory=time.monotonic)
    _places: Iterator[int] = field(default_factory=itertools.count)
    _context: Context = field(default_factory=copy_context)
    _loop: Loop = field(default_factory=Loop)
    _queues: dict[frozenset[Key], deque[tuple[int, Repeat]]] = field(default_factory=dict)
    _waiting: set[Repeat] = field(default_factory=set)
    _made: dict[Repeat, Execution] = field(default_factory=dict)
    _live: set[Key] = field(default_factory=set)
    _targets: dict[Key, Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.pool = Pool(self.size, timeout=self.timeout, more=self._next, refusal=self.purse.refusal)

    def plan(self, wanted: Sequence[Repeat]) -> None:
        """These repeats will be run, in this order: call those whose fixtures allow it."""
        with self._lock:
            for item, repeat in wanted:
                needs = _needs(item)
                if needs is not None:
                    self._queues.setdefault(needs, deque()).append((next(self._places), (item, repeat)))
                    self._waiting.add((item, repeat))
                    self.planned += 1
        self._fill()

    def _fill(self) -> None:
        # What the fixtures that are up have set in this context, the calls see too.
        self._context = copy_context()
        self.pool.fill()

    def _next(self) -> Call | None:
        """The first repeat in order whose fixtures are up."""
        with self._lock:
            ready = [queue for needs, queue in self._queues.items() if needs <= self._live and self._trimmed(queue)]
            if not ready:
                return None
            _, (item, repeat) = min(ready, key=_place).popleft()
            self._waiting.discard((item, repeat))
            execution = self._made[item, repeat] = self.make(item, repeat)
            return self._call(item, execution)

    def _trimmed(self, queue: deque[tuple[int, Repeat]]) -> bool:
        """Whether the queue holds a repeat that still waits, which is then its first."""
        while queue and queue[0][1] not in self._waiting:
            queue.popleft()
        return bool(queue)

    def take(self, item: pytest.Item, repeat: int) -> Execution | None:
        """The execution of a repeat that was called already; one that still waits must be called by its own test."""
        with self._lock:
            if (item, repeat) in self._waiting:
                self._waiting.discard((item, repeat))
                self.planned -= 1
            return self._made.pop((item, repeat), None)

    def up(self, item: pytest.Item) -> None:
        """The item's setup is done, so its fixtures are up."""
        if not self._waiting:
            return
        found, _ = fixtures.keys(item)
        target = item.stash[PLANNED].target if PLANNED in item.stash else None
        with self._lock:
            self._live |= found
            if isinstance(target, str) and (key := fixtures.key(item, target)) in found:
                self._targets[key] = _given(item)[target]
                self._live.add(("target", key))
        self._fill()

    def down(self, definition: Any) -> None:
        """A fixture was torn down: nothing that needs it may start."""
        with self._lock:
            gone = {k for k in self._live if definition in (k[0], k[1][0] if k[0] == "target" else None)}
            self._live -= gone
            self._targets = {k: v for k, v in self._targets.items() if k not in gone}

    def before_teardown(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """Calls end before the fixtures that they use are torn down."""
        dying = set(item.listchain()[:-1]) - set(nextitem.listchain() if nextitem is not None else ())
        if dying:
            with self._lock:
                calls = {e.call for (i, _), e in self._made.items() if not dying.isdisjoint(i.listchain())}
            self.pool.drain(self.timeout, which=calls.__contains__)

    def start(self, item: pytest.Item, execution: Execution) -> None:
        """Call now, where nothing was called ahead: somebody waits for it."""
        if execution.call is None:
            self.planned += 1
            self._context = copy_context()
            with self._lock:
                call = self._call(item, execution)
            self.pool.submit(call)

    def wait(self, call: Call) -> None:
        """Until the call has ended, showing how far all of them are."""
        try:
            self.pool.wait(call, tick=lambda: self.shown.show(self._counts))
        finally:
            self.shown.clear()

    def _counts(self) -> Counts:
        pool = self.pool
        return Counts(
            total=self.planned,
            ended=pool.ended,
            running=pool.running,
            failed=pool.failed,
            cost=self.purse.spent,
            seconds=time.monotonic() - self._started,
        )

    def _call(self, item: pytest.Item, execution: Execution) -> Call:
        target, case = self._target(item, execution.planned.target), execution.case

        def work(call: Call) -> Answer:
            function = checked(target, f"{item.nodeid}: target")
            args, kwargs = arguments(function, copied(case.inputs), scalar=execution.planned.scalar)
            with (
                self.prints.into(execution),
                using(execution.planned.version),
                self.tracer.call(execution.scope, item.name, case.inputs) as span,
            ):
                answer = ask(function, args, kwargs, lambda coroutine: self._loop.run(coroutine, call))
                span.set_outputs(answer.output)
            return answer

        execution.call = Call(work=work, context=self._context.copy())
        return execution.call

    def _target(self, item: pytest.Item, target: Any) -> Any:
        """The function itself; of a fixture what it gave, to this item or to another that shares the instance."""
        if not isinstance(target, str):
            return target
        given = _given(item)
        return given[target] if target in given else self._targets[fixtures.key(item, target)]

    def unused(self) -> int:
        """Calls that were made ahead and that no test has used."""
        with self._lock:
            return sum(e.call is not None and e.call.started is not None for e in self._made.values())

    def stop(self, why: str) -> None:
        """Nothing starts any more; what runs and will not be used is given a moment to end."""
        self.pool.halt(why)
        self.pool.drain(_LAST_CALLS)
        self._loop.stop()


def _place(queue: deque[tuple[int, Repeat]]) -> int:
    return queue[0][0]


def _needs(item: pytest.Item) -> frozenset[Key] | None:
    """The fixtures that must be up before the item's target may be called; None where that is its own setup."""
    planned = item.stash.get(PLANNED, None)
    if planned is None or planned.target is None or any(item.get_closest_marker(name) for name in _UNSURE):
        return None
    owner = getattr(item, "cls", None)
    found, own = fixtures.keys(item)
    # `setUp` of a TestCase is no fixture: it runs with the body.
    if own or (owner is not None and issubclass(owner, TestCase)):
        return None
    return found | {("target", fixtures.key(item, planned.target))} if isinstance(planned.target, str) else found


def _given(item: pytest.Item) -> dict[str, Any]:
    given: dict[str, Any] = getattr(item, "funcargs", {})
    return given
