"""A test that asks MLflow to flush finds its traces; scores that come later still reach them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import mlflow
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import App, SessionMaker, TracingSession
    from pytest_genaiver.adapters.tracking.store import Store


def flush_async_logging(session: TracingSession) -> None:
    mlflow.flush_trace_async_logging()


def flush_and_terminate(session: TracingSession) -> None:
    mlflow.flush_trace_async_logging(terminate=True)


def search_with_flush(session: TracingSession) -> None:
    mlflow.search_traces(flush=True, return_type="list")


def get_with_flush(session: TracingSession) -> None:
    mlflow.get_trace("tr-unknown", silent=True, flush=True)


FLUSHES = [flush_async_logging, flush_and_terminate, search_with_flush, get_with_flush]


@pytest.mark.parametrize("flush", FLUSHES, ids=lambda flush: flush.__name__)
def test_what_ended_is_searchable_at_once(
    session: TracingSession, app: App, flush: Callable[[TracingSession], None]
) -> None:
    seen: list[int] = []

    def body() -> None:
        thread = threading.Thread(target=app.ask)
        thread.start()
        thread.join()
        flush(session)
        found = mlflow.search_traces(model_id=session.to.model_id, return_type="list")
        seen.append(len(found))

    session.run(app.ask, name="test_before")
    ran = session.run(body)

    assert ran.error is None
    assert seen == [2]
    session.finish()
    assert len(session.stored()) == 3


def test_scores_that_come_after_a_flush_reach_the_trace_once(session: TracingSession, app: App) -> None:
    scope = session.scope()
    with session.tracer.open(scope), session.tracer.root(scope, "test_a", {}):
        app.ask()
    mlflow.flush_trace_async_logging()
    (before,) = session.stored()
    assert before.info.assessments == []

    session.close(scope, {"good": True, "length": 4})
    session.finish()
    (trace,) = session.stored()
    assert {a.name: a.value for a in trace.info.assessments} == {"good": True, "length": 4}
    assert len(trace.info.assessments) == 2
    assert session.is_linked(trace)


def test_late_scores_reach_a_trace_of_another_store_than_the_current_one(
    session: TracingSession, app: App, new_store: Callable[[], Any]
) -> None:
    scope = session.scope()
    with session.tracer.open(scope), session.tracer.root(scope, "test_a", {}):
        app.ask()
        mlflow.flush_trace_async_logging()
    mlflow.flush_trace_async_logging()
    mlflow.set_tracking_uri(f"sqlite:///{new_store()}")
    session.close(scope, {"good": True})
    session.finish()

    (trace,) = session.stored()
    assert [a.name for a in trace.info.assessments] == ["good"]


def test_late_scores_that_the_store_refuses_are_an_error_of_the_count(
    session_on: SessionMaker, app: App, new_store: Callable[[], Any]
) -> None:
    import sqlite3

    from pytest_genaiver.adapters.tracking.place import place_of
    from pytest_genaiver.adapters.tracking.store import Store

    path = new_store()
    store: Store = Store(place_of(f"sqlite:///{path}", path.parent))
    store.open("app")
    session = session_on(store)
    scope = session.scope()
    with session.tracer.open(scope), session.tracer.root(scope, "test_a", {}):
        app.ask()
    mlflow.flush_trace_async_logging()
    with sqlite3.connect(path) as database:
        database.execute(
            "CREATE TRIGGER no BEFORE INSERT ON assessments BEGIN SELECT RAISE(ABORT, 'no scores today'); END"
        )
    session.close(scope, {"good": True, "length": 4})

    count = session.tracer.finish()
    assert count.missing == {}
    assert len(count.errors) == 1
    assert "assessment" in count.errors[0]


def test_a_flush_of_nothing_writes_nothing(session: TracingSession) -> None:
    mlflow.flush_trace_async_logging()
    assert session.stored() == []


def test_threads_may_flush_at_once(session: TracingSession, app: App) -> None:
    def ask_and_flush() -> None:
        for _ in range(5):
            app.ask()
            mlflow.flush_trace_async_logging()

    def body() -> None:
        threads = [threading.Thread(target=ask_and_flush) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert session.run(body).error is None
    session.finish()
    assert len(session.calls()) == 20
    assert sum(len(t.info.assessments) for t in session.stored()) == 1
