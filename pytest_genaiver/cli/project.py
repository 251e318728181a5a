"""The project around the current folder: its settings, its git repository, its store."""

from __future__ import annotations

import contextlib
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters.traces.surroundings import calm, prepare
from pytest_genaiver.adapters.tracking.store import Store, shown_uri
from pytest_genaiver.errors import ConfigError
from pytest_genaiver.opening import look
from pytest_genaiver.options.settings import Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click

    from pytest_genaiver.version import Surveyed


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What `pytest --genai-version` would use here. `store` is open; its experiment holds this app's versions.

    `rootpath` is pytest's rootdir.
    """

    settings: Settings
    surveyed: Surveyed
    store: Store
    experiment: str
    rootpath: Path


class _Reads:
    """Lets pytest read its ini file, options and plugins as always, and stop there."""

    def __init__(self) -> None:
        self.config: pytest.Config | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> int:
        self.config = config
        return 0


def open_project(ctx: click.Context) -> Project:
    """The project of the current folder; nothing is made or changed, neither in the store nor on disk.

    Raises ConfigError for settings that cannot be used and where nothing has been recorded yet; StoreError; GitError.
    """
    settings, rootpath = settings_here(ctx.find_root().obj or ())
    with calm():
        prepare()
        surveyed, place = look(rootpath, settings, os.environ, started=Path.cwd())
        store = Store(place)
        experiment = settings.experiment or surveyed.app
        if not store.find(experiment):
            raise ConfigError(
                f"no session is recorded in the experiment {experiment!r} of {shown_uri(place.uri)!r}; run "
                "`pytest --genai-version` first, or name the store with genai_tracking_uri or MLFLOW_TRACKING_URI"
            )
    return Project(settings=settings, surveyed=surveyed, store=store, experiment=experiment, rootpath=rootpath)


def settings_here(overrides: Sequence[str] = ()) -> tuple[Settings, Path]:
    """What the ini file and the environment say, as pytest reads them in the current folder; and its rootdir."""
    config, refused = _config([*_overriding(overrides)])
    if config is None:
        # addopts may name an option of a conftest.py, which is not imported for the sake of our settings.
        config, _ = _config([*_overriding(overrides), "--override-ini=addopts="])
    if config is None:
        raise ConfigError(f"pytest cannot read its configuration here: {refused}")
    if not config.pluginmanager.has_plugin("genaiver"):
        raise ConfigError("the plugin is switched off here by `-p no:genaiver`; see addopts and PYTEST_ADDOPTS")
    return read_settings(config, os.environ), config.rootpath


def _overriding(overrides: Sequence[str]) -> list[str]:
    for given in overrides:
        if "=" not in given:
            raise ConfigError(f"-o: {given!r} cannot be used; give KEY=VALUE, such as genai_app=support_agent")
    return [f"--override-ini={given}" for given in overrides]


def _config(arguments: Sequence[str]) -> tuple[pytest.Config | None, str]:
    """pytest's configuration; None where it refuses, with the last line that it printed then."""
    reads, printed = _Reads(), io.StringIO()
    with contextlib.redirect_stderr(printed), contextlib.redirect_stdout(printed):
        pytest.main(["--noconftest", "-pno:cacheprovider", *arguments], plugins=[reads])
    lines = [line.strip() for line in printed.getvalue().splitlines() if line.strip()]
    return reads.config, next((line for line in lines if "error" in line.lower()), lines[0] if lines else "")
