"""Fixed repeats: one case, one line, fixtures anew each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Project

SUITE = """
import pytest
from app import ask

events = []

@pytest.fixture(scope="module")
def wide():
    events.append("wide")
    yield
    print(" ".join(events))

@pytest.fixture
def narrow(genai_case):
    events.append(f"up{genai_case.repeat}")
    yield
    events.append(f"down{genai_case.repeat}")

@pytest.mark.genai_eval
def test_all(wide, narrow, genai_case):
    genai_case.inputs["changed"] = True
    genai_case.score("repeat", genai_case.repeat)
    ask("1")

@pytest.mark.genai_eval(repeats=1)
def test_once(wide, genai_case):
    genai_case.score("repeat", genai_case.repeat)

@pytest.mark.genai_eval
def test_fails_in_the_middle(wide, genai_case):
    print("output of", genai_case.repeat)
    assert genai_case.repeat != 1, "the middle one"

@pytest.mark.genai_eval
def test_fails_always(wide, genai_case):
    assert False, f"time {genai_case.repeat}"
"""


def test_each_repeat_has_its_own_fixtures_trace_and_scores_and_the_case_is_shown_once(project: Project) -> None:
    project.commit(**{"test_app.py": SUITE})
    result, report = project.report("--genai-repeats", "3", "-v", "-s")
    cases = {name.rpartition("::")[2]: case for name, case in report["cases"].items()}
    assert cases["test_all"]["scores"]["repeat"] == [0.0, 1.0, 2.0]
    assert len(set(cases["test_all"]["traces"])) == 3
    assert cases["test_once"]["scores"]["repeat"] == [0.0]
    assert cases["test_fails_in_the_middle"]["scores"]["passed"] == [1.0, 0.0, 1.0]
    assert cases["test_fails_always"]["scores"]["passed"] == [0.0, 0.0, 0.0]
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(["*wide up0 down0 up1 down1 up2 down2"])
    assert result.stdout.str().count("test_app.py::test_all PASSED") == 1
    assert report["session"]["repeats"] == 3
    keys = {t.info.tags["mlflow.eval.requestId"] for t in project.traces()}
    assert len(keys) == 10


def test_a_failing_repeat_fails_the_item_once_and_says_which_one(project: Project) -> None:
    project.commit(**{"test_app.py": SUITE})
    result = project.run("--genai-repeats", "3", "--junitxml=junit.xml")
    result.stdout.fnmatch_lines(
        [
            "E*the middle one",
            "*Captured stdout call*",
            "output of 1",
            "repeat 2 of 3 failed",
            "E*AssertionError: time 0",
            "repeat 1, 2, 3 of 3 failed",
        ]
    )
    result.stdout.no_fnmatch_line("output of 0")
    assert 'tests="4"' in (project.path / "junit.xml").read_text()
    assert 'failures="2"' in (project.path / "junit.xml").read_text()


RERUNS = """
import pytest
from app import ask

attempts = []

@pytest.mark.flaky(reruns=3)
@pytest.mark.genai_eval
def test_flaky(genai_case):
    ask("1")
    attempts.append(genai_case.repeat)
    genai_case.score("attempts", len(attempts))
    assert len(attempts) >= 3
"""


def test_a_rerun_is_a_rerun_not_a_repeat(project: Project) -> None:
    project.commit(**{"test_app.py": RERUNS})
    result, report = project.report()
    assert result.ret == 0
    result.assert_outcomes(passed=1)
    scores = report["cases"]["test_app.py::test_flaky"]["scores"]
    assert scores["passed"] == [1.0]
    assert scores["attempts"] == [3.0]
    assert report["session"]["traces_stored"] == 3
