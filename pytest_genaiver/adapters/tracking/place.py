"""Where the store is, and the files beside a local one."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pytest_genaiver.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DATABASE = "mlflow.db"
ARTIFACTS = "mlruns"
OURS = ".genaiver"
_SQLITE = "sqlite:///"
_IN_MEMORY = ("sqlite://", "sqlite:///", "sqlite:///:memory:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A tracking URI; `database` is the sqlite file behind it, None for a server or another database."""

    uri: str
    database: Path | None = None

    @property
    def artifacts(self) -> Path | None:
        """Where files of a local store belong: beside its database, wherever that was moved to."""
        return self.database.parent / ARTIFACTS if self.database else None

    def check(self) -> None:
        """Raises StoreError for a store that cannot hold versions."""
        if self.uri in _IN_MEMORY:
            raise StoreError(
                f"the MLflow store {self.uri!r} is gone with the process and would never hold a baseline; "
                f"name a file, such as 'sqlite:///{DATABASE}'"
            )
        if "://" not in self.uri.removeprefix("file://") and self.uri.partition(":")[0] != "databricks":
            raise StoreError(
                f"the MLflow store {self.uri!r} is a folder, which MLflow no longer develops; name a database, such "
                f"as 'sqlite:///{DATABASE}' (`mlflow migrate-filestore` moves what is recorded), or a server"
            )


def find_place(environ: Mapping[str, str], configured: str | None, root: Path) -> Place:
    """`MLFLOW_TRACKING_URI`, else the configured URI, else `sqlite:///<root>/mlflow.db`."""
    uri = environ.get("MLFLOW_TRACKING_URI") or configured or f"{_SQLITE}{root / DATABASE}"
    return place_of(uri, root)


def place_of(uri: str, root: Path) -> Place:
    """A relative sqlite path is relative to `root`, so that every folder of a project means the same store."""
    if not uri.startswith(_SQLITE) or uri in _IN_MEMORY:
        return Place(uri=uri)
    path, mark, query = uri.removeprefix(_SQLITE).partition("?")
    database = root / path
    return Place(uri=f"{_SQLITE}{database}{mark}{query}", database=database)


def shown_uri(uri: str) -> str:
    """A tracking URI as it may be printed: without user, password and parameters."""
    scheme, mark, rest = uri.partition("://")
    if not mark or scheme.startswith(("sqlite", "file")):
        return uri
    return f"{scheme}{mark}{rest.partition('?')[0].rpartition('@')[2]}"


def without_credentials(text: str) -> str:
    """A message that may quote URLs, without the user and password in them."""
    return re.sub(r"://[^\s'\"]*@", "://", text)


def make_folder(path: Path) -> Path:
    """A folder; one that we make holds a `.gitignore` of `*`, for `git add -A` must not commit results."""
    if not path.exists():
        path.mkdir(parents=True, exist_ok=True)
        (path / ".gitignore").write_text("*\n", encoding="utf-8")
    return path


@contextlib.contextmanager
def locked(place: Place) -> Iterator[None]:
    """One process at a time, for a local store: MLflow makes its schema, and models by name, without a lock."""
    if place.database is None:
        yield
        return
    try:
        import fcntl
    except ImportError:  # Windows: MLflow's own behaviour
        yield
        return
    with (make_folder(place.database.parent / OURS) / "store.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def local_folder(artifact_uri: str) -> Path | None:
    """The folder behind an artifact URI; None where it is not a local one."""
    parts = urlsplit(artifact_uri)
    return Path(unquote(parts.path)) if parts.scheme in ("", "file") else None
