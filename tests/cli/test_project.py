"""The project of the current folder, as pytest itself reads it."""

from __future__ import annotations

import os

import click
import pytest

from pytest_genaiver.cli.main import main
from pytest_genaiver.cli.project import open_project, settings_here
from pytest_genaiver.errors import ConfigError


def opened(*overrides):
    with click.Context(main, obj=overrides) as context:
        return open_project(context)


def test_it_is_what_a_session_would_use_from_any_folder_below(recorded, monkeypatch) -> None:
    version = recorded.session()
    (recorded.path / "tests").mkdir()
    monkeypatch.chdir(recorded.path / "tests")
    project = opened()
    assert project.experiment == "app"
    assert [v.name for v in project.store.versions_of_commits([version.commit], "app")] == [version.name]


def test_the_ini_file_can_be_overridden(recorded) -> None:
    recorded.session()
    assert opened("genai_experiment=app", "genai_variant=small").settings.variant == "small"
    with pytest.raises(ConfigError, match="no session is recorded in the experiment 'other'"):
        opened("genai_experiment=other")
    with pytest.raises(ConfigError, match=r"-o: 'genai_app' cannot be used; give KEY=VALUE"):
        opened("genai_app")


def test_bad_settings_are_said_as_pytest_would(recorded) -> None:
    with pytest.raises(pytest.UsageError, match="genai_alpha"):
        opened("genai_alpha=2")


def test_nothing_is_made_where_nothing_is_recorded(recorded, monkeypatch, tmp_path) -> None:
    (recorded.path / "mlflow.db").unlink()
    before = sorted(os.listdir(recorded.path))
    with pytest.raises(ConfigError, match="no session is recorded"):
        opened()
    assert sorted(os.listdir(recorded.path)) == before


def test_a_conftest_is_not_imported_and_its_options_in_addopts_do_no_harm(recorded) -> None:
    recorded.session()
    (recorded.path / "conftest.py").write_text(
        "raise SystemExit(9)\ndef pytest_addoption(parser):\n    parser.addoption('--theirs')\n"
    )
    (recorded.path / "pytest.ini").write_text("[pytest]\ngenai_app = app\naddopts = --theirs=1\n")
    assert opened("addopts=-p genaiver").experiment == "app"


def test_what_pytest_refuses_is_said(recorded) -> None:
    (recorded.path / "pytest.ini").write_text("[pytest\n")
    with pytest.raises(ConfigError, match=r"pytest cannot read its configuration here: .*pytest\.ini"):
        settings_here()


def test_the_plugin_may_be_switched_off(recorded) -> None:
    with pytest.raises(ConfigError, match="switched off here by `-p no:genaiver`"):
        settings_here(["addopts=-p no:genaiver"])
