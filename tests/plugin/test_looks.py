"""Adaptive repeats: cases run again only while the gate has a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import History, Project

SUITE = """
import pytest
from app import ask

events = []

@pytest.fixture(scope="session")
def wide():
    events.append("up")
    yield
    events.append("down")
    print("wide", *events)

@pytest.mark.genai_eval
@pytest.mark.parametrize("question", [f"q{i}" for i in range(10)])
def test_answer(question, wide, genai_case):
    genai_case.output = ask(question)
    genai_case.score("good", genai_case.output == "good")
"""


@pytest.fixture
def recorded(project: Project, history: History) -> None:
    """A project with five good sessions, and a commit since."""
    project.commit(**{"test_app.py": SUITE})
    for _ in range(5):
        history.session()
    project.commit("change")


def test_an_unchanged_deterministic_suite_costs_one_call_a_case(project: Project) -> None:
    project.commit(**{"test_app.py": SUITE})
    project.run()
    project.commit("change")
    before = project.llm.requests
    result, report = project.report()
    assert result.ret == 0
    assert project.llm.requests - before == 10
    assert report["session"]["repeats"] == 1
    result.stdout.no_fnmatch_line("genaiver: look*")


@pytest.mark.usefixtures("recorded")
def test_one_case_that_fails_is_run_again_first_and_cleared_when_it_recovers(project: Project) -> None:
    seen: dict[str, int] = {}

    def rule(question: str, n: int) -> str:
        seen[question] = seen.get(question, 0) + 1
        return "bad" if question == "q3" and seen[question] == 1 else "good"

    project.answers.rule = rule
    result, report = project.report("-s")
    assert result.ret == 0
    assert seen == {f"q{i}": 4 if i == 3 else 2 for i in range(10)}
    result.stdout.fnmatch_lines(
        [
            "genaiver: again: 1 case, because it failed good at first",
            "genaiver: look 2 of 3: 9 cases, because good fell 0.10",
            "*wide up down",
        ]
    )
    result.assert_outcomes(passed=10)
    case = report["cases"]["test_app.py::test_answer[q3]"]
    assert case["scores"]["good"] == [0.0, 1.0, 1.0, 1.0]
    assert len(set(case["traces"])) == 4 == len(case["traces"])
    assert report["session"]["traces_stored"] == 22
    assert report["session"]["repeats"] == 2


@pytest.mark.usefixtures("recorded")
def test_one_case_that_keeps_failing_is_a_regression_named(project: Project) -> None:
    project.answers.rule = lambda question, n: "bad" if question == "q3" else "good"
    result, report = project.report()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["regressed: good *", "*test_answer?q3?*broken*"])
    assert [f["case"] for f in report["decision"]["metrics"]["good"]["broken"]] == ["test_app.py::test_answer[q3]"]


def test_a_drop_that_one_look_cannot_settle_is_looked_at_again(project: Project) -> None:
    project.commit(**{"test_app.py": SUITE})
    project.answers.rule = lambda question, n: "bad" if (n + int(question[1:])) % 3 == 0 else "good"
    for _ in range(3):
        project.run()
    project.commit("change")
    project.answers.rule = lambda question, n: "good" if (n + int(question[1:])) % 3 == 0 else "bad"
    result, report = project.report()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["genaiver: look 2 of 3: 10 cases, because good fell 0.*", "regressed: good *"])
    assert report["session"]["repeats"] >= 2
    assert {len(c["scores"]["good"]) for c in report["cases"].values()} == {report["session"]["repeats"]}


@pytest.mark.usefixtures("recorded")
def test_a_repeat_that_the_gate_asked_for_never_changes_an_items_outcome(project: Project) -> None:
    project.commit(**{"test_app.py": SUITE + "    assert genai_case.repeat == 0\n"})
    project.answers.rule = lambda question, n: "bad" if question == "q3" else "good"
    result = project.run("-v", "--junitxml=junit.xml")
    result.assert_outcomes(passed=10)
    assert 'tests="10"' in (project.path / "junit.xml").read_text()


@pytest.mark.usefixtures("recorded")
def test_fixed_repeats_ask_for_nothing_more(project: Project) -> None:
    project.answers.rule = lambda question, n: "bad" if question == "q3" else "good"
    before = project.llm.requests
    result = project.run("--genai-repeats", "2")
    assert project.llm.requests - before == 20
    result.stdout.no_fnmatch_line("genaiver: again*")


@pytest.mark.usefixtures("recorded")
def test_a_session_that_stops_at_the_first_failure_is_decided_on_what_there_is(project: Project) -> None:
    project.commit(**{"test_app.py": SUITE + "    assert genai_case.output == 'good'\n"})
    project.answers.rule = lambda question, n: "bad" if question == "q3" else "good"
    result, report = project.report("-x")
    assert result.ret == 1
    assert len(report["cases"]) == 4
    result.stdout.fnmatch_lines(["warning: this session was cut short (stopping after 1 failures: 6 of 10 cases*"])
    result.stdout.no_fnmatch_line("genaiver: again*")
