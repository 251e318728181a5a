"""The start of a session: which version, which store, which record of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters import git
from pytest_genaiver.adapters.tracking.place import Place, find_place, place_of
from pytest_genaiver.adapters.tracking.store import Store
from pytest_genaiver.concluding.judging import ACCEPT, read_accepted
from pytest_genaiver.errors import ConfigError
from pytest_genaiver.version import Surveyed, default_name, identify, session_tags, survey, version_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_genaiver.core.results import Version
    from pytest_genaiver.options.settings import Settings


_INI_FILES = ("pytest.toml", "pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A session that is recorded. `experiment` is the MLflow experiment's name."""

    surveyed: Surveyed
    version: Version
    store: Store
    experiment: str


def look(
    rootpath: Path, settings: Settings, environ: Mapping[str, str], *, started: Path | None = None
) -> tuple[Surveyed, Place]:
    """Survey the project and find its store, which must not count as a change of the project."""
    first = find_place(environ, settings.tracking_uri, rootpath)
    ours = [*settings.reports, *([first.database] if first.database else [])]
    surveyed = survey(rootpath, settings, environ, ours, started or rootpath)
    return surveyed, find_place(environ, settings.tracking_uri, surveyed.root)


def open_store(surveyed: Surveyed, place: Place, settings: Settings, name: Callable[[str], str | None]) -> Opened:
    """Open the store and record the version; `name(default)` is asked for the version's name."""
    asked = name(default_name(surveyed, settings))
    if not isinstance(asked, str) or not asked.strip():
        raise ConfigError(f"pytest_genai_version returned {asked!r}, but a version's name must be a text")
    version = identify(surveyed, settings, asked)
    store = Store(place)
    experiment = settings.experiment or surveyed.app
    store.open(experiment)
    model_id = store.version(version.name, version_tags(version, surveyed), {})
    return Opened(surveyed=surveyed, version=replace(version, model_id=model_id), store=store, experiment=experiment)


def hints(opened: Opened) -> list[str]:
    """What the user should do about the store, one line each."""
    place, head = opened.store.place, opened.surveyed.head
    if head is None or place.database is None or not git.is_untracked(head.toplevel, place.database):
        return []
    return [f"{place.database.name} is not ignored by git: add it to .gitignore"]


def misled(args: Sequence[str], inipath: Path | None, started: Path) -> list[str]:
    """Paths after our options that pytest took for places of tests, so that it found no ini file, one line each."""
    if inipath is not None or not any((started / name).is_file() for name in _INI_FILES):
        return []
    return [
        f"pytest found no ini file: write {flag}={value}"
        for flag, value in pairwise(args)
        if flag in ("--genai-baseline", "--genai-report") and (started / value).exists()
    ]


def start_run(opened: Opened) -> str:
    """Record the session; returns its run id."""
    version = opened.version
    return opened.store.start_session(version.name, session_tags(version), version.model_id or "")


def worker_input(opened: Opened, run_id: str, settings: Settings, folder: str, workers: int) -> dict[str, Any]:
    """What one of these xdist workers needs, as plain JSON."""
    from dataclasses import asdict

    return {
        "version": asdict(opened.version),
        "uri": opened.store.place.uri,
        "experiment_id": opened.store.experiment_id,
        "run_id": run_id,
        "root": str(opened.surveyed.root),
        "least": settings.repeats[0],
        "soft": settings.soft_assertions,
        "autolog": settings.autolog,
        "concurrency": max(settings.concurrency // workers, 1),
        "call_timeout": settings.call_timeout,
        "max_cost": settings.max_cost,
        "scorers": settings.scorers,
        "reuse": not settings.rejudge,
        "folder": folder,
    }


def worker_store(given: Mapping[str, Any]) -> Store:
    """The controller's store, seen from a worker: nothing is made there."""
    store = Store(place_of(given["uri"], Path(given["root"])))
    store.experiment_id = given["experiment_id"]
    return store


def refuse(settings: Settings, *, distributed: bool) -> None:
    """Refuse what cannot work, before the first test: with pytest-xdist (`distributed`), and flavours that MLflow
    does not trace. Raises ConfigError.
    """
    from pytest_genaiver.adapters.traces.autolog import Autolog

    if settings.rescore_baseline and distributed:
        raise ConfigError("--genai-rescore-baseline cannot be used with pytest-xdist; run it without -n")
    Autolog(settings.autolog)


def accepted(surveyed: Surveyed) -> tuple[dict[str, str], list[str]]:
    """Metric -> reason of the regressions that the version's own commit accepts, and what is wrong with others."""
    head = surveyed.head
    if head is None or head.commit is None or git.resolve(head.toplevel, head.commit) is None:
        return {}, []
    return read_accepted(git.trailers(head.toplevel, head.commit, ACCEPT))


def verdicts(opened: Opened) -> list[str]:
    """The verdicts of this version's earlier sessions, oldest first."""
    sessions = opened.store.sessions(opened.version.model_id or "")
    return [s.verdict for s in reversed(sessions) if s.verdict]
