"""Where the store is, and the files beside a local one."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DATABASE = "mlflow.db"
ARTIFACTS = "mlruns"
OURS = ".genaiver"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A tracking URI; `database` is the sqlite file behind it, None for a server or another database."""

    uri: str
    database: Path | None = None

    @property
    def artifacts(self) -> Path | None:
        """Where files of a local store belong: beside its database, wherever that was moved to."""
        return self.database.parent / ARTIFACTS if self.database else None

    @property
    def is_remote(self) -> bool:
        return self.uri.startswith(("http://", "https://", "databricks"))


def find_place(environ: Mapping[str, str], configured: str | None, root: Path) -> Place:
    """`MLFLOW_TRACKING_URI`, else the configured URI, else `sqlite:///<root>/mlflow.db`."""
    uri = environ.get("MLFLOW_TRACKING_URI") or configured or f"sqlite:///{root / DATABASE}"
    return place_of(uri, root)


def place_of(uri: str, root: Path) -> Place:
    """A relative sqlite path is relative to `root`, so that every folder of a project means the same store."""
    if not uri.startswith("sqlite:///"):
        return Place(uri=uri)
    path = Path(uri.removeprefix("sqlite:///").partition("?")[0])
    database = path if path.is_absolute() else root / path
    return Place(uri=f"sqlite:///{database}", database=database)


def make_folder(path: Path) -> Path:
    """Make a folder of ours, with a `.gitignore` of `*`: `git add -A` must not commit results."""
    path.mkdir(parents=True, exist_ok=True)
    ignore = path / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
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


def moved(artifact_uri: str, place: Place) -> Path | None:
    """A recorded artifact folder as it lies today; None where it is not a local file.

    A store restored at another path (a CI cache, another checkout) still names its old folders: what is gone
    from there is looked for beside the database.
    """
    parts = urlsplit(artifact_uri)
    if parts.scheme not in ("", "file"):
        return None
    recorded = Path(unquote(parts.path))
    if place.artifacts is None or recorded.is_relative_to(place.artifacts) or recorded.exists():
        return recorded
    names = recorded.parts
    if ARTIFACTS not in names:
        return recorded
    last = len(names) - 1 - names[::-1].index(ARTIFACTS)
    return place.artifacts.joinpath(*names[last + 1 :])
