"""A store that lies somewhere else than it was made: a CI cache, another checkout, a copy."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters.tracking.place import place_of
from pytest_genaiver.adapters.tracking.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def opened(folder: Path) -> Store:
    store = Store(place_of("sqlite:///mlflow.db", folder))
    store.open("app")
    return store


def record(store: Store, text: str) -> str:
    model_id = store.version("app-1", {"genaiver.app": "app"}, {})
    run_id = store.start_session("s", {"genaiver.model_id": model_id}, model_id)
    store.save_results(run_id, text, {"case": ["a"], "mean": [1.0]})
    store.end_session(run_id, {"genaiver.complete": "true"}, ok=True)
    return model_id


def results(store: Store) -> list[str]:
    found = store.version_named("app-1")
    assert found is not None
    return [store.read_results(s) for s in store.sessions(found.model_id)]


@pytest.fixture
def made(new_store: Callable[[str], Path]) -> Path:
    """A store with one session, in a folder that moves with it."""
    folder = new_store("mlruns").parent  # a folder of that name above the store must not mislead
    record(opened(folder), "first")
    return folder


def test_a_moved_store_is_read_and_written_at_its_new_place(made: Path, tmp_path: Path) -> None:
    moved = shutil.move(made, tmp_path / "elsewhere")
    store = opened(moved)
    assert results(store) == ["first"]

    record(store, "second")
    assert results(store) == ["second", "first"]
    assert not made.exists()
    assert len(list((moved / "mlruns").rglob("results.json"))) == 2


def test_a_copy_leaves_the_store_it_came_from_alone(made: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(made, tmp_path / "copy")
    before = sorted(made.rglob("*"))
    store = opened(copy)
    for file in made.rglob("results.json"):
        file.write_text("somebody else's", encoding="utf-8")

    assert results(store) == ["first"]
    record(store, "second")
    assert results(store) == ["second", "first"]
    assert sorted(made.rglob("*")) == before


def test_a_database_copied_without_its_files_still_reads_the_old_ones(made: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    shutil.copy(made / "mlflow.db", tmp_path / "copy" / "mlflow.db")
    assert results(opened(tmp_path / "copy")) == ["first"]


def test_every_folder_of_a_project_means_the_same_store(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (made / "tests").mkdir()
    monkeypatch.chdir(made / "tests")
    assert results(opened(made)) == ["first"]
    assert list((made / "tests").iterdir()) == []


def test_an_experiment_of_the_users_keeps_its_artifacts_where_they_are(
    new_store: Callable[[str], Path], tmp_path: Path
) -> None:
    from mlflow import MlflowClient

    path = new_store("project")
    theirs = tmp_path / "shared" / "mlruns"
    theirs.mkdir(parents=True)
    MlflowClient(f"sqlite:///{path}").create_experiment("app", artifact_location=theirs.as_uri())
    store = opened(path.parent)
    record(store, "first")
    assert results(store) == ["first"]
    assert len(list(theirs.rglob("results.json"))) == 1

    # The store and its files are restored on a machine that has no such folder.
    shutil.move(theirs, path.parent / "mlruns-restored")
    (path.parent / "mlruns").rename(path.parent / "empty")
    (path.parent / "mlruns-restored").rename(path.parent / "mlruns")
    assert results(store) == ["first"]
    record(store, "second")
    assert results(store) == ["second", "first"]
    assert not theirs.exists()


def test_an_experiment_with_artifacts_elsewhere_is_left_there(
    new_store: Callable[[str], Path], tmp_path: Path
) -> None:
    from mlflow import MlflowClient

    path = new_store("project")
    MlflowClient(f"sqlite:///{path}").create_experiment("app", artifact_location=(tmp_path / "files").as_uri())
    store = opened(path.parent)
    record(store, "first")
    assert results(store) == ["first"]
    assert len(list((tmp_path / "files").rglob("results.json"))) == 1
