"""Calls that end after their test, or never."""

from __future__ import annotations

import contextvars
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import App, TracingSession


def test_a_thread_that_outlives_its_test_loses_nothing(session: TracingSession, app: App) -> None:
    ended = threading.Event()

    def late() -> None:
        app.ask("first")
        ended.wait(10)
        app.ask("second")

    thread = threading.Thread(target=late)

    def body() -> None:
        thread.start()
        while not session.tracer.produced:
            threading.Event().wait(0.005)

    ran = session.run(body)
    session.run(lambda: (ended.set(), thread.join()), name="test_b")
    session.finish()

    assert ran.measured.calls == 1
    first, second = [t for t, _ in session.calls()]
    assert session.is_linked(first, test="test_a")
    # Without a context only the time tells where a call belongs.
    assert session.is_linked(second, test="test_b")


def test_a_call_that_ends_after_its_test_is_stored_with_it(session: TracingSession, app: App) -> None:
    import mlflow

    ended, started = threading.Event(), threading.Event()

    def slow() -> None:
        with mlflow.start_span("slow", span_type="LLM"):
            started.set()
            ended.wait(10)

    threads = []

    def body() -> None:
        threads.append(threading.Thread(target=contextvars.copy_context().run, args=(slow,)))
        threads[0].start()
        started.wait(10)

    ran = session.run(body)
    assert ran.measured.latency is None
    assert ran.ids == []

    ended.set()
    threads[0].join()
    session.finish()
    (trace,) = session.stored()
    assert [s.name for s in trace.data.spans] == ["test_a", "slow"]
    assert [a.name for a in trace.info.assessments] == ["good"]
    assert trace.data.spans[1].get_attribute("genaiver.ended_by_session") is None


def test_an_abandoned_stream_is_stored_and_its_latency_and_tokens_are_unknown(
    session: TracingSession, app: App
) -> None:
    kept = []

    def body() -> None:
        stream = app.stream()
        kept.append(stream)
        next(iter(stream))

    ran = session.run(body)
    session.finish()

    assert (ran.measured.calls, ran.measured.calls_without_usage) == (1, 1)
    assert ran.measured.latency is None
    assert ran.measured.total_tokens is None
    ((trace, call),) = session.calls()
    assert session.is_linked(trace)
    assert call.get_attribute("genaiver.ended_by_session") is True


def test_an_abandoned_stream_of_a_thread_is_stored(session: TracingSession, app: App) -> None:
    kept = []

    def abandon() -> None:
        stream = app.stream()
        kept.append(stream)
        next(iter(stream))

    def body() -> None:
        thread = threading.Thread(target=abandon)
        thread.start()
        thread.join()

    session.run(body)
    session.finish()

    assert len(session.calls()) == 1
    assert all(session.is_linked(t) for t in session.stored())


def test_a_call_that_begins_in_a_trace_that_ended_works_untraced(session: TracingSession, app: App) -> None:
    """MLflow starts no span beneath a root that has left memory."""
    ended, answers = threading.Event(), []

    def late() -> None:
        ended.wait(10)
        answers.append(app.ask("late"))

    threads = []

    def body() -> None:
        threads.append(threading.Thread(target=contextvars.copy_context().run, args=(late,)))
        threads[0].start()

    session.run(body)
    ended.set()
    threads[0].join()
    session.finish()
    assert answers == ["good"]
    assert session.calls() == []
