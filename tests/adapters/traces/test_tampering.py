"""What a test does to MLflow's globals neither loses its calls nor reaches the next repeat."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import mlflow
import pytest

from pytest_genaiver.adapters.traces import process_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import App, SessionMaker, TracingSession
    from pytest_genaiver.adapters.tracking.store import Store


def set_experiment(app: App, path: Path) -> None:
    app.ask("before")
    mlflow.set_experiment("somebody-else")
    app.ask("after")


def set_tracking_uri(app: App, path: Path) -> None:
    app.ask("before")
    mlflow.set_tracking_uri(f"sqlite:///{path}")
    app.ask("after")


def active_run(app: App, path: Path) -> None:
    app.ask("before")
    with mlflow.start_run():
        app.ask("within")


def run_left_active(app: App, path: Path) -> None:
    mlflow.start_run()
    app.ask("within")
    mlflow.end_run()


def bare_set_active_model(app: App, path: Path) -> None:
    mlflow.set_active_model(name="somebody-else")
    app.ask("after")


def clear_active_model(app: App, path: Path) -> None:
    mlflow.clear_active_model()
    app.ask("after")


def in_a_thread_after_clearing(app: App, path: Path) -> None:
    mlflow.clear_active_model()
    thread = threading.Thread(target=app.ask)
    thread.start()
    thread.join()


TRICKS = [
    set_experiment,
    set_tracking_uri,
    active_run,
    run_left_active,
    bare_set_active_model,
    clear_active_model,
    in_a_thread_after_clearing,
]


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.__name__)
def test_every_call_is_stored_with_the_session(
    session: TracingSession, app: App, new_store: Callable[[], Path], trick: Callable[[App, Path], None]
) -> None:
    ran = session.run(lambda: trick(app, new_store()))
    after = session.run(app.ask, name="test_b")
    count = session.finish()

    assert ran.error is None
    assert ran.measured.calls >= 1
    assert after.measured.calls == 1
    stored = {t.info.trace_id: t for t in session.stored()}
    assert len(session.calls()) == ran.measured.calls + 1
    assert all(session.is_linked(stored[i]) for i in ran.ids)
    assert all(session.is_linked(stored[i], test="test_b") for i in after.ids)
    assert len(stored) == count.produced


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.__name__)
def test_the_next_repeat_starts_in_the_sessions_surroundings(
    session: TracingSession, app: App, new_store: Callable[[], Path], trick: Callable[[App, Path], None]
) -> None:
    session.run(lambda: trick(app, new_store()))

    def surroundings() -> dict[str, Any]:
        return {
            "uri": mlflow.get_tracking_uri(),
            "experiment": process_state.active_experiment(),
            "model": mlflow.get_active_model_id(),
            "environment": [os.environ.get(n) for n in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_ID")],
            "in a thread": in_thread(mlflow.get_active_model_id),
        }

    found: dict[str, Any] = {}
    session.run(lambda: found.update(surroundings()), name="test_b")
    assert found == {
        "uri": session.to.tracking_uri,
        "experiment": session.to.experiment_id,
        "model": session.to.model_id,
        "environment": [session.to.tracking_uri, session.to.experiment_id],
        "in a thread": session.to.model_id,
    }


def in_thread(action: Callable[[], Any]) -> Any:
    got: list[Any] = []
    thread = threading.Thread(target=lambda: got.append(action()))
    thread.start()
    thread.join()
    return got[0]


def test_git_model_versioning_of_a_test_ends_with_it(
    session: TracingSession, app: App, repo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.git("remote", "add", "origin", "https://example.com/app.git")
    monkeypatch.chdir(repo.path)

    def body() -> None:
        with mlflow.genai.enable_git_model_versioning():
            app.ask()

    ran = session.run(body)
    after = session.run(app.ask, name="test_b")
    session.finish()

    assert ran.error is None
    assert ran.measured.calls == after.measured.calls == 1
    assert all(session.is_linked(t, test=t.info.tags["mlflow.test.case_id"]) for t in session.stored())


def test_a_block_with_another_model_is_a_trace_of_its_own_and_not_measured(session: TracingSession, app: App) -> None:
    other: list[str] = []

    def body() -> None:
        app.ask("mine")
        with mlflow.set_active_model(name="other") as model:
            other.append(model.model_id)
            app.ask("the other's")
            app.ask("the other's again")
        app.ask("mine again")

    ran = session.run(body)
    session.finish()

    assert ran.measured.calls == 2
    mine = [t for t, _ in session.calls() if session.is_linked(t)]
    theirs = [t for t, _ in session.calls() if session.is_linked(t, model_id=other[0])]
    assert (len(mine), len(theirs)) == (2, 2)
    assert {t.info.trace_id for t in mine} == {ran.scope.root_id}
    assert ran.scope.root_id not in {t.info.trace_id for t in theirs}


def test_a_block_with_the_sessions_own_model_is_measured(session: TracingSession, app: App) -> None:
    def body() -> None:
        with mlflow.set_active_model(model_id=session.to.model_id):
            app.ask()

    assert session.run(body).measured.calls == 1


def test_a_block_that_is_left_in_another_context_raises_nothing(session: TracingSession) -> None:
    import contextvars

    def body() -> None:
        block = mlflow.set_active_model(name="other")
        contextvars.copy_context().run(block.__enter__)
        block.__exit__(None, None, None)

    assert session.run(body).error is None


def test_a_block_outside_any_test_is_mlflows_own(session: TracingSession, app: App) -> None:
    with mlflow.start_span("outer"), mlflow.set_active_model(name="other"):
        app.ask()
    session.finish()

    (trace,) = session.stored()
    assert next(s.name for s in trace.data.spans) == "outer"
    assert len(trace.data.spans) == 2


def mask(span: Any) -> None:
    for name in ("inputs", "outputs"):
        if "secret" in str(getattr(span, name)):
            getattr(span, f"set_{name}")("[masked]")


@pytest.mark.parametrize("when", ["before the session", "in an earlier test", "in the test"])
def test_what_the_users_span_processors_mask_is_stored_masked(
    store: Store, session_on: SessionMaker, app: App, tmp_path: Path, when: str
) -> None:
    def configure() -> None:
        mlflow.tracing.configure(span_processors=[mask])

    if when == "before the session":
        configure()
    session = session_on(store)
    if when == "in an earlier test":
        session.run(configure)
        # MLflow forgets the processors with the tracking URI that it is told of.
        session.run(lambda: mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}"))

    def body() -> str:
        if when == "in the test":
            configure()
        app.ask("my secret")
        return "a secret"

    session.run(body, name="test_b")
    session.finish()
    mlflow.tracing.configure(span_processors=[])

    (trace,) = [t for t in session.stored() if session.is_linked(t, test="test_b")]
    assert "[masked]" in trace.to_json()
    assert "secret" not in trace.to_json()


def test_tracing_that_the_user_disabled_stays_off_and_breaks_nothing(session: TracingSession, app: App) -> None:
    try:
        ran = session.run(lambda: (mlflow.tracing.disable(), app.ask()))
        off = session.run(app.ask, name="test_b")
    finally:
        mlflow.tracing.enable()
    session.finish()

    assert ran.error is None
    assert off.error is None
    assert off.scope.root_id is None
    assert (off.measured.calls, off.measured.latency, off.ids) == (0, None, [])


@pytest.fixture
def sampled(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float], None]]:
    from mlflow.tracing import provider

    def at(ratio: float) -> None:
        monkeypatch.setenv("MLFLOW_TRACE_SAMPLING_RATIO", str(ratio))
        provider.reset()

    yield at
    monkeypatch.undo()
    provider.reset()


def test_traces_that_sampling_leaves_out_break_nothing(
    session: TracingSession, app: App, sampled: Callable[[float], None]
) -> None:
    sampled(0.5)
    all_of_them = [session.run(app.ask, name=f"test_{i}") for i in range(20)]
    session.finish()

    assert not any(r.error for r in all_of_them)
    kept = [r for r in all_of_them if r.scope.root_id]
    assert 0 < len(kept) < 20
    assert {r.scope.root_id for r in kept} <= {t.info.trace_id for t in session.stored()}


def test_scores_of_a_test_without_a_root_ride_on_its_first_trace(session: TracingSession, app: App) -> None:
    scope = session.scope()
    with session.tracer.open(scope):
        app.ask("first")
        app.ask("second")
    session.close(scope, {"good": True})
    session.finish()

    assert [[a.name for a in t.info.assessments] for t in session.stored()] == [["good"], []]


def test_child_processes_know_the_version(session: TracingSession) -> None:
    code = "import mlflow; print(mlflow.get_tracking_uri(), mlflow.get_active_model_id())"
    environment = {n: v for n, v in os.environ.items() if not n.startswith("COV")}

    def body() -> str:
        return subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment
        ).stdout

    printed: list[str] = []
    session.run(lambda: printed.append(body()))
    assert printed[0].split() == [session.to.tracking_uri, session.to.model_id]
