"""What is heard of MLflow: nothing, unless the user must do something."""

from __future__ import annotations

import re
import socket
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project

SUITE = """
import pytest

@pytest.mark.genai_eval
def test_answer(genai_case):
    genai_case.score("good", True)
"""


def test_a_fresh_store_is_made_without_a_word_of_mlflows(project: Project) -> None:
    (project.path / "mlflow.db").unlink()
    result = project.subprocess("--genai-version", "-k", "q1", "-s")
    assert result.ret == 0
    assert result.stderr.str() == ""
    text = result.stdout.str()
    for chatter in ("alembic", "INFO", "WARNING", "Creating initial", "View run", "experiments/", "\N{RUNNER}"):
        assert chatter not in text
    result.stdout.fnmatch_lines(["pass: first session*"])
    assert (project.path / "mlruns" / ".gitignore").read_text() == "*\n"
    assert project.repo.git("status", "--porcelain") == ""


def test_a_dead_server_is_one_sentence_in_bounded_time_before_any_call(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://ada:secret@{address}")
        start = time.monotonic()
        result = project.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert time.monotonic() - start < 30
    (error,) = (line for line in result.errlines if line)
    assert error.startswith(f"ERROR: cannot open the MLflow store 'http://{address}': ")
    assert "secret" not in result.stdout.str() + result.stderr.str()
    assert "Traceback" not in result.stdout.str()
    assert project.llm.requests == 0


def test_a_store_that_git_would_add_is_said_until_it_is_ignored(project: Project) -> None:
    project.commit(**{"test_app.py": SUITE})
    hint = "warning: mlflow.db is not ignored by git: add it to .gitignore"
    (project.path / ".gitignore").write_text("__pycache__/\n")
    assert hint in project.run("-q").outlines
    (project.path / ".gitignore").write_text("__pycache__/\n*.db\n")
    assert "mlflow.db" not in re.sub("look: .*|.* store .*", "", project.run().stdout.str())
    (project.path / ".gitignore").write_text("__pycache__/\n")
    project.repo.git("add", "mlflow.db")
    assert hint not in project.run().outlines
