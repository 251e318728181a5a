"""Real MLflow stores: a sqlite file for all tests, each in an experiment of its own, and a server over HTTP."""

from __future__ import annotations

import itertools
import shutil
import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_genaiver.adapters.tracking.store import Store

_names = itertools.count()
VARIABLES = ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_ID", "MLFLOW_ACTIVE_MODEL_ID", "_MLFLOW_ACTIVE_MODEL_ID")


@pytest.fixture(autouse=True)
def mlflow_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """MLflow as a session of the plugin sets it, and nothing of the developer's own."""
    from pytest_genaiver.adapters.traces.surroundings import prepare

    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    put_back = prepare()
    yield
    put_back()


@pytest.fixture(scope="session")
def database(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sqlite file that the tests share."""
    path = tmp_path_factory.mktemp("shared") / "mlflow.db"
    shutil.copy(empty_store, path)
    return path


@pytest.fixture
def experiment() -> str:
    return f"app-{next(_names)}"


@pytest.fixture
def store(database: Path, experiment: str) -> Store:
    """An open store on sqlite, in an experiment of its own."""
    from pytest_genaiver.adapters.tracking.place import place_of
    from pytest_genaiver.adapters.tracking.store import Store

    made = Store(place_of(f"sqlite:///{database}", database.parent))
    made.open(experiment)
    return made


@pytest.fixture
def new_store(empty_store: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Makes a sqlite store of its own in a folder of that name, for tests that move or break it."""

    def make(name: str = "project") -> Path:
        path = tmp_path / name / "mlflow.db"
        path.parent.mkdir(parents=True)
        shutil.copy(empty_store, path)
        return path

    return make


@pytest.fixture
def server_store(server: str, experiment: str, tmp_path: Path) -> Store:
    """An open store behind HTTP, in an experiment of its own."""
    from pytest_genaiver.adapters.tracking.place import place_of
    from pytest_genaiver.adapters.tracking.store import Store

    made = Store(place_of(server, tmp_path))
    made.open(experiment)
    return made


@pytest.fixture
def dead_server() -> str:
    """The URI of a port on which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"
