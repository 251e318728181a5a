"""Calls that run side by side keep their traces apart, in threads and thread pools that carry no context too."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import mlflow
import pytest

from pytest_genaiver.adapters.traces.threads import inherit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import TracingSession
    from pytest_genaiver.adapters.traces.scope import Scope

VARIABLE: ContextVar[str | None] = ContextVar("variable", default=None)


@pytest.fixture
def handed_on() -> Iterator[None]:
    undo = inherit(VARIABLE)
    yield
    undo()


def in_thread(work: Callable[[], Any]) -> Any:
    seen: list[Any] = []
    thread = threading.Thread(target=lambda: seen.append(work()))
    thread.start()
    thread.join()
    return seen[0]


def test_a_thread_and_its_threads_have_the_value_of_who_started_them(handed_on: None) -> None:
    VARIABLE.set("a")
    try:
        assert in_thread(VARIABLE.get) == "a"
        assert in_thread(lambda: in_thread(VARIABLE.get)) == "a"
    finally:
        VARIABLE.set(None)
    assert in_thread(VARIABLE.get) is None


def test_the_work_of_a_pool_has_the_value_of_who_gave_it_not_of_who_started_the_worker(handed_on: None) -> None:
    with ThreadPoolExecutor(1) as pool:
        seen = []
        for value in ("a", "b", None):
            VARIABLE.set(value)
            seen.append(pool.submit(VARIABLE.get).result())
    assert seen == ["a", "b", None]


def test_undone_it_is_gone() -> None:
    before = threading.Thread.start, ThreadPoolExecutor.submit
    undo = inherit(VARIABLE)
    assert (threading.Thread.start, ThreadPoolExecutor.submit) != before
    undo()
    assert (threading.Thread.start, ThreadPoolExecutor.submit) == before


def span(name: str) -> None:
    with mlflow.start_span(name, span_type="LLM"):
        pass


def call(session: TracingSession, scope: Scope, together: threading.Barrier) -> None:
    with session.tracer.call(scope, "target", {}):
        together.wait()
        threads = [threading.Thread(target=span, args=(f"thread of {scope.case_id}",))]
        with ThreadPoolExecutor(1) as pool:
            threads[0].start()
            pool.submit(span, f"pool of {scope.case_id}").result()
            threads[0].join()
        span(f"nested in {scope.case_id}")
        together.wait()


def test_calls_side_by_side_have_their_own_traces_and_latency(session: TracingSession) -> None:
    scopes = [session.scope(f"test_{i}") for i in range(4)]
    together = threading.Barrier(4)
    callers = [threading.Thread(target=call, args=(session, s, together)) for s in scopes]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    for scope in scopes:
        names = sorted(s.name for h in scope.held for s in h.trace.data.spans if s.name != "target")
        case = scope.case_id
        assert names == [f"nested in {case}", f"pool of {case}", f"thread of {case}"]
        measured = session.tracer.measured(scope)
        assert measured.calls == 3
        assert measured.latency is not None
        assert measured.latency > 0
        session.close(scope, {"good": True})
    session.finish()


def test_a_call_that_failed_has_no_latency(session: TracingSession) -> None:
    scope = session.scope()

    def failing() -> None:
        with session.tracer.call(scope, "target", {}):
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        failing()
    assert session.tracer.measured(scope).latency is None
    session.close(scope, {})


def test_a_thread_that_serves_several_calls_at_once_belongs_to_none(session: TracingSession) -> None:
    """A server that a fixture started: whose call it is nobody can tell, and unknown stays unknown."""
    one, other = session.scope("test_one"), session.scope("test_other")
    asked, answered = threading.Event(), threading.Event()

    def serve() -> None:
        asked.wait()
        span("served")
        answered.set()

    threading.Thread(target=serve).start()
    with session.tracer.call(one, "target", {}), session.tracer.call(other, "target", {}):
        asked.set()
        answered.wait()
    assert [s.name for scope in (one, other) for h in scope.held for s in h.trace.data.spans] == ["target", "target"]
    for scope in (one, other):
        session.close(scope, {})
    assert sorted(session.tracer.produced.values()) == ["", "test_app.py::test_one", "test_app.py::test_other"]
    session.finish()


def test_a_judges_calls_are_linked_but_not_the_apps(session: TracingSession) -> None:
    scope = session.scope()
    with session.tracer.open(scope), session.tracer.root(scope, "test", {}):
        span("app")
        with session.tracer.judging(scope):
            span("judge")
    assert session.tracer.measured(scope).calls == 1
    assert scope.judged().calls == 1
    ids = session.close(scope, {"good": True})
    assert len(ids) == 2
    session.finish()
    assert all(session.is_linked(t) for t in session.stored())


def test_a_version_of_its_own_is_linked_also_where_the_active_model_is_another(session: TracingSession) -> None:
    other = session.store.version("other", {}, {})
    scope = session.scope()
    scope.model_id = other
    with session.tracer.call(scope, "target", {}):
        seen = mlflow.get_active_model_id()
        in_thread(lambda: span("thread"))
    session.close(scope, {})
    session.finish()
    assert seen == other
    assert {t.info.trace_metadata["mlflow.modelId"] for t in session.stored()} == {other}


def test_what_a_call_traced_is_there_when_it_returns_however_many_end_at_once(session: TracingSession) -> None:
    together, missed = threading.Barrier(8), []

    def work(number: int) -> None:
        for turn in range(20):
            scope = session.scope(f"test_{number}_{turn}")
            together.wait()
            with session.tracer.call(scope, "target", {}):
                span("call")
            if session.tracer.measured(scope).calls != 1:
                missed.append(scope.test_name)
            session.close(scope, {})

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert missed == []
    assert session.finish().produced == 160


def test_a_trace_is_not_lost_where_its_price_cannot_be_noted(session: TracingSession) -> None:
    def broken(dollars: float) -> None:
        raise OSError("no space left on device")

    session.tracer._paid = broken
    ran = session.run(lambda: span("call"))
    session.tracer._paid = lambda _: None
    assert ran.measured.calls == 1
    assert session.finish().produced == 1
