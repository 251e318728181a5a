"""Under xdist: one version, one run, one gate; nothing is decided in workers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import History, Project


def test_workers_share_one_version_one_run_and_one_gate_which_they_run_looks_for(
    project: Project, history: History
) -> None:
    for _ in range(5):
        history.session()
    project.commit("worse")
    project.answers.rule = lambda question, n: "bad" if question in ("q3", "q4") else "good"
    result = project.run("-n2", "--genai-repeats", "2:5", "--genai-report", "out.json")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "genaiver: 10 cases to run, 20 runs in all; baseline app-*",
            "genaiver: again: 2 cases, because they failed good at first",
            "regressed: good *",
            "!!!*good regressed*!!!",
        ]
    )
    report = json.loads((project.path / "out.json").read_text())
    assert report["decision"]["metrics"]["good"]["verdict"] == "regressed"
    scores = {name[-3:-1]: case["scores"]["good"] for name, case in report["cases"].items()}
    assert scores == {f"q{i}": [0.0] * 7 if i in (3, 4) else [1.0] * 2 for i in range(10)}
    assert report["session"]["traces_stored"] == report["session"]["traces_produced"] == 30
    assert len(project.models()) == 2
    assert len(project.runs()) == 6
    traces = project.traces(run_id=report["session"]["run_id"])
    assert {t.info.trace_metadata["mlflow.modelId"] for t in traces} == {report["version"]["model_id"]}
    assert len(traces) == 30


CRASH = """
import os, pytest
from app import ask

@pytest.mark.genai_eval
@pytest.mark.parametrize("i", range(8))
def test_answer(i):
    ask(str(i))
    if i == 5:
        os._exit(3)
"""


def test_a_worker_that_crashes_cuts_the_session_short_and_what_finished_counts(project: Project) -> None:
    project.commit(**{"test_app.py": CRASH})
    result = project.run("-n1", "--genai-report", "out.json")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*this session was cut short (xdist worker gw? crashed)*"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")
    report = json.loads((project.path / "out.json").read_text())
    assert len(report["cases"]) == 7
    assert report["session"]["complete"] is False
    assert report["session"]["traces_stored"] < report["session"]["traces_produced"]
    result.stdout.fnmatch_lines(["*traces are missing from the store"])


def test_a_usage_error_in_a_worker_is_the_sessions(project: Project) -> None:
    project.commit(**{"test_app.py": "import pytest\n@pytest.mark.genai_eval(nope=1)\ndef test_x(): pass"})
    result = project.run("-n2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: test_app.py::test_x: genai_eval has no argument 'nope'*"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")
    assert result.stderr.str().count("genai_eval has no argument") == 1
