"""How a sqlite file and a server are."""

from __future__ import annotations

import http.server
import socket
import sqlite3
import threading
import time
from contextlib import closing, contextmanager
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters.tracking import health
from pytest_genaiver.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def test_a_store_of_this_mlflow(new_store: Callable[[], Path]) -> None:
    path = new_store()
    before = sorted(path.parent.iterdir())
    found = health.look_at_file(path)
    assert found.revision == found.newest
    assert found.known
    assert found.writable
    assert found.free > 0
    assert found.ahead is not None
    assert abs(found.ahead) < 5
    assert sorted(path.parent.iterdir()) == before


@pytest.mark.parametrize(("revision", "known"), [("451aebb31d03", True), ("ffffffffffff", False)])
def test_a_store_of_another_time(new_store: Callable[[], Path], revision: str, known: bool) -> None:
    path = new_store()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    found = health.look_at_file(path)
    assert (found.revision, found.known) == (revision, known)
    assert found.revision != found.newest


def test_a_database_without_mlflow_s_tables(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    path.touch()
    found = health.look_at_file(path)
    assert (found.revision, found.known) == (None, True)


def test_no_database(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    path.write_bytes(b"no database, but long enough to be read as the header of one" * 9)
    with pytest.raises(StoreError, match=r"cannot read the database '.*mlflow\.db': DatabaseError: file is not a"):
        health.look_at_file(path)


def test_a_read_only_folder(new_store: Callable[[], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_can_write", lambda path: path.is_file())
    found = health.look_at_file(new_store())
    assert (found.writable, found.ahead) == (False, None)


def test_a_real_server(server: str) -> None:
    from mlflow import __version__

    found = health.look_at_server(server, seconds=30)
    assert (found.status, found.version) == (200, __version__)
    assert 0 < found.seconds < 30
    assert found.ahead is None or abs(found.ahead) < 30


@contextmanager
def answering(status: int, body: str, headers: dict[str, str]) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{made.server_address[1]}"
        finally:
            made.shutdown()
            thread.join()


def test_a_server_whose_clock_is_ahead() -> None:
    with answering(200, "3.17.2\n", {"Date": formatdate(time.time() + 600, usegmt=True)}) as uri:
        found = health.look_at_server(uri, seconds=5)
    assert found.version == "3.17.2"
    assert found.ahead is not None
    assert 590 < found.ahead < 610


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [(401, "who are you", {}), (404, "<html>", {"Date": "yesterday"}), (200, "<html>" * 99, {}), (503, "", {})],
)
def test_what_is_no_mlflow_has_no_version(status: int, body: str, headers: dict[str, str]) -> None:
    with answering(status, body, headers) as uri:
        found = health.look_at_server(uri, seconds=5)
    assert (found.status, found.version, found.ahead) == (status, None, None)


def test_a_dead_server_is_one_sentence_without_credentials(dead_server: str) -> None:
    uri = dead_server.replace("//", "//ada:secret@")
    with pytest.raises(StoreError, match=r"^cannot reach the tracking server 'http://127\.0\.0\.1:") as raised:
        health.look_at_server(uri, seconds=1)
    assert "secret" not in str(raised.value)


def test_a_hanging_server_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        with pytest.raises(StoreError, match="cannot reach the tracking server"):
            health.look_at_server(f"http://127.0.0.1:{silent.getsockname()[1]}", seconds=0.2)
        assert time.monotonic() - begun < 5
