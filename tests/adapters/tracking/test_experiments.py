"""Connecting to a store, and the experiment that holds an app's versions."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters.tracking.place import place_of
from pytest_genaiver.adapters.tracking.store import Store
from pytest_genaiver.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlflow import MlflowClient


def client_of(store: Store) -> MlflowClient:
    from mlflow import MlflowClient

    return MlflowClient(store.place.uri)


def store_at(database: Path, experiment: str = "app") -> Store:
    made = Store(place_of(f"sqlite:///{database}", database.parent))
    made.open(experiment)
    return made


def test_an_experiment_is_made_once_and_found_again(new_store: Callable[[], Path]) -> None:
    path = new_store()
    first, second = store_at(path), store_at(path)
    assert first.experiment_id == second.experiment_id != store_at(path, "other").experiment_id


def test_its_artifacts_lie_beside_the_database_and_git_ignores_them(new_store: Callable[[], Path]) -> None:
    path = new_store()
    store = store_at(path)
    assert client_of(store).get_experiment(store.experiment_id).artifact_location == (path.parent / "mlruns").as_uri()
    assert (path.parent / "mlruns" / ".gitignore").read_text(encoding="utf-8") == "*\n"
    assert (path.parent / ".genaiver" / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_a_deleted_experiment_is_an_error_that_says_what_to_do(store: Store, experiment: str) -> None:
    client_of(store).delete_experiment(store.experiment_id)
    with pytest.raises(StoreError) as raised:
        store.open(experiment)
    assert str(raised.value) == (
        f"the MLflow experiment '{experiment}' is deleted; restore it with `mlflow experiments restore "
        f"--experiment-id {store.experiment_id}`, or name another with genai_experiment"
    )


@pytest.mark.parametrize("name", ['it\'s "ours"', "e" * 300, "äö/ü: 100 %"])
def test_an_experiment_may_have_any_name(store: Store, name: str) -> None:
    assert store.open(name) == store.open(name)


@pytest.mark.parametrize("uri", ["./mlruns", "sqlite:///:memory:"])
def test_a_store_that_cannot_hold_versions_is_refused_before_anything_is_made(uri: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"name a "):
        Store(place_of(uri, tmp_path)).open("app")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("uri", ["nonsense://bob:secret@x/y", "postgresql+nodriver://bob:secret@127.0.0.1:9/db"])
def test_a_uri_that_nobody_serves_is_an_error_without_credentials(uri: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"^cannot open the MLflow store '") as raised:
        Store(place_of(uri, tmp_path)).open("app")
    assert "secret" not in str(raised.value)


def test_a_file_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("no database " * 100, encoding="utf-8")
    with pytest.raises(StoreError, match=r"^cannot open the MLflow store 'sqlite:"):
        store_at(tmp_path / "mlflow.db")


def test_an_experiment_that_cannot_be_made_is_a_store_error(new_store: Callable[[], Path]) -> None:
    store = store_at(path := new_store())
    with sqlite3.connect(path) as database:
        database.execute("CREATE TRIGGER no BEFORE INSERT ON experiments BEGIN SELECT RAISE(ABORT, 'refused'); END")
    with pytest.raises(StoreError, match=r"^cannot open the MLflow store "):
        store.open("other")
