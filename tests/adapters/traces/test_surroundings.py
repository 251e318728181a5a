"""What a session sets in MLflow is put back, and a second one in the same process works as the first."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import warnings
from typing import TYPE_CHECKING, Any

import mlflow
import pytest

from pytest_genaiver.adapters.traces import internals, process_state
from pytest_genaiver.adapters.traces.surroundings import calm, prepare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import App, SessionMaker
    from pytest_genaiver.adapters.tracking.store import Store


def snapshot() -> dict[str, Any]:
    from mlflow import ActiveModel
    from mlflow.tracing.export.mlflow_v3 import MlflowV3SpanExporter
    from mlflow.tracing.processor import base_mlflow
    from openai.resources.chat.completions import Completions

    return {
        "environment": {n: v for n, v in os.environ.items() if "MLFLOW" in n},
        "levels": [logging.getLogger(n).level for n in ("mlflow", "alembic")],
        "uri": process_state.chosen_tracking_uri(),
        "experiment": process_state.active_experiment(),
        "model": mlflow.get_active_model_id(),
        "class attributes": [ActiveModel.__enter__, ActiveModel.__exit__, MlflowV3SpanExporter.export],
        "flush": base_mlflow.flush_all_batch_processors,
        "finders": list(sys.meta_path),
        "autologging": dict(internals.autologging("openai")),
        "client": Completions.create,
        "processors": process_state.span_processors(),
    }


@pytest.fixture
def own_program(new_store: Callable[[str], Path]) -> Iterator[str]:
    """A program that uses MLflow by itself: its own store, experiment and model; the experiment's id."""
    before = process_state.chosen_tracking_uri(), process_state.active_experiment(), dict(os.environ)
    mlflow.set_tracking_uri(f"sqlite:///{new_store('own')}")
    found = mlflow.set_experiment("own").experiment_id
    mlflow.set_active_model(name="own")
    yield found
    mlflow.clear_active_model()
    mlflow.set_tracking_uri(before[0])
    process_state.set_active_experiment(before[1])
    for name in set(os.environ) - set(before[2]):
        if "MLFLOW" in name:
            del os.environ[name]


def test_everything_is_put_back(own_program: str, store: Store, session_on: SessionMaker, app: App) -> None:
    import openai  # noqa: F401

    before = snapshot()
    put_back = prepare()
    session = session_on(store)
    during = snapshot()
    session.run(app.ask)
    session.finish()
    session.stop()
    put_back()

    after = snapshot()
    for what, value in before.items():
        assert after[what] == value, what
    changed = {what for what in before if before[what] != during[what]}
    assert {"environment", "uri", "model", "class attributes", "flush", "finders", "client"} <= changed


def test_a_program_traces_to_its_own_store_again(
    own_program: str, store: Store, session_on: SessionMaker, app: App
) -> None:
    model = mlflow.get_active_model_id()
    session = session_on(store)
    session.run(app.ask)
    session.finish()
    session.stop()

    app.ask("untraced")
    with mlflow.start_span("mine"):
        pass
    (trace,) = mlflow.search_traces(locations=[own_program], return_type="list", flush=True)
    assert trace.data.spans[0].name == "mine"
    assert trace.info.trace_metadata["mlflow.modelId"] == model
    assert len(session.stored()) == 1


def test_a_second_session_in_one_process_works_as_the_first(store: Store, session_on: SessionMaker, app: App) -> None:
    for _ in range(2):
        session = session_on(store)
        ran = session.run(app.ask)
        session.finish()
        session.stop()
        assert ran.measured.calls == 1
    assert len(session.stored()) == 2


def test_stopping_twice_is_stopping_once(store: Store, session_on: SessionMaker) -> None:
    session = session_on(store)
    session.stop()
    before = snapshot()
    session.stop()
    assert snapshot() == before


def test_a_provider_with_a_batch_processor_loses_nothing(
    store: Store, session_on: SessionMaker, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A conftest that traces before the session starts has MLflow build the processor that drops spans."""
    monkeypatch.delenv("MLFLOW_USE_BATCH_SPAN_PROCESSOR")
    mlflow.set_tracking_uri(store.place.uri)
    from mlflow.tracing import provider

    provider.reset()
    mlflow.set_experiment(experiment_id=store.experiment_id)
    with mlflow.start_span("before the session"):
        pass
    processor = provider._get_span_processor()
    assert processor._batch_delegate is not None
    monkeypatch.setenv("MLFLOW_USE_BATCH_SPAN_PROCESSOR", "false")

    session = session_on(store)
    assert processor._batch_delegate is None
    session.run(app.ask)
    session.finish()
    assert [t.data.spans[0].name for t in session.stored()] == ["before the session", "test_a"]
    session.stop()
    process_state.set_active_experiment(None)
    mlflow.set_tracking_uri(None)  # type: ignore[arg-type]


def test_what_the_user_set_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "9")
    monkeypatch.setenv("MLFLOW_LOGGING_LEVEL", "INFO")
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_TIMEOUT")
    level = logging.getLogger("mlflow").level
    put_back = prepare()
    try:
        assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "9"
        assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "10"
        assert logging.getLogger("mlflow").level == level
    finally:
        put_back()
    assert "MLFLOW_HTTP_REQUEST_TIMEOUT" not in os.environ
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "9"


def test_mlflows_log_level_is_its_own_again_when_a_session_imported_it() -> None:
    code = (
        "import logging; from pytest_genaiver.adapters.traces.surroundings import prepare; put_back = prepare();"
        "print(logging.getLogger('mlflow').level); put_back(); print(logging.getLogger('mlflow').level)"
    )
    environment = {n: v for n, v in os.environ.items() if "MLFLOW" not in n}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    assert done.stdout.split() == [str(logging.WARNING), str(logging.INFO)]


def test_calm_lets_no_warning_become_an_error() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with calm():
            warnings.warn("inner", stacklevel=1)
        with pytest.raises(UserWarning, match="outer"):
            warnings.warn("outer", stacklevel=1)


def test_no_test_asks_the_store_for_its_surroundings(
    store: Store, session_on: SessionMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that died must not fail the setup of every test that follows one which changed something."""
    from mlflow.tracking import MlflowClient

    session = session_on(store)

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("the store was asked")

    for name in ("get_experiment", "get_logged_model", "search_logged_models", "get_experiment_by_name"):
        monkeypatch.setattr(MlflowClient, name, refuse)
    session.run(lambda: (mlflow.clear_active_model(), process_state.set_active_experiment("0")))
    seen: list[Any] = []
    session.run(lambda: seen.append((mlflow.get_active_model_id(), process_state.active_experiment())))
    assert seen == [(session.to.model_id, session.to.experiment_id)]


def test_a_session_without_a_model_leaves_the_users(store: Store, session_on: SessionMaker, app: App) -> None:
    from pytest_genaiver.adapters.traces.scope import Destination

    to = Destination(tracking_uri=store.place.uri, experiment_id=store.experiment_id, model_id=None, run_id=None)
    session = session_on(store, to=to)
    ran = session.run(app.ask)
    assert session.tracer.finish().missing == {}

    assert ran.measured.calls == 1
    (trace,) = session.stored()
    assert "mlflow.modelId" not in trace.info.trace_metadata
    assert "mlflow.sourceRun" not in trace.info.trace_metadata
