"""Numbers over all cases, from the hook to the report, the results file and the store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project

SUITE = """
import pytest
from app import ask

@pytest.mark.genai_eval
@pytest.mark.parametrize("question", [f"q{i}" for i in range(8)])
def test_size(question, genai_case):
    genai_case.output = ask(question)
    genai_case.score("size", len(genai_case.output))
    genai_case.score("words", 1)
"""
CONFTEST = """
def mean_size(cases):
    return sum(v for c in cases for v in c.scores["size"]) / sum(v for c in cases for v in c.scores["words"])

def broken(cases):
    return cases[0].scores["nothing of the kind"]

def pytest_genai_metrics(config):
    return [{"mean_size": mean_size, "broken": broken}, "size: gate=off", "words: gate=off"]
"""


def ini(project: Project, *lines: str) -> None:
    kept = (project.path / "pytest.ini").read_text().partition("genai_metrics")[0]
    metrics = "".join(f"    {line}\n" for line in lines)
    project.commit("lines", **{"pytest.ini": f"{kept}genai_metrics =\n{metrics}" if lines else kept})


def test_an_aggregate_is_shown_with_its_change_and_gated_on_request(project: Project) -> None:
    project.commit(**{"test_app.py": SUITE, "conftest.py": CONFTEST})
    for _ in range(2):
        project.run()
    project.answers.rule = lambda question, n: "good answers are long"
    project.commit("longer")
    result, report = project.report()
    assert result.ret == 0
    result.stdout.fnmatch_lines(["mean_size * 4.00 * 21.00 * +17.00 * not gated"])
    result.stdout.fnmatch_lines(["warning: aggregate 'broken' is unknown: it raised KeyError('nothing of the kind')"])
    found = report["decision"]["metrics"]["mean_size"]
    assert (found["baseline"], found["current"], found["gate"]) == (4.0, 21.0, "off")
    assert report["decision"]["metrics"]["broken"]["current"] is None
    assert report["decision"]["alpha"] == 0.05
    (run,) = [r for r in project.runs() if r.info.run_id == report["session"]["run_id"]]
    assert run.data.metrics["mean_size"] == 21.0

    ini(project, "mean_size: lower, max=10")
    result, report = project.report("--genai-baseline", "HEAD~2")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["regressed: mean_size *", "*21.00 is above max 10.00 by more than noise"])
    result.stdout.fnmatch_lines(["!!!*genaiver: mean_size regressed*!!!"])
    assert {p["name"]: p["max"] for p in report["policy"]}["mean_size"] == 10

    ini(project, "mean_size: score, lower")
    result, report = project.report("--genai-baseline", "HEAD~3")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["  mean_size: 4.00 -> 21.00, beyond chance (p *"])
    assert report["decision"]["metrics"]["mean_size"]["level"] == pytest.approx(0.05 / 2 / 3)


def test_workers_score_and_the_controller_aggregates(project: Project) -> None:
    conftest = CONFTEST.replace(', "size: gate=off"', ', "mean_size: lower, max=10", "size: gate=off"')
    project.commit(**{"test_app.py": SUITE, "conftest.py": conftest})
    project.run()
    project.answers.rule = lambda question, n: "good answers are long"
    project.commit("longer")
    result = project.subprocess("--genai-version", "-n2", "--genai-report", "out.json")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["regressed: mean_size *", "mean_size * 4.00 * 21.00 * +17.00 * regressed"])
    found = json.loads((project.path / "out.json").read_text())["decision"]["metrics"]["mean_size"]
    assert (found["baseline"], found["current"], found["cases"]) == (4.0, 21.0, 8)


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("{'f1': 3}", "*'f1': 3 cannot be used; an aggregate is a name and a function of the scored cases*"),
        ("{' ': len}", "*' ': <built-in function len> cannot be used*"),
        ("[{'f1': len}, {'f1': len}]", "*the aggregate 'f1' is given twice; drop one"),
        ("{'latency': len}", "*'latency' is a built-in metric; give the aggregate another name"),
        ("[{'f1': len}, 'f1: max_hidden=0.1']", "*max_hidden cannot be used for the aggregate 'f1'; use min or max"),
        ("3", "*pytest_genai_metrics: 3 cannot be used*"),
    ],
)
def test_what_is_no_aggregate_is_a_usage_error(project: Project, returned: str, message: str) -> None:
    project.commit(**{"conftest.py": f"def pytest_genai_metrics(config): return {returned}\n"})
    result = project.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
