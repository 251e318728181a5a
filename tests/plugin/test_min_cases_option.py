"""--genai-min-cases: a session that evaluated nothing is never green."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import History, Project

UNMARKED = "def test_plain(): pass\n"
SKIPPED = """
import pytest

@pytest.mark.genai_eval
@pytest.mark.skip
@pytest.mark.parametrize("i", range(3))
def test_skipped(i): pass
"""
IDLE = """
import pytest

@pytest.mark.genai_eval
@pytest.mark.parametrize("i", range(3))
def test_idle(i): pass
"""


@pytest.mark.parametrize("suite", [UNMARKED, SKIPPED, IDLE], ids=["no case", "all skipped", "nothing recorded"])
def test_a_session_without_an_evaluated_case_fails(project: Project, suite: str) -> None:
    project.commit(**{"test_app.py": suite})
    result = project.run("--genai-gate", "warn")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "too few cases: 0 evaluated, --genai-min-cases wants 1 *",
            "!!!*! genaiver: 0 evaluated cases, --genai-min-cases wants 1 !*!!!",
        ]
    )
    assert "pass: first session" not in result.stdout.str()
    if suite is IDLE:
        result.stdout.fnmatch_lines(
            ["3 cases recorded nothing (no trace, no score, no output):", *(f"  *test_idle?{i}?" for i in range(3))]
        )


def test_with_the_gate_off_nothing_fails_it(project: Project) -> None:
    project.commit(**{"test_app.py": UNMARKED})
    assert project.run("--genai-gate", "off").ret == 0


def test_a_provider_that_fails_every_call_leaves_nothing_evaluated(project: Project, history: History) -> None:
    for _ in range(3):
        history.session()
    project.commit("now")
    project.answers.status = lambda n: (429, 500, 503)[n % 3]
    result, report = project.report("--genai-repeats", "1", "--tb=no")
    assert result.ret == 1
    # A case without any value is asked for once more.
    assert project.llm.requests == 20
    values = [v for case in report["cases"].values() for scores in case["scores"].values() for v in scores]
    assert set(values) == {None}
    assert report["session"]["calls_failed"] == 20
    result.stdout.fnmatch_lines(["too few cases: 0 evaluated*", "* calls failed at the provider: missing values, *"])
    assert "regressed" not in result.stdout.str()


def test_some_failed_calls_are_missing_and_no_quality(project: Project, history: History) -> None:
    for _ in range(3):
        history.session()
    project.commit("now")
    project.answers.status = lambda n: 500 if n == 4 else None
    result, report = project.report("--genai-repeats", "1", "--tb=no")
    result.assert_outcomes(passed=9, failed=1)
    assert report["cases"]["test_app.py::test_answer[q4]"]["scores"]["passed"] == [None, 1.0]
    assert report["cases"]["test_app.py::test_answer[q5]"]["scores"]["passed"] == [1.0]
    assert report["decision"]["metrics"]["passed"]["current"] == 1.0
    assert report["decision"]["metrics"]["good"]["verdict"] == "pass"
    result.stdout.fnmatch_lines(["10 cases evaluated, *", "1 call failed at the provider: missing values, *"])


@pytest.mark.parametrize(("least", "code"), [("10", 0), ("11", 1)])
def test_the_least_may_be_any_number(project: Project, least: str, code: int) -> None:
    result = project.run("--genai-min-cases", least)
    assert result.ret == code
    if code:
        result.stdout.fnmatch_lines(["too few cases: 10 evaluated, --genai-min-cases wants 11 *", "!!!*wants 11*!!!"])


def test_none_may_be_enough(project: Project) -> None:
    project.commit(**{"test_app.py": UNMARKED})
    result = project.run("--genai-min-cases", "0")
    assert result.ret == 0
