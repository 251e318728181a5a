"""The store: is it there, does it answer, is it of this MLflow's time, can its files be read."""

from __future__ import annotations

import shlex
from importlib import metadata
from typing import TYPE_CHECKING

from pytest_genaiver.adapters import git
from pytest_genaiver.adapters.tracking import health
from pytest_genaiver.adapters.tracking.store import Store, shown_uri
from pytest_genaiver.cli.checks.finding import Finding, fail, ok, release, warn, within
from pytest_genaiver.errors import GenaiverError, ResultsError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_genaiver.adapters.tracking.health import FileHealth, ServerHealth
    from pytest_genaiver.adapters.tracking.place import Place
    from pytest_genaiver.version import Surveyed

PATIENCE = 5.0
"""Seconds that one look at the store may take."""

_LITTLE, _NONE = 1e9, 1e8
_SKEW = 60.0
_SLOW = 1.0
_RECORD = "pytest --genai-version"


def check(place: Place, surveyed: Surveyed) -> Iterator[Finding]:
    """How the store is; nothing is made. A `fail` means that it need not be asked anything more."""
    try:
        place.check()
    except StoreError as error:
        yield fail("store", str(error), "set genai_tracking_uri or MLFLOW_TRACKING_URI")
        return
    if place.uri.startswith(("http://", "https://")):
        yield from _server(place.uri)
    elif place.database is None:
        yield ok("store", shown_uri(place.uri))
    elif place.database.exists():
        yield from _file(place.database, place.uri)
    else:
        yield warn("store", f"{shown_uri(place.uri)} is not there yet: nothing is recorded", _RECORD)
    if place.database is not None and surveyed.head is not None:
        yield from _ignored(surveyed.head.toplevel, place.database)


def recorded(store: Store, experiment: str) -> Iterator[Finding]:
    """Whether the experiment is there, and whether the files of its newest session can be read."""
    try:
        found = within(PATIENCE, lambda: store.find(experiment))
        if not found:
            yield warn("experiment", f"no experiment {experiment!r} in the store: nothing is recorded", _RECORD)
            return
        yield from within(PATIENCE, lambda: list(_newest(store, experiment)))
    except TimeoutError:
        yield fail("experiment", f"the store did not answer within {PATIENCE:.0f} s", "look at the server's log")
    except GenaiverError as error:
        yield fail("experiment", str(error), "mend the store, or name another with genai_tracking_uri")


def _newest(store: Store, experiment: str) -> Iterator[Finding]:
    names = store.version_names(1)
    ref = store.version_named(names[0]) if names else None
    sessions = store.sessions(ref.model_id) if ref else []
    newest = names[0] if names else "none"
    yield ok("experiment", f"{experiment!r}; newest version {newest}")
    if not sessions:
        return
    try:
        store.read_results(sessions[0])
    except (ResultsError, StoreError) as error:
        where = "restore mlruns/ beside mlflow.db (a CI cache must hold both)"
        yield fail("artifacts", f"{error}", where if store.place.database else "look at the server's artifact store")
    else:
        yield ok("artifacts", "the newest session's results can be read")


def _file(database: Path, uri: str) -> Iterator[Finding]:
    try:
        found = health.look_at_file(database)
    except StoreError as error:
        yield fail("store", str(error), f"restore {database.name} from a copy, or move it away to start anew")
        return
    yield _schema(found, database.name, uri)
    if not found.writable:
        yield fail(
            "store", f"{str(database)!r} or its folder cannot be written", f"chmod u+w {shlex.quote(str(database))}"
        )
    yield _disk(found.free)
    if found.ahead is not None:
        yield _clock(found.ahead, "the file system's")


def _schema(found: FileHealth, name: str, uri: str) -> Finding:
    installed = f"MLflow {metadata.version('mlflow')}"
    if found.revision == found.newest:
        return ok("store", f"{shown_uri(uri)}, its schema is that of {installed}")
    if found.revision is None:
        return warn("store", f"{name} holds no MLflow schema yet", _RECORD)
    if found.known:
        migrate = f"copy {name}, then: mlflow db upgrade {shlex.quote(uri)}"
        return fail("store", f"{name} was made by an older MLflow than {installed}: a migration is due", migrate)
    return fail("store", f"{name} was made by a newer MLflow than {installed}", "pip install --upgrade mlflow")


def _disk(free: int) -> Finding:
    text = f"{free / 1e9:.1f} GB free beside the store"
    if free < _NONE:
        return fail("disk", text, "make room: genaiver prune, mlflow gc")
    return warn("disk", text, "make room: genaiver prune, mlflow gc") if free < _LITTLE else ok("disk", text)


def _ignored(top: Path, database: Path) -> Iterator[Finding]:
    name = database.name
    if git.is_tracked(top, database):
        yield warn("ignored", f"{name} is committed to git: every session changes it", f"git rm --cached {name}")
    elif database.exists() and git.is_untracked(top, database):
        yield warn("ignored", f"{name} is not ignored by git", f"echo {name} >> .gitignore; the same for mlruns")


def _server(uri: str) -> Iterator[Finding]:
    shown = shown_uri(uri)
    try:
        found = within(PATIENCE, lambda: health.look_at_server(uri, seconds=PATIENCE - 1))
    except TimeoutError:
        yield fail("server", f"{shown} did not answer within {PATIENCE:.0f} s", "look at the server, proxy and VPN")
        return
    except StoreError as error:
        yield fail("server", str(error), "start the server, or correct MLFLOW_TRACKING_URI or genai_tracking_uri")
        return
    if found.status in (401, 403):
        fix = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
        yield fail("server", f"{shown} refuses this user (HTTP {found.status})", fix)
        return
    yield _version(shown, found)
    if found.ahead is not None:
        yield _clock(found.ahead, "the server's")


def _version(shown: str, found: ServerHealth) -> Finding:
    took = f"answers in {found.seconds * 1000:.0f} ms"
    client = metadata.version("mlflow")
    if found.version is None:
        return warn(
            "server", f"{shown} {took}, with HTTP {found.status}: is it MLflow?", f"open {shown} in a browser"
        )
    text = f"{shown} {took}, MLflow {found.version} (here {client})"
    if release(found.version)[:2] < release(client)[:2]:
        return warn("server", f"{text}: older than its client", "upgrade the server")
    return warn("server", text, "use a server that is nearer") if found.seconds > _SLOW else ok("server", text)


def _clock(ahead: float, whose: str) -> Finding:
    if abs(ahead) <= _SKEW:
        return ok("clock", f"agrees with {whose}")
    which = f"{abs(ahead):.0f} s {'ahead' if ahead > 0 else 'behind'}"
    return warn("clock", f"{whose} is {which}: which session is the newest is unsure", "set both clocks by NTP")
