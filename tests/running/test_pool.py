"""Calls beside the tests: how many at once, in which order, for how long."""

from __future__ import annotations

import asyncio
import threading
import time
import traceback
from collections import deque
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.errors import CallRefused, CallTimeout
from pytest_genaiver.running.pool import Call, Loop, Pool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VARIABLE: ContextVar[str] = ContextVar("variable", default="unset")


def call(work: Callable[[], Any]) -> Call:
    return Call(work=lambda _: work(), context=copy_context())


def finished(pool: Pool, *calls: Call) -> list[Any]:
    for one in calls:
        pool.wait(one)
    return [one.result() for one in calls]


def test_no_more_run_at_once_than_there_are_places() -> None:
    pool, now, most, lock = Pool(3, timeout=10), 0, 0, threading.Lock()

    def work() -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.02)
        with lock:
            now -= 1

    calls = [pool.submit(call(work)) for _ in range(9)]
    finished(pool, *calls)
    assert most == 3
    assert (pool.ended, pool.failed, pool.running, pool.waiting) == (9, 0, 0, 0)


def test_what_somebody_waits_for_goes_before_what_may_be_called_ahead() -> None:
    order: list[str] = []
    ahead = deque(call(lambda n=n: order.append(f"ahead {n}")) for n in range(3))  # type: ignore[misc]
    all_of = list(ahead)
    free = threading.Event()
    pool = Pool(1, timeout=10, more=lambda: ahead.popleft() if ahead else None)
    first = pool.submit(call(free.wait))
    urgent = pool.submit(call(lambda: order.append("urgent")))
    free.set()
    finished(pool, first, urgent, *all_of)
    assert order == ["urgent", "ahead 0", "ahead 1", "ahead 2"]


def test_a_call_sees_the_context_it_was_made_in_and_changes_it_for_nobody() -> None:
    pool = Pool(1, timeout=10)
    VARIABLE.set("made")
    seen = call(lambda: (VARIABLE.get(), VARIABLE.set("changed"))[0])
    assert finished(pool, pool.submit(seen)) == ["made"]
    assert VARIABLE.get() == "made"


def fails() -> None:
    raise ValueError("the app's own")


def test_a_failure_is_raised_each_time_it_is_asked_for_with_the_apps_frames_alone() -> None:
    pool = Pool(1, timeout=10)
    failing = pool.submit(call(fails))
    pool.wait(failing)
    lengths = []
    for _ in range(3):
        with pytest.raises(ValueError, match="the app's own") as caught:
            failing.result()
        frames = [f for f in traceback.extract_tb(caught.value.__traceback__) if f.name != "result"]
        lengths.append(len(frames))
        assert frames[-1].name == "fails"
    assert lengths == [lengths[0]] * 3
    assert pool.failed == 1


def test_a_call_that_takes_too_long_is_given_up_and_its_place_given_to_the_next() -> None:
    pool, never = Pool(1, timeout=0.2), threading.Event()
    hanging, next_one = pool.submit(call(never.wait)), pool.submit(call(lambda: "next"))
    pool.wait(next_one)
    assert next_one.result() == "next"
    with pytest.raises(CallTimeout, match=r"longer than genai_call_timeout allows \(0\.2 s\)"):
        hanging.result()
    never.set()
    time.sleep(0.05)
    with pytest.raises(CallTimeout):
        hanging.result()
    assert (pool.ended, pool.failed, pool.running) == (2, 1, 0)


def test_whoever_waits_is_told_that_time_passes() -> None:
    pool, ticks = Pool(1, timeout=10), []
    pool.wait(pool.submit(call(lambda: time.sleep(0.35))), tick=lambda: ticks.append(1))
    assert ticks


def test_nothing_starts_while_there_is_a_reason_not_to() -> None:
    why: list[str] = []
    pool = Pool(1, timeout=10, refusal=lambda: why[0] if why else None)
    assert finished(pool, pool.submit(call(lambda: 1))) == [1]
    why.append("too expensive")
    refused = pool.submit(call(lambda: 2))
    with pytest.raises(CallRefused, match="too expensive"):
        refused.result()


def test_halted_it_starts_nothing_and_refuses_what_waits() -> None:
    pool, free = Pool(1, timeout=10), threading.Event()
    running, waiting = pool.submit(call(free.wait)), pool.submit(call(lambda: 1))
    pool.halt("stopped")
    with pytest.raises(CallRefused, match="stopped"):
        waiting.result()
    free.set()
    pool.drain(5)
    assert running.done.is_set()


def test_to_drain_is_bounded_and_can_mean_some_calls_only() -> None:
    pool, free = Pool(2, timeout=10), threading.Event()
    hanging, short = pool.submit(call(free.wait)), pool.submit(call(lambda: time.sleep(0.05)))
    pool.drain(5, which=lambda c: c is short)
    assert (short.done.is_set(), hanging.done.is_set()) == (True, False)
    start = time.monotonic()
    pool.drain(0.15)
    assert time.monotonic() - start < 2
    assert not hanging.done.is_set()
    free.set()


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.stop()


def awaiting(loop: Loop, work: Callable[[], Any]) -> Call:
    return Call(work=lambda c: loop.run(work(), c), context=copy_context())


def test_coroutines_share_one_loop_and_have_the_context_of_their_call(loop: Loop) -> None:
    async def work() -> tuple[str, int, Any]:
        await asyncio.sleep(0.01)
        return VARIABLE.get(), threading.get_ident(), asyncio.get_running_loop()

    pool, seen = Pool(4, timeout=10), []
    for value in ("a", "b", "c"):
        VARIABLE.set(value)
        seen.append(pool.submit(awaiting(loop, work)))
    found = finished(pool, *seen)
    assert [value for value, _, _ in found] == ["a", "b", "c"]
    assert len({thread for _, thread, _ in found}) == len({running for _, _, running in found}) == 1


def test_a_coroutine_that_takes_too_long_is_cancelled(loop: Loop) -> None:
    cancelled = threading.Event()

    async def hangs() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    pool = Pool(1, timeout=0.2)
    hanging = pool.submit(awaiting(loop, hangs))
    pool.wait(hanging)
    assert isinstance(hanging.error, CallTimeout)
    assert cancelled.wait(5)


def test_a_stopped_loop_cancels_what_runs_and_can_be_stopped_again() -> None:
    loop, started = Loop(), threading.Event()

    async def hangs() -> None:
        started.set()
        await asyncio.sleep(60)

    pool = Pool(1, timeout=60)
    hanging = pool.submit(awaiting(loop, hangs))
    assert started.wait(5)
    loop.stop()
    assert hanging.done.wait(5)
    assert isinstance(hanging.error, asyncio.CancelledError)
    loop.stop()
    Loop().stop()
