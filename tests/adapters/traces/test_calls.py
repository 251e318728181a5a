"""Every LLM call of a repeat is stored, linked and tagged, however it was made."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import App, TracingSession


def in_the_main_thread(app: App) -> None:
    for i in range(3):
        app.ask(f"q{i}")


def in_asyncio_gather(app: App) -> None:
    async def body() -> None:
        await asyncio.gather(*(app.ask_async(f"q{i}") for i in range(3)))

    asyncio.run(body())


def in_asyncio_tasks(app: App) -> None:
    async def body() -> None:
        tasks = [asyncio.create_task(app.ask_async(f"q{i}")) for i in range(3)]
        for task in tasks:
            await task

    asyncio.run(body())


def in_a_thread_pool(app: App) -> None:
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(app.ask, ["q0", "q1", "q2"]))


def in_threads_with_the_context(app: App) -> None:
    with ThreadPoolExecutor(3) as pool:
        for i in range(3):
            pool.submit(contextvars.copy_context().run, app.ask, f"q{i}")


def in_asyncio_threads(app: App) -> None:
    async def body() -> None:
        await asyncio.gather(*(asyncio.to_thread(app.ask, f"q{i}") for i in range(3)))

    asyncio.run(body())


def in_streams(app: App) -> None:
    for i in range(3):
        assert "".join(c.choices[0].delta.content or "" for c in app.stream(f"q{i}")) == "good"


def in_a_generator(app: App) -> None:
    def answers() -> Iterator[str]:
        for i in range(3):
            yield app.ask(f"q{i}")

    assert list(answers()) == ["good"] * 3


WAYS = [
    in_the_main_thread,
    in_asyncio_gather,
    in_asyncio_tasks,
    in_a_thread_pool,
    in_threads_with_the_context,
    in_asyncio_threads,
    in_streams,
    in_a_generator,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_calls_are_stored_linked_and_tagged(session: TracingSession, app: App, way: Callable[[App], None]) -> None:
    ran = session.run(lambda: way(app), scores={"good": True, "length": 4})
    session.finish()

    assert ran.error is None
    assert ran.measured.calls == 3
    assert len(session.calls()) == 3
    stored = session.stored()
    assert all(session.is_linked(t) for t in stored)
    assert {t.info.trace_id for t in stored} == set(ran.ids)
    # The root alone pairs the repeat with another version's, and carries the scores.
    paired = {t.info.trace_id: t.info.tags.get("mlflow.eval.requestId") for t in stored}
    assert {i: r for i, r in paired.items() if r} == {ran.scope.root_id: ran.scope.request_id}
    scored = {a.name: (t.info.trace_id, a.value) for t in stored for a in t.info.assessments}
    assert scored == {"good": (ran.scope.root_id, True), "length": (ran.scope.root_id, 4)}


def test_the_root_holds_inputs_and_output(session: TracingSession, app: App) -> None:
    session.run(app.ask)
    session.finish()

    (trace,) = session.stored()
    root = trace.data.spans[0]
    assert (root.name, root.inputs, root.outputs) == ("test_a", {"name": "test_a"}, "good")
    assert trace.data.spans[1].parent_id == root.span_id


def test_calls_of_fixtures_are_stored_and_not_measured(session: TracingSession, app: App) -> None:
    import contextlib

    @contextlib.contextmanager
    def fixture() -> Iterator[None]:
        app.ask("setup")
        yield
        app.ask("teardown")

    ran = session.run(lambda: app.ask("body"), fixture=fixture)
    session.finish()

    assert ran.measured.calls == 1
    assert len(session.calls()) == 3
    assert all(session.is_linked(t) for t in session.stored())


def test_a_span_that_a_fixture_keeps_open_is_not_the_root(session: TracingSession, app: App) -> None:
    import mlflow

    ran = session.run(app.ask, fixture=lambda: mlflow.start_span("fixture"))
    session.finish()

    assert ran.measured.calls == 1
    roots = {t.data.spans[0].name: t for t in session.stored()}
    assert set(roots) == {"fixture", "test_a"}
    assert roots["test_a"].info.trace_id == ran.scope.root_id
    assert ran.measured.latency is not None
    assert ran.measured.latency < roots["test_a"].data.spans[0].end_time_ns / 1e9  # type: ignore[operator]


def test_a_test_that_fails_keeps_its_calls(session: TracingSession, app: App) -> None:
    def body() -> None:
        app.ask()
        raise AssertionError("bad")

    ran = session.run(body)
    session.finish()

    assert isinstance(ran.error, AssertionError)
    ((trace, _),) = session.calls()
    assert trace.info.status == "ERROR"
    assert [a.name for a in trace.info.assessments] == ["good"]


def test_calls_outside_any_test_are_stored_without_one(session: TracingSession, app: App) -> None:
    app.ask("a session fixture asks")
    session.finish()

    ((trace, _),) = session.calls()
    assert trace.info.trace_metadata["mlflow.modelId"] == session.to.model_id
    assert "mlflow.test.name" not in trace.info.tags
    assert session.tracer.produced == {trace.info.trace_id: ""}


def test_calls_over_http_are_stored(server_store, session_on, app: App) -> None:
    session = session_on(server_store)
    for i in range(3):
        session.run(lambda: in_a_thread_pool(app), name=f"test_{i}")
    session.finish()

    assert len(session.calls()) == 9
    assert all(session.is_linked(t, test=t.info.tags["mlflow.test.case_id"]) for t in session.stored())
    assert sum(len(t.info.assessments) for t in session.stored()) == 3


def test_a_test_that_is_no_case_names_itself_alone(session: TracingSession, app: App) -> None:
    scope = session.scope()
    scope.case_id = scope.request_id = None
    with session.tracer.open(scope):
        app.ask()
    session.close(scope, {})
    session.finish()

    (trace,) = session.stored()
    assert trace.info.tags["mlflow.test.name"] == "test_app.py::test_a"
    assert not {"mlflow.test.case_id", "mlflow.eval.requestId"} & trace.info.tags.keys()
    assert session.tracer.measured(scope).calls == 0


def test_a_session_that_was_cut_short_writes_what_it_has(session: TracingSession, app: App) -> None:
    scope = session.scope()
    with session.tracer.open(scope), session.tracer.root(scope, "test_a", {}):
        app.ask()
    session.finish()
    (trace,) = session.stored()
    assert session.is_linked(trace)
    assert trace.info.assessments == []


def test_spans_of_a_trace_that_another_process_started_are_left_to_mlflow(session: TracingSession, app: App) -> None:
    import mlflow

    headers = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"}

    def serve() -> None:
        with mlflow.tracing.set_tracing_context_from_http_request_headers(headers):
            app.ask()

    thread = threading.Thread(target=serve)
    thread.start()
    thread.join()
    session.finish()
    assert session.tracer.produced == {}
    mlflow.flush_trace_async_logging()
    assert [s.parent_id for t in session.stored() for s in t.data.spans] == ["cd" * 8]
