"""The store that the benchmark of lookups makes: its copies are versions like the one that was recorded."""

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
def lookups(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    spec = importlib.util.spec_from_file_location("lookups", BENCHMARKS / "lookups.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "lookups", module)
    spec.loader.exec_module(module)
    return module


def test_every_command_finds_what_it_planted(lookups, empty_store, tmp_path, monkeypatch, capsys) -> None:
    for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(lookups, "FELL", 40)
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    shas = lookups.make_commits(tmp_path, 60)
    assert len(shas) == 60
    lookups.make_store(tmp_path, shas)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\ngenai_app = app\naddopts = -p genaiver\n")

    def shown(*arguments):
        capsys.readouterr()
        assert code_of([*arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    history = shown("history", "-n", "60")
    assert [v["commit"] for v in history["versions"]] == shas[::-1]
    assert [change["commit"] for change in history["change_points"]] == [shas[40]]
    compared = shown("compare", shas[3], shas[50], "--best", "on_topic")
    assert compared["best"]["winner"] == f"app-{shas[3][:8]}"
    version = shown("show", shas[7])
    assert (version["name"], version["metrics"][0]["cases"]) == (f"app-{shas[7][:8]}", 40)
