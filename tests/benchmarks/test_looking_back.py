"""The history that the benchmark of looking back plants, small: every command finds it."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from pytest_genaiver.cli.main import code_of

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def planted(empty_store, tmp_path, monkeypatch):
    """60 versions whose metric falls with number 40; their commits, oldest first."""
    for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
        monkeypatch.delenv(name)
    monkeypatch.syspath_prepend(BENCHMARKS)
    monkeypatch.chdir(tmp_path)
    spec = importlib.util.spec_from_file_location("looking_back", BENCHMARKS / "looking_back.py")
    looking_back = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(looking_back)
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    yield looking_back.plant(looking_back.make(tmp_path, versions=60, ancestors=59), 40)
    for name in ("many_versions", "measure"):
        sys.modules.pop(name, None)


def test_every_command_finds_what_was_planted(planted, tmp_path, capsys) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\ngenai_app = app\naddopts = -p genaiver\n")

    def shown(*arguments):
        capsys.readouterr()
        assert code_of([*arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    history = shown("history", "-n", "100")
    assert history["metric"] == "good"
    assert [v["commit"] for v in history["versions"]] == planted[::-1]
    assert [change["commit"] for change in history["change_points"]] == [planted[40]]
    compared = shown("compare", planted[3], planted[50], "--best", "good")
    assert compared["best"]["winner"] == f"app-{planted[3][:8]}"
    version = shown("show", planted[7])
    assert (version["name"], version["metrics"][0]["cases"]) == (f"app-{planted[7][:8]}", 40)
