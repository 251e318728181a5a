"""Versions and sessions in a real store on sqlite; what differs on a server is in test_server.py."""

from __future__ import annotations

import json
import math
import multiprocessing
import sqlite3
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.adapters.tracking.place import place_of
from pytest_genaiver.adapters.tracking.store import Store
from pytest_genaiver.adapters.tracking.stored_traces import trace_ids
from pytest_genaiver.errors import ResultsError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow import MlflowClient

SHA = "0123456789abcdef0123456789abcdef01234567"


def tags(commit: str = SHA, *, app: str = "app", **more: str) -> dict[str, str]:
    return {"genaiver.app": app, "genaiver.commit": commit, "genaiver.dirty": "false", **more}


def client_of(store: Store) -> MlflowClient:
    from mlflow import MlflowClient

    return MlflowClient(store.place.uri)


def store_at(database: Path, experiment: str = "app") -> Store:
    made = Store(place_of(f"sqlite:///{database}", database.parent))
    made.open(experiment)
    return made


def session_of(
    store: Store, model_id: str, name: str = "s", *, complete: bool | None = True, text: str = "{}"
) -> str:
    run_id = store.start_session(name, {"genaiver.model_id": model_id}, model_id)
    store.save_results(run_id, text, {"case": ["a"], "mean": [1.0]})
    if complete is not None:
        store.end_session(run_id, {"genaiver.complete": str(complete).lower()}, ok=complete)
    return run_id


def test_a_version_is_made_once_and_found_by_name_commit_and_id(store: Store) -> None:
    model_id = store.version("app-01234567", tags(), {"temperature": "0"})
    assert store.version("app-01234567", tags(), {}) == model_id

    found = store.version_named("app-01234567")
    assert found is not None
    assert (found.model_id, found.name, found.commit, found.dirty) == (model_id, "app-01234567", SHA, False)
    assert [v.model_id for v in store.versions_of_commits([SHA], "app")] == [model_id]
    assert store.version_by_id(model_id) == found
    assert client_of(store).get_logged_model(model_id).status == "READY"


def test_what_is_not_recorded_is_not_found(store: Store) -> None:
    store.version("app-01234567", tags(), {})
    assert store.version_named("app") is None
    assert store.version_named("o'brien") is None
    assert store.version_by_id("m-0123") is None
    assert store.versions_of_commits(["f" * 40], "app") == []
    assert store.versions_of_commits([SHA], "other") == []
    assert store.versions_of_commits([], "app") == []


def test_of_500_commits_those_recorded_are_found(store: Store) -> None:
    shas = [f"{i:040x}" for i in range(500)]
    recorded = [store.version(f"app-{i}", tags(shas[i]), {}) for i in (3, 250, 499)]
    assert [v.model_id for v in store.versions_of_commits(shas, "app")] == recorded


def test_variants_are_told_apart_and_dirty_trees_left_out(store: Store) -> None:
    store.version("app-1", tags(), {})
    store.version("app-1-b", tags(**{"genaiver.variant": "b"}), {})
    store.version("app-1-dirty", tags(**{"genaiver.dirty": "true"}), {})
    assert [(v.name, v.variant) for v in store.versions_of_commits([SHA], "app")] == [
        ("app-1", None),
        ("app-1-b", "b"),
    ]


@pytest.mark.parametrize("app", ["o'brien", 'say "hi"', 'it\'s "ours"', "ä" * 300])
def test_an_apps_name_may_hold_quotes(store: Store, app: str) -> None:
    model_id = store.version("v", tags(app=app), {})
    assert [v.model_id for v in store.versions_of_commits([SHA], app)] == [model_id]


def test_a_versions_name_may_be_long(store: Store) -> None:
    model_id = store.version("v" * 300, tags(), {})
    found = store.version_named("v" * 300)
    assert found is not None
    assert found.model_id == model_id


def test_a_name_that_mlflow_forbids_is_an_error(store: Store) -> None:
    with pytest.raises(StoreError, match="cannot record the version"):
        store.version("o'brien", tags(), {})


def test_a_deleted_version_is_made_anew(store: Store) -> None:
    model_id = store.version("app-1", tags(), {})
    client_of(store).delete_logged_model(model_id)
    assert store.version_named("app-1") is None
    assert store.version_by_id(model_id) is None
    assert store.version("app-1", tags(), {}) != model_id


def test_names_of_the_newest_versions(store: Store) -> None:
    for i in range(4):
        store.version(f"app-{i}", tags(), {})
        time.sleep(0.002)
    assert store.version_names(limit=3) == ["app-3", "app-2", "app-1"]


def test_parameters_are_written_and_read(store: Store) -> None:
    model_id = store.version("app-1", tags(), {"a": "1"})
    store.log_params(model_id, {"b": "2"})
    assert store.params(model_id) == {"a": "1", "b": "2"}
    with pytest.raises(StoreError, match=r"^cannot record the version's parameters: "):
        store.log_params(model_id, {"b": "3"})


def _record(database: Path, gate: Any, made: Any) -> None:
    gate.wait()
    store = store_at(database)
    made.put(store.version("app-1", tags(), {}))


def test_eight_processes_at_once_on_a_new_file_make_one_version(tmp_path: Path) -> None:
    database = tmp_path / "no" / "such" / "folder" / "mlflow.db"
    import mlflow  # noqa: F401  # once, before the processes are forked

    context = multiprocessing.get_context("fork")
    gate, made = context.Barrier(8), context.Queue()
    processes = [context.Process(target=_record, args=(database, gate, made)) for _ in range(8)]
    for process in processes:
        process.start()
    ids = {made.get(timeout=60) for _ in processes}
    for process in processes:
        process.join(60)
    assert [p.exitcode for p in processes] == [0] * 8
    assert len(ids) == 1
    found = client_of(store := store_at(database)).search_logged_models([store.experiment_id])
    assert [m.model_id for m in found] == list(ids)


# Sessions


def test_sessions_come_newest_first_with_those_cut_short(store: Store) -> None:
    model_id, other = store.version("app-1", tags(), {}), store.version("app-2", tags(), {})
    runs = []
    for complete in (True, False, True):
        runs.append(session_of(store, model_id, complete=complete))
        time.sleep(0.002)
    session_of(store, other)
    session_of(store, model_id, complete=None)  # running, or killed

    found = store.sessions(model_id)
    assert [(s.run_id, s.complete) for s in found] == [(runs[2], True), (runs[1], False), (runs[0], True)]
    assert found[0].started_ms > found[1].started_ms


def test_a_deleted_session_is_none(store: Store) -> None:
    model_id = store.version("app-1", tags(), {})
    client_of(store).delete_run(session_of(store, model_id))
    assert store.sessions(model_id) == []


def test_a_sessions_run_ends_as_it_went_and_names_its_version(store: Store) -> None:
    model_id = store.version("app-1", tags(), {})
    runs = [client_of(store).get_run(session_of(store, model_id, complete=c)) for c in (True, False)]
    assert [r.info.status for r in runs] == ["FINISHED", "FAILED"]
    assert runs[0].inputs.model_inputs[0].model_id == model_id


def test_results_come_back_byte_for_byte(store: Store) -> None:
    text = '{"a": "é \\u2028 \\ud83d 😀\\n", "b": [null, 0.1]}\r\n'
    session_of(store, model_id := store.version("app-1", tags(), {}), text=text)
    (session,) = store.sessions(model_id)
    assert store.read_results(session).encode() == text.encode()


def test_results_that_are_gone_are_an_error_that_names_the_place(store: Store, database: Path) -> None:
    run_id = session_of(store, model_id := store.version("app-1", tags(), {}))
    (session,) = store.sessions(model_id)
    next((database.parent / "mlruns" / run_id).rglob("results.json")).unlink()
    with pytest.raises(ResultsError, match=rf"run {run_id} left no genaiver/results.json in '.*/mlruns/"):
        store.read_results(session)


def test_the_cases_are_a_table_of_mlflows_pages(store: Store) -> None:
    run_id = session_of(store, store.version("app-1", tags(), {}))
    run = client_of(store).get_run(run_id)
    assert json.loads(run.data.tags["mlflow.loggedArtifacts"]) == [{"path": "genaiver/cases.json", "type": "table"}]
    table = Path(client_of(store).download_artifacts(run_id, "genaiver/cases.json"))
    assert json.loads(table.read_text(encoding="utf-8")) == {"columns": ["case", "mean"], "data": [["a", 1.0]]}


def test_metrics_are_shown_on_the_version_and_the_run(store: Store) -> None:
    model_id = store.version("app-1", tags(), {})
    run_id = store.start_session("s", {}, model_id)
    store.save_metrics(run_id, model_id, {"good": 0.75, "gute Fälle, 50%": 1.0, "x": math.nan, "y": math.inf})

    (model,) = client_of(store).search_logged_models([store.experiment_id])
    assert {m.key: m.value for m in model.metrics} == {"good": 0.75, "gute F_lle_ 50_": 1.0}
    assert client_of(store).get_run(run_id).data.metrics == {"good": 0.75, "gute F_lle_ 50_": 1.0}


def test_sessions_at_once_do_not_meet(store: Store) -> None:
    errors: list[Exception] = []

    def one(n: int) -> None:
        try:
            mine = Store(store.place)
            mine.experiment_id = store.experiment_id
            model_id = mine.version("app-1", tags(), {})
            session_of(mine, model_id, text=str(n))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    named = store.version_named("app-1")
    assert named is not None
    assert {store.read_results(s) for s in store.sessions(named.model_id)} == {"0", "1", "2", "3"}


def test_a_database_that_fails_is_a_store_error(new_store: Callable[[], Path]) -> None:
    path = new_store()
    store = store_at(path)
    model_id = store.version("app-1", tags(), {})
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE logged_model_tags")
        database.execute("DROP TABLE trace_info")
        database.execute("DROP TABLE runs")
    for action in (
        lambda: store.versions_of_commits([SHA], "app"),
        lambda: store.version("v", tags(), {}),
        lambda: store.version_by_id(model_id),
        lambda: store.sessions("m-1"),
        lambda: store.start_session("s", {}, "m-1"),
        lambda: trace_ids(store, "r"),
        lambda: store.end_session("r", {}, ok=True),
    ):
        with pytest.raises(StoreError, match=r"^cannot "):
            action()
