"""`genaiver` against a tracking server over HTTP, whose artifacts only the server can read."""

from __future__ import annotations

import json
import shutil

import pytest

from pytest_genaiver.adapters.tracking.files import REQUIREMENTS, SNAPSHOT
from pytest_genaiver.cli.main import FAILED, OK
from pytest_genaiver.core.snapshot import Snapshot


@pytest.fixture
def remote(recorded, server, monkeypatch):
    """The project, its store behind a server."""
    (recorded.path / "mlflow.db").unlink()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    return recorded


def test_every_command_works_over_http(remote, genaiver, server) -> None:
    files = {SNAPSHOT: json.dumps(Snapshot(params={"k": "5"}).to_json()), REQUIREMENTS: "mlflow==3.17.2\n"}
    old = remote.session({"on_topic": [1.0]}, cases=40, files=files)
    remote.commit("worse")
    new = remote.session({"on_topic": [1.0, 0.0]}, cases=40)
    shown = genaiver("show", old.name)
    assert (shown.code, shown.err) == (OK, "")
    assert "configuration  k=5" in shown.lines
    assert f"{server}/#/experiments/" in shown.lines[-1]
    assert "mlflow==3.17.2" in genaiver("show", old.name, "--reproduce").lines
    compared = genaiver("compare", old.name, new.name, "--best", "on_topic")
    assert (compared.code, compared.err) == (OK, "")
    assert f"best by on_topic: A {old.name}" in compared.lines
    history = genaiver("history")
    assert (history.code, history.err) == (OK, "")
    assert "  ^ fell 1.00 -> 0.50, over 40 cases (p below 0.0001)" in history.lines


def test_a_dead_server_is_one_sentence(recorded, genaiver, monkeypatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    shutil.rmtree(recorded.path / "mlruns", ignore_errors=True)
    done = genaiver("history")
    assert (done.code, done.out, len(done.err.splitlines())) == (FAILED, "", 1)
    assert "cannot open the MLflow store 'http://127.0.0.1:1'" in done.err
