"""Where the store is, and how it may be shown."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters.tracking.place import (
    Place,
    find_place,
    local_folder,
    locked,
    make_folder,
    place_of,
    shown_uri,
    without_credentials,
)
from pytest_genaiver.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path("/project")


@pytest.mark.parametrize(
    ("environ", "configured", "uri"),
    [
        ({}, None, "sqlite:////project/mlflow.db"),
        ({}, "http://host:5000", "http://host:5000"),
        ({"MLFLOW_TRACKING_URI": "http://env"}, "http://host:5000", "http://env"),
        ({"MLFLOW_TRACKING_URI": ""}, None, "sqlite:////project/mlflow.db"),
        ({}, "sqlite:///store/versions.db", "sqlite:////project/store/versions.db"),
        ({}, "sqlite:////elsewhere/mlflow.db", "sqlite:////elsewhere/mlflow.db"),
        ({}, "sqlite:///mlflow.db?timeout=30", "sqlite:////project/mlflow.db?timeout=30"),
    ],
)
def test_the_environment_wins_then_the_setting_then_the_project(
    environ: Mapping[str, str], configured: str | None, uri: str
) -> None:
    assert find_place(environ, configured, ROOT).uri == uri


def test_artifacts_lie_beside_the_database() -> None:
    assert place_of("sqlite:///store/v.db?timeout=3", ROOT).database == Path("/project/store/v.db")
    assert place_of("sqlite:///store/v.db", ROOT).artifacts == Path("/project/store/mlruns")
    assert place_of("http://host", ROOT).artifacts is None


@pytest.mark.parametrize("uri", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_a_store_in_memory_is_refused(uri: str) -> None:
    place = place_of(uri, ROOT)
    assert place.database is None
    with pytest.raises(StoreError, match=r"is gone with the process .* name a file, such as 'sqlite:///mlflow.db'"):
        place.check()


@pytest.mark.parametrize("uri", ["./mlruns", "mlruns", "/data/mlruns", "file:///data/mlruns", "file:mlruns"])
def test_a_store_of_files_is_refused(uri: str) -> None:
    with pytest.raises(StoreError, match=r"is a folder, .* such as 'sqlite:///mlflow.db' .*migrate-filestore"):
        place_of(uri, ROOT).check()


@pytest.mark.parametrize(
    "uri", ["sqlite:///a.db", "http://h", "https://h/x", "postgresql://h/d", "databricks", "databricks://profile"]
)
def test_databases_and_servers_are_taken(uri: str) -> None:
    place_of(uri, ROOT).check()


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("http://host:5000", "http://host:5000"),
        ("https://bob:secret@host/path", "https://host/path"),
        ("https://token@host/path", "https://host/path"),
        ("https://bob:sec@ret@host", "https://host"),
        ("http://bob:sec/ret@host:5000", "http://host:5000"),
        ("postgresql://bob:secret@db:5432/mlflow?password=x&sslmode=require", "postgresql://db:5432/mlflow"),
        ("postgresql+psycopg2://bob:secret@db/mlflow", "postgresql+psycopg2://db/mlflow"),
        ("sqlite:////home/me@corp/mlflow.db", "sqlite:////home/me@corp/mlflow.db"),
        ("databricks", "databricks"),
        ("databricks://profile", "databricks://profile"),
    ],
)
def test_a_uri_is_shown_without_credentials(uri: str, shown: str) -> None:
    assert shown_uri(uri) == shown


@pytest.mark.parametrize(
    ("message", "clean"),
    [
        ("API request to http://bob:secret@host/api failed", "API request to http://host/api failed"),
        ("cannot reach 'https://tok@host' (tried 3 times)", "cannot reach 'https://host' (tried 3 times)"),
        ("http://a:b@one and http://c:d@two", "http://one and http://two"),
        ("mail me@example.com about http://host", "mail me@example.com about http://host"),
    ],
)
def test_messages_are_shown_without_credentials(message: str, clean: str) -> None:
    assert without_credentials(message) == clean


def test_a_folder_that_we_make_ignores_itself(tmp_path: Path) -> None:
    made = make_folder(tmp_path / "a" / "b")
    assert (made / ".gitignore").read_text(encoding="utf-8") == "*\n"
    assert not (tmp_path / "a" / ".gitignore").exists()


def test_a_folder_of_the_users_is_left_alone(tmp_path: Path) -> None:
    make_folder(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_one_at_a_time_holds_a_local_store(tmp_path: Path) -> None:
    place = place_of("sqlite:///mlflow.db", tmp_path)
    order: list[str] = []

    def second() -> None:
        with locked(place):
            order.append("second")

    with locked(place):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    assert (tmp_path / ".genaiver" / ".gitignore").exists()


def test_a_server_needs_no_lock(tmp_path: Path) -> None:
    with locked(Place(uri="http://host")), locked(Place(uri="http://host")):
        pass


def test_where_files_cannot_be_locked_mlflow_is_on_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "fcntl", None)
    with locked(place_of("sqlite:///mlflow.db", tmp_path)):
        assert not (tmp_path / ".genaiver").exists()


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("/data/mlruns/1/r/artifacts", Path("/data/mlruns/1/r/artifacts")),
        ("file:///data/my%20runs/1", Path("/data/my runs/1")),
        ("mlflow-artifacts:/1/r/artifacts", None),
        ("s3://bucket/1", None),
    ],
)
def test_only_local_artifacts_have_a_folder(uri: str, folder: Path | None) -> None:
    assert local_folder(uri) == folder
