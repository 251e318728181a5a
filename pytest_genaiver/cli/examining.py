"""The order in which `genaiver doctor` looks: what a later check needs is known to work by then."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.adapters.tracking.store import Store
from pytest_genaiver.cli.checks import comparison, installed, repository, secrets, storage
from pytest_genaiver.cli.checks.finding import Finding, fail, ok
from pytest_genaiver.cli.project import settings_here
from pytest_genaiver.errors import ConfigError, GenaiverError
from pytest_genaiver.opening import look

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_genaiver.adapters.tracking.place import Place
    from pytest_genaiver.options.settings import Settings
    from pytest_genaiver.version import Surveyed

_QUICK = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "4", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}


class Examination:
    """`overrides` are the `-o` of the command line; `baseline` is known when the findings have ended."""

    def __init__(self, overrides: Sequence[str]) -> None:
        self._overrides = overrides
        self.baseline: dict[str, Any] | None = None

    def findings(self) -> Iterator[Finding]:
        """Everything that is found, as it is found."""
        yield from installed.check()
        try:
            settings, rootpath = settings_here(self._overrides)
        except (ConfigError, pytest.UsageError) as error:
            yield fail("settings", str(error), "correct the ini file or the environment")
            return
        try:
            surveyed, place = look(rootpath, settings, os.environ, started=Path.cwd())
        except GenaiverError as error:
            yield fail("git", str(error), "mend the repository, or trust it")
            return
        experiment = settings.experiment or surveyed.app
        yield ok("settings", f"app {surveyed.app!r}, experiment {experiment!r}, from {_shown(rootpath)}")
        yield from repository.check(surveyed)
        yield from secrets.check(os.environ, settings.autolog)
        with _quick():
            yield from self._of_the_store(place, surveyed, settings, experiment)

    def _of_the_store(
        self, place: Place, surveyed: Surveyed, settings: Settings, experiment: str
    ) -> Iterator[Finding]:
        store, well = Store(place), True
        for finding in storage.check(place, surveyed):
            well = well and finding.state != "fail"
            yield finding
        if not well or (place.database is not None and not place.database.exists()):
            return
        for finding in storage.recorded(store, experiment):
            well = well and finding.state != "fail"
            yield finding
        if well and store.experiment_id:
            found, self.baseline = comparison.look_up(store, surveyed, settings)
            yield from found


@contextlib.contextmanager
def _quick() -> Iterator[None]:
    """A server that does not answer is given up at once; MLflow would try for minutes."""
    before = {name: os.environ.get(name) for name in _QUICK}
    os.environ.update(_QUICK)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _shown(rootpath: Path) -> str:
    return f"{rootpath.name}/" if rootpath != Path.cwd() else "this folder"
