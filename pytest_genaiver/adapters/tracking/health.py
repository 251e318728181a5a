"""How a store is: a sqlite file and its schema, a server and its clock. Nothing here is retried or waits long."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from pytest_genaiver.adapters.tracking.failures import translated
from pytest_genaiver.adapters.tracking.place import shown_uri

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST_VERSION = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHealth:
    """A sqlite store. `revision` is its schema's, `newest` that of the MLflow that is installed, `known` whether that
    MLflow knows the former. `ahead` is how many seconds the file system's clock is ahead of this machine's.
    """

    revision: str | None
    newest: str
    known: bool
    writable: bool
    free: int
    ahead: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerHealth:
    """A tracking server: the status that it answers, its version, how long it took, how far its clock is ahead."""

    status: int
    version: str | None
    seconds: float
    ahead: float | None


def look_at_file(database: Path) -> FileHealth:
    """Raises StoreError for a file that is no database."""
    from mlflow.store.db.utils import _get_latest_schema_revision

    with translated(f"read the database {str(database)!r}"):
        revision, folder = _revision(database), database.parent
        writable = _can_write(database) and _can_write(folder)
        return FileHealth(
            revision=revision,
            newest=_get_latest_schema_revision(),
            known=revision is None or _is_known(revision),
            writable=writable,
            free=shutil.disk_usage(folder).free,
            ahead=_file_clock(folder) if writable else None,
        )


def look_at_server(uri: str, *, seconds: float) -> ServerHealth:
    """Ask once, with the credentials and certificates that MLflow uses. Raises StoreError when nothing answers."""
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    with translated(f"reach the tracking server {shown_uri(uri)!r}"):
        begun = time.time()
        response = http_request(
            get_default_host_creds(uri), "/version", "GET", max_retries=0, timeout=seconds, raise_on_status=False
        )
        ended = time.time()
    # `/version` is text; a proxy that asks for a password, say, answers a page.
    is_version = response.status_code == 200 and len(response.text) < _LONGEST_VERSION
    return ServerHealth(
        status=response.status_code,
        version=response.text.strip() if is_version else None,
        seconds=ended - begun,
        ahead=_ahead(response.headers.get("Date"), (begun + ended) / 2),
    )


def _can_write(path: Path) -> bool:
    return os.access(path, os.W_OK)


def _revision(database: Path) -> str | None:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=2)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE name = 'alembic_version'").fetchall()
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if tables else None
    return row[0] if row else None


def _file_clock(folder: Path) -> float:
    """Of a file that is gone at once."""
    with tempfile.TemporaryFile(dir=folder) as file:
        before = time.time()
        file.write(b"x")
        file.flush()
        return os.fstat(file.fileno()).st_mtime - before


def _is_known(revision: str) -> bool:
    """Whether the MLflow that is installed has a migration of this name."""
    import mlflow.store.db_migrations

    (folder,) = mlflow.store.db_migrations.__path__
    return any(name.startswith(f"{revision}_") for name in os.listdir(os.path.join(folder, "versions")))


def _ahead(date: str | None, at: float) -> float | None:
    """A server's date has whole seconds: half of one is added."""
    try:
        return parsedate_to_datetime(date).timestamp() + 0.5 - at if date else None
    except ValueError:
        return None
