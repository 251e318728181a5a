"""--genai-report x.json: what the file holds, and what happens where it cannot be written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project

SUITE = """
import pytest

@pytest.mark.genai_eval
@pytest.mark.parametrize("question", ["q1", "q2"])
def test_answer(question, genai_case):
    genai_case.score("good", True)
"""
IN_THE_WAY = """
import pathlib

def test_z():
    pathlib.Path("out.json").unlink(missing_ok=True)
    pathlib.Path("out.json/x").mkdir(parents=True)
"""


def test_it_holds_what_was_recorded_compared_and_decided(project: Project) -> None:
    project.run("-k", "q1 or q2", "--genai-report", "first.json")
    first = json.loads((project.path / "first.json").read_text())
    assert first["baseline"] is None
    project.commit("now")
    second, again = (str(project.path / name) for name in ("second.json", "again.json"))
    project.run("-k", "q1 or q2", "--genai-report", second, "--genai-report", again, "--genai-report", second)
    report = json.loads((project.path / "second.json").read_text())
    assert report == json.loads((project.path / "again.json").read_text())
    results = ["schema", "version", "session", "policy", "cases", "snapshot"]
    assert list(report) == [*results, "baseline", "since_baseline", "changes", "decision", "warnings"]
    assert report["schema"] == 1
    (name, case), _ = report["cases"].items()
    assert name == "test_app.py::test_answer[q1]"
    assert {"digest", "scores", "traces"} <= case.keys()
    assert case["scores"]["good"] == [1.0]
    assert case["traces"] == [t.info.trace_id for t in project.traces() if t.info.trace_id in case["traces"]]
    assert report["baseline"]["name"] == first["version"]["name"]
    assert list(report["changes"]) == ["new", "removed", "changed", "renamed", "variants"]
    assert report["decision"]["verdict"] == "pass"
    for metric in report["decision"]["metrics"].values():
        assert {"verdict", "drop", "upper", "p", "level"} <= metric.keys()
    assert report["session"]["command"].startswith("pytest --genai-version")
    assert not list(project.path.glob("**/*.part"))


def test_a_file_that_cannot_be_written_is_said_and_changes_no_verdict(project: Project) -> None:
    project.commit(**{"test_app.py": SUITE, "test_z.py": IN_THE_WAY})
    result = project.run("--genai-report", "out.json", "--genai-report", "other.json")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*GenaiverWarning: cannot write '*out.json': Is a directory", "pass: first *"])
    assert "Traceback" not in result.stdout.str()
    assert json.loads((project.path / "other.json").read_text())["decision"]["verdict"] == "pass"
    assert not list(project.path.glob("**/*.part"))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("out.xml", "'out.xml' cannot be used; a report's format follows from its suffix; allowed: *.json*"),
        ("out", "'out' cannot be used; a report's format follows from its suffix; *"),
        ("no/such/out.json", "'no/such/out.json' cannot be used; there is no folder '*/no/such'; make it first"),
    ],
)
def test_a_path_that_can_hold_no_report_is_refused(project: Project, path: str, message: str) -> None:
    result = project.run("--genai-report", path)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --genai-report: {message}"])
    assert project.llm.requests == 0


def test_a_report_inside_the_repository_makes_no_tree_dirty(project: Project) -> None:
    project.commit(**{"test_app.py": SUITE, "out.json": "{}"})
    project.run("--genai-report", "out.json")
    project.run("--genai-report", "out.json")
    assert [model.tags["genaiver.dirty"] for model in project.models()] == ["false"]
