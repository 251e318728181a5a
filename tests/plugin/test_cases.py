"""What a marked test may do, and what is recorded of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project

OUTCOMES = """
import asyncio, threading, unittest
import pytest
from openai import AsyncOpenAI
from app import ask

pytestmark = pytest.mark.genai_eval

def test_passes():
    assert ask("1")

def test_fails():
    assert ask("1") == "never"

@pytest.mark.xfail
def test_is_expected_to_fail():
    assert ask("1") == "never"

@pytest.mark.xfail(strict=False)
def test_passes_unexpectedly():
    assert ask("1")

@pytest.mark.skip
def test_is_skipped():
    ask("1")

def test_skips_itself():
    ask("1")
    pytest.skip("not today")

def test_does_nothing():
    pass

@pytest.fixture
def broken():
    raise ValueError("no fixture")

def test_has_no_setup(broken):
    ask("1")

@pytest.fixture
def leaky():
    yield
    raise ValueError("no teardown")

def test_has_no_teardown(leaky, genai_case):
    genai_case.score("good", ask("1") == "good")

def test_scores_twice(genai_case):
    genai_case.score("good", 0.5)
    genai_case.score("good", 1)

class TestClass:
    @pytest.mark.parametrize("x, y", [(1, 2)])
    @pytest.mark.genai_eval(expectations=("y",))
    def test_method(self, x, y, genai_case):
        assert (genai_case.inputs, genai_case.expectations) == ({"x": 1}, {"y": 2})
        assert genai_case.id == "test_app.py::TestClass::test_method[1-2]"
        assert genai_case.trace.data.spans[0].inputs == {"x": 1}
        ask("1")

class TestUnittest(unittest.TestCase):
    def test_case(self):
        assert ask("1")

class TestAsyncio(unittest.IsolatedAsyncioTestCase):
    async def test_loop(self):
        await gathered()

async def gathered():
    async with AsyncOpenAI() as client:
        create = client.chat.completions.create
        calls = [create(model="gpt-4o-mini", messages=[{"role": "user", "content": str(i)}]) for i in range(3)]
        await asyncio.gather(*calls)

@pytest.mark.asyncio
async def test_coroutine():
    await gathered()

def test_thread():
    thread = threading.Thread(target=ask, args=("1",))
    thread.start()
    thread.join()
"""


@pytest.fixture(scope="module")
def asyncio_plugin() -> None:
    pytest.importorskip("pytest_asyncio")


def test_each_outcome_is_recorded_as_what_it_is(project: Project, asyncio_plugin: None) -> None:
    project.commit(**{"test_app.py": OUTCOMES})
    result, report = project.report()
    passed = {name.partition("::")[2]: case["scores"]["passed"] for name, case in report["cases"].items()}
    assert passed == {
        "test_passes": [1.0],
        "test_fails": [0.0],
        "test_is_expected_to_fail": [0.0],
        "test_passes_unexpectedly": [1.0],
        "test_does_nothing": [None],
        "test_has_no_setup": [None],
        "test_has_no_teardown": [None],
        "test_scores_twice": [1.0],
        "TestClass::test_method[1-2]": [1.0],
        "TestUnittest::test_case": [1.0],
        "TestAsyncio::test_loop": [1.0],
        "test_coroutine": [1.0],
        "test_thread": [1.0],
    }
    assert report["cases"]["test_app.py::test_scores_twice"]["scores"]["good"] == [0.75]
    assert report["cases"]["test_app.py::test_has_no_teardown"]["scores"]["good"] == [1.0]
    assert result.ret == 1
    result.assert_outcomes(passed=9, failed=1, errors=2, skipped=2, xfailed=1, xpassed=1)
    result.stdout.fnmatch_lines(["1 case recorded nothing (no trace, no score, no output):", "*test_does_nothing"])
    calls = {name.rpartition("::")[2]: case["scores"].get("output_tokens") for name, case in report["cases"].items()}
    one = calls["test_passes"]
    assert one is not None
    assert calls["test_thread"] == calls["test_case"] == one
    assert calls["test_coroutine"] == calls["test_loop"] == [3 * one[0]]
    assert calls["test_does_nothing"] is None
    assert report["session"]["traces_produced"] == report["session"]["traces_stored"]
    names = {t.info.tags["mlflow.test.name"] for t in project.traces()}
    assert "test_app.py::TestAsyncio::test_loop" in names


SCORES = """
import numpy as np
import pytest
from mlflow.entities import Feedback

@pytest.mark.genai_eval
@pytest.mark.parametrize("value", [True, 0, 0.25, np.float32(0.5), np.bool_(True), np.int64(3)])
def test_good(value, genai_case):
    genai_case.score("s", value)

@pytest.mark.genai_eval
def test_feedback(genai_case):
    genai_case.score("s", Feedback(name="other", value="yes", rationale="because"))
    genai_case.score("judged", Feedback(value=None, error=ValueError("down")))

@pytest.mark.genai_eval
@pytest.mark.parametrize("value", ["text", None, float("nan"), float("inf"), [1], {"a": 1}, 10**400, 1j])
def test_bad(value, genai_case):
    genai_case.score("s", value)

@pytest.mark.genai_eval
@pytest.mark.parametrize("name", ["", " ", 1, "latency", "passed"])
def test_bad_name(name, genai_case):
    genai_case.score(name, 1)
"""


def test_scores_are_bools_finite_numbers_or_feedback_and_anything_else_fails_that_test(project: Project) -> None:
    project.commit(**{"test_app.py": SCORES})
    result, report = project.report()
    result.assert_outcomes(passed=7, failed=13)
    good = [c["scores"]["s"] for name, c in report["cases"].items() if "test_good" in name]
    assert good == [[1.0], [0.0], [0.25], [0.5], [1.0], [3.0]]
    feedback = report["cases"]["test_app.py::test_feedback"]["scores"]
    assert feedback == {"passed": [1.0], "s": [1.0], "judged": [None]}
    result.stdout.fnmatch_lines_random(
        [
            "*ScoreError: score 's' is 'text' (str), but a score must be a bool, a finite number or an MLflow *",
            "*ScoreError: a score cannot be named 'latency', which is measured for every case*",
        ]
    )
    result.stdout.no_fnmatch_line("*core/scores.py*")
    traces = {t.info.tags["mlflow.test.name"]: t for t in project.traces()}
    found = {a.name: a for a in traces["test_app.py::test_feedback"].info.assessments}
    assert found["s"].rationale == "because"
    assert found["s"].value == "yes"
    assert found["judged"].error is not None


PROVIDER = """
import pytest
from app import ask

@pytest.mark.genai_eval
@pytest.mark.parametrize("i", range(4))
def test_answer(i, genai_case):
    genai_case.score("early", 1)
    assert ask(str(i))
"""


def test_a_failure_of_the_provider_is_missing_never_quality_0(project: Project) -> None:
    project.commit(**{"test_app.py": PROVIDER})
    statuses = {0: 429, 1: 500, 2: 400}
    project.answers.status = statuses.get
    result, report = project.report()
    scores = [c["scores"] for c in report["cases"].values()]
    assert [s["passed"] for s in scores] == [[None], [None], [0.0], [1.0]]
    assert [s["early"] for s in scores] == [[None], [None], [1.0], [1.0]]
    assert report["session"]["calls_failed"] == 2
    result.stdout.fnmatch_lines(["2 calls failed at the provider: missing values, not bad ones"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@pytest.mark.genai_eval(score=1)\ndef test_x(): pass", "*test_x: genai_eval has no argument 'score'*"),
        ("@pytest.mark.genai_eval(1)\ndef test_x(): pass", "*test_x: genai_eval takes keyword arguments only*"),
        ("@pytest.mark.genai_eval(repeats=0)\ndef test_x(): pass", "*repeats=0 cannot be used*"),
        ("def test_x(genai_case): pass", "*test_x: genai_case needs @pytest.mark.genai_eval on the test*"),
    ],
)
def test_a_mistake_in_a_marker_is_a_usage_error_before_anything_runs(
    project: Project, text: str, message: str
) -> None:
    project.commit(**{"test_app.py": f"import pytest\nfrom app import ask\n{text}\ndef test_first(): ask('1')"})
    result = project.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message.lstrip('*')}" if not message.startswith("*") else message])
    assert project.llm.requests == 0
    result.stdout.no_fnmatch_line("*evaluated*")
    assert [r.info.status for r in project.runs()] == ["FAILED"]
