"""The same record behind a real `mlflow server`, where nothing can be locked, and behind one that is dead."""

from __future__ import annotations

import threading
import time
import traceback
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters.tracking.place import place_of
from pytest_genaiver.adapters.tracking.store import Store
from pytest_genaiver.adapters.tracking.stored_traces import trace_ids
from pytest_genaiver.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

SHA = "0123456789abcdef0123456789abcdef01234567"
TAGS = {"genaiver.app": "app", "genaiver.commit": SHA, "genaiver.dirty": "false"}


def test_a_version_and_its_session_are_recorded_and_found(server_store: Store) -> None:
    store = server_store
    model_id = store.version("app-1", TAGS, {"a": "1"})
    assert store.version("app-1", TAGS, {}) == model_id
    assert [v.model_id for v in store.versions_of_commits([SHA], "app")] == [model_id]
    assert store.version_by_id("m-0123") is None
    assert store.params(model_id) == {"a": "1"}

    run_id = store.start_session("s", {"genaiver.model_id": model_id}, model_id)
    text = '{"a": "é😀"}\r\n'
    store.save_results(run_id, text, {"case": ["a"], "mean": [1.0]})
    store.save_metrics(run_id, model_id, {"good": 0.75})
    store.end_session(run_id, {"genaiver.complete": "true"}, ok=True)
    (session,) = store.sessions(model_id)
    assert (session.run_id, session.complete) == (run_id, True)
    assert store.read_results(session).encode() == text.encode()
    assert trace_ids(store, run_id, among=["tr-1"]) == set()

    from mlflow import MlflowClient

    model = MlflowClient(store.place.uri).get_logged_model(model_id)
    assert {m.key: m.value for m in model.metrics or ()} == {"good": 0.75}


def test_eight_at_once_leave_one_experiment_and_one_version(server: str, experiment: str, tmp_path: Path) -> None:
    gate, made, errors = threading.Barrier(8), [], []

    def one() -> None:
        store = Store(place_of(server, tmp_path))
        gate.wait()
        try:
            made.append((store.open(experiment), store.version("app-1", TAGS, {})))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert len(set(made)) == 1
    from mlflow import MlflowClient

    found = MlflowClient(server).search_logged_models([made[0][0]])
    assert [m.model_id for m in found] == [made[0][1]]


def test_results_that_a_server_does_not_have_are_an_error(server_store: Store) -> None:
    store = server_store
    model_id = store.version("app-1", TAGS, {})
    run_id = store.start_session("s", {"genaiver.model_id": model_id}, model_id)
    store.end_session(run_id, {"genaiver.complete": "true"}, ok=True)
    (session,) = store.sessions(model_id)
    with pytest.raises(StoreError, match=rf"^cannot read the results of run {run_id}: "):
        store.read_results(session)


def test_a_dead_server_is_an_error_in_seconds_without_credentials(dead_server: str, tmp_path: Path) -> None:
    uri = dead_server.replace("http://", "http://bob:secret@")
    start = time.monotonic()
    with pytest.raises(StoreError, match=rf"^cannot open the MLflow store '{dead_server}': ") as raised:
        Store(place_of(uri, tmp_path)).open("app")
    assert time.monotonic() - start < 15
    assert "secret" not in "".join(traceback.format_exception(raised.value))
