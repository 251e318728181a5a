"""What there is of a version, and its end: on sqlite and behind a real server."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters.tracking import deployments, pruning
from pytest_genaiver.adapters.tracking.place import place_of
from pytest_genaiver.adapters.tracking.store import Store
from pytest_genaiver.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_genaiver.core.pruning import VersionRecord

_numbers = itertools.count()


@pytest.fixture(params=["sqlite", "http"])
def either(request: pytest.FixtureRequest) -> Store:
    """A local store, and one behind a server."""
    found: Store = request.getfixturevalue("store" if request.param == "sqlite" else "server_store")
    return found


def session(store: Store, name: str = "app-1", *, app: str = "app", ended: bool = True) -> tuple[str, str]:
    """Model id and run of one session."""
    tags = {"genaiver.app": app, "genaiver.commit": "0" * 40, "genaiver.variant": "eu"}
    model_id = store.version(name, tags, {})
    run_id = store.start_session(name, {"genaiver.model_id": model_id, "genaiver.complete": "false"}, model_id)
    store.save_results(run_id, "{}", {"case": ["a"], "mean": [1.0]})
    if ended:
        store.end_session(run_id, {"genaiver.complete": "true"}, ok=True)
    return model_id, run_id


def trace(store: Store, *, run: str, model: str | None = None, size: str = "100") -> str:
    """A trace as a session stores it."""
    from mlflow.entities import TraceInfo, TraceLocation, TraceState

    trace_id = f"tr-{next(_numbers):032x}"
    metadata = {"mlflow.sourceRun": run, "mlflow.trace.sizeBytes": size}
    info = TraceInfo(
        trace_id=trace_id,
        trace_location=TraceLocation.from_experiment_id(store.experiment_id),
        request_time=int(time.time() * 1000),
        state=TraceState.OK,
        trace_metadata=metadata if model is None else {**metadata, "mlflow.modelId": model},
    )
    store.client()._tracing_client.store.start_trace(info)
    return trace_id


def record_of(store: Store, name: str = "app-1") -> VersionRecord:
    (found,) = (v for v in pruning.inventory(store, "app") if v.name == name)
    return found


def test_the_inventory_holds_every_version_of_the_app_with_its_sessions(either: Store, monkeypatch) -> None:
    monkeypatch.setattr(pruning, "PAGE", 2)
    model, first = session(either)
    _, second = session(either, ended=False)
    for name in ("app-2", "app-3"):
        session(either, name)
    session(either, "other", app="other")
    either.client().create_run(either.experiment_id)
    assert sorted(v.name for v in pruning.inventory(either, "app")) == ["app-1", "app-2", "app-3"]
    found = record_of(either)
    assert (found.model_id, set(found.runs), found.commit, found.variant) == (model, {first, second}, "0" * 40, "eu")
    assert found.running
    assert not record_of(either, "app-2").bound
    assert found.last_ms == either.client().get_run(second).info.start_time


def test_what_binds_a_version_is_seen(store: Store) -> None:
    from datetime import datetime, timezone

    session(store)
    ref = store.version_named("app-1")
    assert ref is not None
    deployments.pin(store, ref)
    assert record_of(store).bound == "pinned"
    assert not pruning.still_free(store, record_of(store))
    deployments.deploy(store, ref, "production", datetime.now(timezone.utc))
    assert record_of(store).bound == "deployed"


def test_a_session_that_crashed_long_ago_does_not_run(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    session(store, ended=False)
    later = time.time() + 86_401
    monkeypatch.setattr(pruning.time, "time", lambda: later)
    assert not record_of(store).running


def test_its_traces_are_those_linked_to_it_and_those_of_its_sessions_without_a_link(either: Store) -> None:
    model, run = session(either)
    other, other_run = session(either, "app-2")
    mine = {trace(either, run=run, model=model): 100, trace(either, run=other_run, model=model, size="7"): 7}
    mine[trace(either, run=run, size="much")] = 0
    theirs = [trace(either, run=run, model=other), trace(either, run=other_run)]
    assert pruning.traces_of(either, record_of(either)) == mine
    assert set(pruning.traces_of(either, record_of(either, "app-2"))) == set(theirs)


def test_dropped_it_is_gone_and_nothing_else_is(either: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "TRACES_A_CALL", 2)
    model, run = session(either)
    _, other_run = session(either, "app-2")
    for _ in range(5):
        trace(either, run=run, model=model)
    left = trace(either, run=other_run)
    version, told = record_of(either), []
    pruning.drop(either, version, list(pruning.traces_of(either, version)), told.append)
    assert told == [2, 2, 1]
    assert [v.name for v in pruning.inventory(either, "app")] == ["app-2"]
    assert either.sessions(model) == []
    assert either.version_named("app-1") is None
    assert list(pruning.traces_of(either, record_of(either, "app-2"))) == [left]
    assert not pruning.still_free(either, version)


@pytest.mark.parametrize("step", ["delete_traces", "delete_run", "delete_logged_model"])
def test_interrupted_it_never_looks_whole_and_is_dropped_later(
    store: Store, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    model, run = session(store)
    session(store)
    for _ in range(3):
        trace(store, run=run, model=model)

    class Stopped(type(store.client())):  # type: ignore[misc]
        pass

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    setattr(Stopped, step, stop)
    with monkeypatch.context() as patched:
        patched.setattr(store, "client", lambda: Stopped(store.place.uri))
        version = record_of(store)
        with pytest.raises(KeyboardInterrupt):
            pruning.drop(store, version, list(pruning.traces_of(store, version)), lambda _: None)
    assert not any(s.complete for s in store.sessions(model))
    half = record_of(store)
    assert half.half
    pruning.drop(store, half, list(pruning.traces_of(store, half)), lambda _: None)
    assert pruning.inventory(store, "app") == []


def test_the_size_of_its_files(new_store: Callable[[], Path], server_store: Store) -> None:
    database = new_store()
    store = Store(place_of(f"sqlite:///{database}", database.parent))
    store.open("app")
    session(store)
    files = [f for f in (database.parent / "mlruns").rglob("*") if f.is_file() and f.name != ".gitignore"]
    assert pruning.artifact_bytes(store, record_of(store)) == sum(f.stat().st_size for f in files) > 0
    moved = database.parent.with_name("moved")
    database.parent.rename(moved)
    again = Store(place_of(f"sqlite:///{moved / 'mlflow.db'}", moved))
    assert again.find("app")
    assert pruning.artifact_bytes(again, record_of(again)) == sum(
        (moved / f.relative_to(database.parent)).stat().st_size for f in files
    )
    session(server_store)
    assert pruning.artifact_bytes(server_store, record_of(server_store)) is None


def test_a_store_that_fails_is_one_sentence(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    session(store)
    version = record_of(store)
    monkeypatch.setattr(store, "experiment_id", "nonsense")
    for call in (lambda: pruning.inventory(store, "app"), lambda: pruning.traces_of(store, version)):
        with pytest.raises(StoreError, match="cannot list the "):
            call()
