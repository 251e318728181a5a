"""Looks that end early: what was measured stands, and the session says what the gate wanted besides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import History, Project

SUITE = """
import pytest
from app import ask

@pytest.mark.genai_eval
@pytest.mark.parametrize("question", [f"q{i}" for i in range(10)])
def test_answer(question, genai_case, request):
    genai_case.output = ask(question)
    genai_case.score("good", genai_case.output == "good")
"""
INTERRUPTS = "    if (question, genai_case.repeat) == ('q5', 1): raise KeyboardInterrupt\n"
STOPS = "    if (question, genai_case.repeat) == ('q5', 1): request.session.shouldfail = 'out of time'\n"
FAILS = "    assert genai_case.output == 'good'\n"
WANTED = "warning: the gate wanted {}: it decided on what there was"


@pytest.fixture(autouse=True)
def recorded(project: Project, history: History) -> None:
    """Five good sessions."""
    for _ in range(5):
        history.session()


def bad_once(project: Project, *questions: str) -> None:
    """These questions are answered badly at first, and well when asked again."""
    asked: set[str] = set()

    def rule(question: str, n: int) -> str:
        again = question in asked
        asked.add(question)
        return "good" if again or question not in questions else "bad"

    project.answers.rule = rule


def test_a_look_that_is_interrupted_is_decided_on_the_look_before(project: Project) -> None:
    project.commit(**{"test_app.py": SUITE + INTERRUPTS})
    bad_once(project, "q3")
    result = project.pytester.runpytest_inprocess("--genai-version", "-v", no_reraise_ctrlc=True)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(
        [
            "genaiver: again: 1 case, because it failed good at first",
            "genaiver: look 2 of 3: 9 cases, because good fell 0.10",
            "inconclusive: good (1 of 2 gated metrics)",
            "  good: needs at least 4 repeats of each side: *",
            "10 cases evaluated, 10 compared, 1 repeat each",
            WANTED.format("5 more calls of 5 cases, because good fell 0.10"),
            "warning: this session was cut short (interrupted, every case had run): *",
            "!!!*KeyboardInterrupt*!!!",
        ]
    )


def test_a_look_that_a_plugin_ends_is_decided_on_what_there_was(project: Project) -> None:
    project.commit(**{"test_app.py": SUITE + STOPS})
    bad_once(project, "q3")
    result, report = project.report()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "genaiver: look 2 of 3: 9 cases, because good fell 0.10",
            WANTED.format("4 more calls of 4 cases, because good fell 0.10"),
            "!!!*out of time*!!!",
        ]
    )
    scores = {name[-3:-1]: case["scores"]["good"] for name, case in report["cases"].items()}
    assert {q for q, values in scores.items() if len(values) == 2} == {"q0", "q1", "q2", "q4", "q5"}
    assert report["session"]["traces_stored"] == report["session"]["traces_produced"] == 18


@pytest.mark.parametrize(
    ("argument", "bad"), [("-x", ["q9"]), ("--maxfail=2", ["q8", "q9"])], ids=["-x", "--maxfail"]
)
def test_a_session_that_stops_in_its_last_case_says_what_the_gate_wanted(
    project: Project, argument: str, bad: list[str]
) -> None:
    project.commit(**{"test_app.py": SUITE + FAILS})
    bad_once(project, *bad)
    before = project.llm.requests
    result, report = project.report(argument)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert project.llm.requests - before == 10
    cases, who = ("1 case", "it") if len(bad) == 1 else ("2 cases", "they")
    wanted = WANTED.format(f"{3 * len(bad)} more calls of {cases}, because {who} failed good and passed at first")
    result.stdout.fnmatch_lines([wanted])
    result.stdout.no_fnmatch_line("genaiver: again*")
    suspects = {finding["case"] for finding in report["decision"]["metrics"]["good"]["suspect"]}
    assert suspects == {f"test_app.py::test_answer[{q}]" for q in bad}
    assert report["session"]["complete"] is True
