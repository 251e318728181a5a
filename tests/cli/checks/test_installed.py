"""What is installed, against what the plugin needs."""

from __future__ import annotations

from importlib import metadata

import pytest

from pytest_genaiver.cli.checks import installed


@pytest.fixture
def versions(monkeypatch):
    """Makes these releases the installed ones; None: not installed."""
    real = metadata.version

    def pretend(**given):
        def version(name):
            found = given.get(name.replace("-", "_"), real)
            if found is None:
                raise metadata.PackageNotFoundError(name)
            return real(name) if found is real else found

        monkeypatch.setattr(installed.metadata, "version", version)
        return {f.check: f for f in installed.check()}

    return pretend


def test_here_all_is_well(versions) -> None:
    found = versions()
    assert list(found) == ["python", "pytest", "mlflow", "openai", "plugin", "xdist"]
    assert {f.state for f in found.values()} == {"ok"}
    assert found["mlflow"].text == metadata.version("mlflow")


def test_an_old_release_fails_with_the_command_that_mends_it(versions) -> None:
    found = versions(mlflow="3.9.1", pytest_xdist="2.0")
    mlflow, xdist = found["mlflow"], found["xdist"]
    assert (mlflow.state, mlflow.text) == ("fail", "3.9.1, 3.17 is the lowest that works")
    assert mlflow.fix == "pip install 'mlflow>=3.17'"
    assert (xdist.state, xdist.text) == ("warn", "2.0, 3.5 is the lowest that is tested")


def test_what_is_not_installed(versions) -> None:
    found = versions(mlflow=None, mlflow_skinny=None, pytest_xdist=None)
    assert (found["mlflow"].state, found["mlflow"].text) == ("fail", "not installed")
    assert (found["xdist"].state, found["xdist"].text) == ("ok", "not installed: `-n` is not available")


def test_mlflow_skinny_is_mlflow(versions) -> None:
    assert versions(mlflow=None, mlflow_skinny="3.17.2")["mlflow"].text == "3.17.2 (mlflow-skinny)"


def test_an_old_python(versions, monkeypatch) -> None:
    monkeypatch.setattr(installed.platform, "python_version", lambda: "3.9.2")
    found = versions()["python"]
    assert (found.state, found.fix) == ("fail", "run on Python 3.10 or newer")


def test_from_a_source_tree_floors_are_unknown(versions, monkeypatch) -> None:
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(installed.metadata, "metadata", missing)
    assert versions(mlflow="1.0", pytest=None)["mlflow"].state == "ok"
    assert versions(pytest=None)["pytest"].fix == "pip install pytest"
