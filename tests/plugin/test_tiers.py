"""Cases with gate="warn" or "off" are tracked: shown apart, never weighed by the gate, never run for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Project

SUITE = """
import pytest
from app import ask

def one(question, genai_case):
    genai_case.output = ask(question)
    genai_case.score("good", genai_case.output == "good")

@pytest.mark.genai_eval
@pytest.mark.parametrize("question", [f"q{i}" for i in range(8)])
def test_gated(question, genai_case):
    one(question, genai_case)

@pytest.mark.genai_eval(gate="warn")
@pytest.mark.parametrize("question", [f"w{i}" for i in range(8)])
def test_warns(question, genai_case):
    one(question, genai_case)
    genai_case.score("only_here", True)

@pytest.mark.genai_eval(gate="off")
@pytest.mark.parametrize("question", ["x1", "x2"])
def test_off(question, genai_case):
    one(question, genai_case)
"""


def test_tracked_cases_are_shown_apart_and_change_nothing_for_the_gate(project: Project) -> None:
    project.commit(**{"test_app.py": SUITE})
    for _ in range(3):
        project.run("-m", "genai_eval")
    project.commit("worse where nobody gates")
    project.answers.rule = lambda question, n: "good" if question.startswith("q") else "bad"
    result, report = project.report()
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "pass: 2 gated metrics, no drop beyond noise and tolerance",
            'tracked, not gated: 8 cases with gate="warn", 8 compared',
            "good * 1.00 * 0.00 * -1.00 * regressed (warn)",
            'tracked, not gated: 2 cases with gate="off", 2 compared',
            "good * 1.00 * 0.00 * -1.00 * not gated",
            'warning: good of cases with gate="warn" is worse, which only warns: 1.00 -> 0.00 (-1.00)',
        ]
    )
    decided = report["decision"]["metrics"]
    # They dilute no mean, spend no alpha: the level of each metric is as if they were not there.
    assert (decided["good"]["current"], decided["good"]["cases"]) == (1.0, 8)
    assert "only_here" not in decided
    assert report["tracked"]["warn"]["metrics"]["good"]["verdict"] == "regressed"
    assert report["tracked"]["off"] is None
    # They were tracked before too: the bar is where it was.
    assert not any("the bar is lower" in line for line in report["warnings"])
    # Nothing looked suspicious to the gate: no case ran again.
    assert {len(case["scores"]["good"]) for case in report["cases"].values()} == {1}

    project.commit("they are gone", **{"test_app.py": SUITE.partition('@pytest.mark.genai_eval(gate="warn")')[0]})
    _, alone = project.report("--genai-baseline", "HEAD~1")
    assert {name: found["level"] for name, found in alone["decision"]["metrics"].items()} == {
        name: found["level"] for name, found in decided.items()
    }
    assert "tracked" not in alone


def test_a_tracked_case_is_not_run_again_when_a_gated_one_is(project: Project) -> None:
    project.commit(**{"test_app.py": SUITE})
    for _ in range(2):
        project.run()
    project.commit("one gated case is bad, and all others are")
    project.answers.rule = lambda question, n: "good" if question.startswith("q") and question != "q3" else "bad"
    _, report = project.report("--genai-gate", "warn")
    runs = {name: len(case["scores"]["good"]) for name, case in report["cases"].items()}
    assert runs["test_app.py::test_gated[q3]"] > 1
    assert {count for name, count in runs.items() if "test_gated" not in name} == {1}
