"""What a store refuses takes nothing else with it, costs bounded time, and raises nothing into a test."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import mlflow
import pytest

from pytest_genaiver.adapters.traces.scope import Destination
from pytest_genaiver.adapters.tracking.place import place_of
from pytest_genaiver.adapters.tracking.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import SessionMaker, TracingSession
    from pytest_genaiver.adapters.traces.hold import Held


@pytest.fixture
def path(new_store: Callable[[], Path]) -> Path:
    return new_store()


@pytest.fixture
def session(path: Path, session_on: SessionMaker) -> TracingSession:
    """A session on a store of its own, which the test breaks."""
    store = Store(place_of(f"sqlite:///{path}", path.parent))
    store.open("app")
    return session_on(store)


def refuse(path: Path, table: str, when: str = "1") -> None:
    with sqlite3.connect(path) as database:
        database.execute(
            f"CREATE TRIGGER no BEFORE INSERT ON {table} WHEN {when} BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )


def accept(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("DROP TRIGGER no")


def spans(*names: str) -> Callable[[], None]:
    def body() -> None:
        for name in names:
            with mlflow.start_span(name):
                pass

    return body


def test_one_refused_span_costs_its_own_trace_alone(session: TracingSession, path: Path) -> None:
    refuse(path, "spans", "NEW.name = 'bad'")
    for i in range(10):
        session.run(spans("bad" if i == 4 else "good"), name=f"test_{i}")

    count = session.tracer.finish()
    assert list(count.missing.values()) == ["test_app.py::test_4"]
    assert count.produced == 10
    assert len(count.errors) == 1
    assert "refused" in count.errors[0]
    whole = [t for t in session.stored() if t.data.spans]
    assert {t.info.tags["mlflow.test.case_id"] for t in whole} == {f"test_{i}" for i in range(10) if i != 4}


def test_a_write_reads_its_experiment_once_and_leaves_the_store_as_it_was(
    session: TracingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    read: list[str] = []
    original = SqlAlchemyStore.get_experiment

    def counted(store: SqlAlchemyStore, experiment_id: str) -> object:
        read.append(experiment_id)
        return original(store, experiment_id)

    for i in range(5):
        session.run(spans("a"), name=f"test_{i}")
    with monkeypatch.context() as watched:
        watched.setattr(SqlAlchemyStore, "get_experiment", counted)
        mlflow.flush_trace_async_logging()
        # One more for the spans, which are written together.
        assert len(read) <= 2
        mlflow.get_experiment(session.to.experiment_id)
        mlflow.get_experiment(session.to.experiment_id)
        assert len(read) >= 3
    session.finish()
    assert len(session.stored()) == 5


def test_a_store_that_cannot_be_had_is_an_error_of_each_trace(
    session: TracingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.tracing.client import TracingClient

    def gone(client: TracingClient) -> object:
        raise ConnectionError("the database is gone")

    session.run(spans("a"))
    with monkeypatch.context() as broken:
        broken.setattr(TracingClient, "store", property(gone))
        mlflow.flush_trace_async_logging()
        count = session.tracer.finish()
    assert list(count.missing.values()) == ["test_app.py::test_a"]
    assert count.errors == ["ConnectionError: the database is gone"]
    session.finish()


def test_other_threads_read_the_experiment_as_ever_during_a_write(session: TracingSession) -> None:
    from mlflow.tracing.client import TracingClient

    from pytest_genaiver.adapters.traces import internals

    client, experiment = TracingClient(session.to.tracking_uri), session.to.experiment_id
    with internals.experiment_read_once(client):
        first = client.store.get_experiment(experiment)
        with ThreadPoolExecutor(1) as pool:
            elsewhere = pool.submit(client.store.get_experiment, experiment).result()
        assert client.store.get_experiment(experiment) is first
    assert elsewhere is not first
    assert elsewhere.experiment_id == first.experiment_id == experiment


def test_a_store_that_refuses_everything_is_one_error_and_names_every_test(
    session: TracingSession, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_genaiver.adapters.traces.tracer._WRITE_AT", 8)
    refuse(path, "trace_info")
    start = time.monotonic()
    rans = [session.run(spans("a"), name=f"test_{i}") for i in range(30)]

    count = session.tracer.finish()
    assert time.monotonic() - start < 20
    assert not any(r.error for r in rans)
    assert sorted(count.missing.values()) == sorted(f"test_app.py::test_{i}" for i in range(30))
    assert len(count.errors) == 1
    assert session.stored() == []


def test_what_was_refused_for_a_while_is_written_at_the_end(
    session: TracingSession, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_genaiver.adapters.traces.tracer._WRITE_AT", 8)
    refuse(path, "trace_info")
    for i in range(20):
        session.run(spans("a"), name=f"test_{i}")
    accept(path)

    session.finish()
    assert len(session.stored()) == 20


def test_a_trace_whose_spans_were_refused_for_a_while_is_stored_once(session: TracingSession, path: Path) -> None:
    refuse(path, "spans")
    scope = session.scope()
    with session.tracer.open(scope), session.tracer.root(scope, "test_a", {}):
        pass
    mlflow.flush_trace_async_logging()
    session.close(scope, {"good": True})
    accept(path)

    session.finish()
    (trace,) = session.stored()
    assert len(trace.data.spans) == 1
    assert [a.name for a in trace.info.assessments] == ["good"]


def test_a_score_waits_for_its_trace_that_was_refused(session: TracingSession, path: Path) -> None:
    refuse(path, "trace_info")
    scope = session.scope()
    with session.tracer.open(scope), session.tracer.root(scope, "test_a", {}):
        pass
    mlflow.flush_trace_async_logging()
    session.close(scope, {"good": True})
    accept(path)

    session.finish()
    (trace,) = session.stored()
    assert [a.name for a in trace.info.assessments] == ["good"]


@pytest.mark.parametrize("refused", [False, True])
def test_a_score_that_arrives_during_a_write_is_not_lost(session: TracingSession, path: Path, refused: bool) -> None:
    if refused:
        refuse(path, "trace_info")
    scope = session.scope()
    with session.tracer.open(scope), session.tracer.root(scope, "test_a", {}):
        pass
    # The writer waits for the lock that this connection holds.
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("BEGIN IMMEDIATE")
    writing = threading.Thread(target=mlflow.flush_trace_async_logging)
    writing.start()
    while not scope.held[0].leaving:
        time.sleep(0.01)
    session.close(scope, {"good": True})
    database.execute("ROLLBACK")
    database.close()
    writing.join()
    if refused:
        accept(path)

    session.finish()
    (trace,) = session.stored()
    assert [a.name for a in trace.info.assessments] == ["good"]


def test_a_thread_that_ends_a_span_does_not_wait_for_the_store(session: TracingSession, path: Path) -> None:
    session.run(spans("a"))
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("BEGIN IMMEDIATE")
    writing = threading.Thread(target=mlflow.flush_trace_async_logging)
    writing.start()
    try:
        time.sleep(0.1)
        start = time.monotonic()
        session.run(spans("b"), name="test_b")
        took = time.monotonic() - start
        assert writing.is_alive()
    finally:
        database.execute("ROLLBACK")
        database.close()
        writing.join()
    assert took < 0.5
    session.finish()


def session_to(uri: str, root: Path, session_on: SessionMaker) -> TracingSession:
    to = Destination(tracking_uri=uri, experiment_id="1", model_id="m-1", run_id="run")
    return session_on(Store(place_of(uri, root)), to=to, autolog=[])


def test_a_dead_server_costs_bounded_time(dead_server: str, tmp_path: Path, session_on: SessionMaker) -> None:
    session = session_to(dead_server, tmp_path, session_on)
    start = time.monotonic()
    rans = [session.run(spans("a"), name=f"test_{i}") for i in range(40)]
    count = session.tracer.finish()

    assert time.monotonic() - start < 20
    assert not any(r.error for r in rans)
    assert len(count.missing) == 40
    assert len(count.errors) == 1


def test_a_server_that_never_answers_costs_bounded_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, session_on: SessionMaker
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen(100)
        session = session_to(f"http://127.0.0.1:{mute.getsockname()[1]}", tmp_path, session_on)
        rans = [session.run(spans("a"), name=f"test_{i}") for i in range(60)]
        start = time.monotonic()
        count = session.tracer.finish()
        took = time.monotonic() - start

    assert took < 6
    assert not any(r.error for r in rans)
    assert len(count.missing) == 60


def test_a_server_that_takes_no_spans_gets_them_as_artifacts(
    session: TracingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As before MLflow 3.4."""
    from mlflow.tracing.client import TracingClient

    def log_spans(*args: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(TracingClient, "log_spans", log_spans)
    for i in range(3):
        session.run(spans("a"), name=f"test_{i}")
    count = session.tracer.finish()

    assert count.missing == {}
    root = session.store.place.artifacts
    assert root is not None
    assert len([p for p in root.rglob("traces.json") if '"name": "a"' in p.read_text(encoding="utf-8")]) == 3


def test_the_record_first_order_is_the_cheap_one(session: TracingSession) -> None:
    """The claim on which the writer is built: spans before the record cost more than the record before the spans."""
    from mlflow.tracing.client import TracingClient

    def held(n: int) -> list[Held]:
        made: list[Held] = []
        for i in range(n):
            scope = session.scope(f"test_{i}")
            with session.tracer.open(scope), session.tracer.root(scope, "t", {}):
                spans("a", "b")()
            made += scope.held
            scope.held = []
            scope.closed = True
        return made

    client = TracingClient(session.to.tracking_uri)
    ours, theirs = held(20), held(20)
    with statements() as first:
        assert session.tracer._writer.write(ours) == []
    with statements() as other:
        for h in theirs:
            client.log_spans(session.to.experiment_id, h.trace.data.spans)
            client.start_trace(h.trace.info)
    assert len(first) < 0.6 * len(other)


@contextlib.contextmanager
def statements() -> Iterator[list[str]]:
    """Every SQL statement that is executed within."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    seen: list[str] = []

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)
