"""Bursts: nothing is dropped, nothing is kept in memory that is stored."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import TYPE_CHECKING, Any

import mlflow

if TYPE_CHECKING:
    import pytest

    from conftest import App, TracingSession


def test_a_burst_loses_nothing_and_leaves_nothing_in_memory(
    session: TracingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many times MLflow's queue, here of 50 traces, and pages of the store's answer, from four threads."""
    from mlflow.tracing import provider

    from pytest_genaiver.adapters.traces import tracer
    from pytest_genaiver.adapters.traces.hold import Held

    monkeypatch.setenv("MLFLOW_ASYNC_TRACE_LOGGING_MAX_QUEUE_SIZE", "50")
    monkeypatch.setattr("pytest_genaiver.adapters.tracking.stored_traces.PAGE", 100)
    provider.reset()

    class Watched(Held):
        __slots__ = ("__weakref__",)

    monkeypatch.setattr("pytest_genaiver.adapters.traces.hold.Held", Watched)
    held: list[weakref.ref[Watched]] = []
    arrived = tracer.Tracer._arrived

    def watched(self: Any, one: Any) -> None:
        held.append(weakref.ref(one))
        arrived(self, one)

    monkeypatch.setattr(session.tracer._hold, "_on_trace", watched.__get__(session.tracer))

    def burst() -> None:
        for _ in range(80):
            with mlflow.start_span("call"):
                pass

    def body() -> None:
        threads = [threading.Thread(target=burst) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    session.run(body)
    for i in range(5):
        session.run(burst_of_one, name=f"test_{i}")
    count = session.finish()
    gc.collect()

    assert count.produced == 326
    assert len(held) == 326
    assert [h for h in held if h() is not None] == []


def burst_of_one() -> None:
    pass


def test_traces_leave_while_the_session_runs(session: TracingSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_genaiver.adapters.traces.tracer._WRITE_AT", 8)
    for i in range(18):
        session.run(burst_of_one, name=f"test_{i}")

    assert len(session.stored()) == 16
    assert sum(len(s.held) for s in session.tracer._scopes.all()) == 2
    assert all(not s.feedback for s in session.tracer._scopes.all())


def test_more_open_traces_than_mlflow_keeps_are_all_stored(
    session: TracingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow drops the oldest open trace once it holds 1,000 (here 40)."""
    from cachetools import TTLCache

    from pytest_genaiver.adapters.traces import internals

    monkeypatch.setattr("pytest_genaiver.adapters.traces.tracer._MOST_OPEN", 20)
    monkeypatch.setattr(internals.manager(), "_traces", TTLCache(maxsize=40, ttl=3600))
    kept: list[Any] = []

    def abandon() -> None:
        kept.append(mlflow.start_span_no_context("stream", parent_span=mlflow.get_current_active_span()))

    for i in range(60):
        session.run(abandon, name=f"test_{i}")
    count = session.finish()

    assert count.produced == 60
    assert len(session.stored()) == 60
    assert all(len(t.data.spans) == 2 and t.info.assessments for t in session.stored())


def test_a_trace_that_mlflow_dropped_breaks_nothing(session: TracingSession) -> None:
    from pytest_genaiver.adapters.traces import internals

    def body() -> None:
        mlflow.start_span_no_context("stream", parent_span=mlflow.get_current_active_span())

    ran = session.run(body)
    internals.manager()._traces.clear()
    session.run(burst_of_one, name="test_b")
    count = session.finish()

    assert ran.measured.calls == 0
    assert count.produced == 1


def test_there_is_room_for_open_traces(session: TracingSession) -> None:
    import os

    assert int(os.environ["MLFLOW_TRACE_BUFFER_MAX_SIZE"]) > 10_000
    assert int(os.environ["MLFLOW_TRACE_BUFFER_TTL_SECONDS"]) > 24 * 3600


def test_what_is_open_before_the_session_is_left_alone(session_on: Any, store: Any) -> None:
    mine = mlflow.start_span_no_context("mine")
    try:
        import time

        time.sleep(0.002)
        session = session_on(store)
        session.finish()
        assert mine.end_time_ns is None
    finally:
        mine.end()


def test_a_call_of_every_thread_of_a_crowd_is_stored(session: TracingSession, app: App) -> None:
    def body() -> None:
        threads = [threading.Thread(target=app.ask, args=(f"q{i}",)) for i in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    ran = session.run(body)
    session.finish()
    assert ran.measured.calls == 24
    assert len(session.calls()) == 24
