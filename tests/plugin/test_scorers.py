"""Scorers in a session: where they come from, what becomes of their answers, what a missing one costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mlflow.entities import Trace

    from conftest import Project

CONFTEST = """
def hooked(outputs):
    return len(outputs)

def pytest_genai_scorers(config, item):
    return [hooked]
"""

EVERYWHERE = """
def brief(outputs):
    return len(outputs) < 400
"""

LEVELS = """
import pytest
from app import ask
from mlflow.entities import Feedback
from mlflow.genai.scorers import scorer
from mlflow.metrics import MetricValue
from mlflow.models import make_metric

def of_module(inputs, outputs, expectations, trace):
    return [inputs["question"][0], outputs, expectations["answer"], trace.info.state] == ["q", "good", "good", "OK"]

@scorer
def polite(outputs):
    return Feedback(value="yes", rationale="it greets")

async def slow(outputs):
    return 0.5

def broken(outputs):
    raise KeyError("no such key")

def toxic(outputs):
    from transformers import pipeline

def words(predictions, targets):
    return MetricValue(scores=[float(len(p.split())) for p in predictions])

length = make_metric(eval_fn=words, greater_is_better=False, name="length")
pytestmark = pytest.mark.genai_eval(scorers=[of_module], expectations={"answer": "good"})

@pytest.mark.genai_eval(scorers=[polite, broken])
class TestLevels:
    @pytest.mark.genai_eval(target=ask, scorers=[slow, of_module, length, toxic])
    @pytest.mark.parametrize("question", ["q1", "q2"])
    def test_target(self, question, genai_case):
        genai_case.log(seen=question)
        genai_case.score("own", True, rationale="by hand")
        assert question == "q1"

@pytest.mark.parametrize("question", ["q3"])
def test_inline(question, genai_case):
    genai_case.output = ask(question)

def test_too_early(genai_case):
    assert False

def test_provider(genai_case):
    raise TimeoutError

def test_skipped(genai_case):
    pytest.skip()
"""


def scored(trace: Trace) -> dict[str, Any]:
    """Metric -> value, rationale and error of the feedback on a trace."""
    return {
        str(a.name): (
            getattr(a, "value", None),
            a.rationale,
            a.error.error_message if getattr(a, "error", None) else None,
        )
        for a in trace.info.assessments or ()
    }


def test_scorers_of_all_levels_add_up_and_their_answers_become_scores_and_feedback(project: Project) -> None:
    ini = "[pytest]\npythonpath = .\ngenai_app = app\nasyncio_default_fixture_loop_scope = function\n"
    project.write("pytest.ini", f"{ini}genai_scorers =\n    everywhere:brief\n    exact_match\n")
    project.commit(**{"test_app.py": LEVELS, "conftest.py": CONFTEST, "everywhere.py": EVERYWHERE})
    result, report = project.report("--genai-repeats", "1")
    assert result.ret == 1
    result.assert_outcomes(passed=2, failed=3, skipped=1)

    cases = {name.partition("::")[2]: case["scores"] for name, case in report["cases"].items()}
    full = {"passed": [1.0], "own": [1.0], "of_module": [1.0], "polite": [1.0], "slow": [0.5], "length": [1.0]}
    full |= {"hooked": [4.0], "brief": [1.0], "exact_match": [1.0], "broken": [None], "toxic": [None]}
    assert cases["TestLevels::test_target[q1]"] == {**cases["TestLevels::test_target[q1]"], **full}
    # The body failed before it asked for the answer, which is there and scored all the same.
    assert cases["TestLevels::test_target[q2]"] == {
        **cases["TestLevels::test_target[q2]"],
        **full,
        "passed": [0.0],
        "own": [1.0],
    }
    everywhere = {"of_module": [1.0], "hooked": [4.0], "brief": [1.0], "exact_match": [1.0]}
    assert cases["test_inline[q3]"] == {**cases["test_inline[q3]"], **everywhere}
    assert "polite" not in cases["test_inline[q3]"]
    missing: dict[str, list[float | None]] = {metric: [None] for metric in everywhere}
    assert cases["test_too_early"] == {"passed": [0.0], **missing}
    assert cases["test_provider"] == {"passed": [None], **missing}
    assert "test_skipped" not in cases
    assert {p["name"]: p["direction"] for p in report["policy"]}["length"] == "lower"

    result.stdout.fnmatch_lines_random(
        [
            "warning: broken: 2 of 2 values missing: KeyError: 'no such key'",
            "warning: toxic: 2 of 2 values missing: transformers cannot be imported: pip install *",
            "warning: of_module, hooked, brief, exact_match: 1 of 5 values missing: the test failed before it had *",
            "warning: of_module, hooked, brief, exact_match: 1 of 5 values missing: the provider failed",
        ]
    )
    (trace,) = [t for t in project.traces() if "[q1]" in t.info.tags["mlflow.test.name"]]
    found = scored(trace)
    assert found["polite"] == ("yes", "it greets", None)
    assert found["own"] == (True, "by hand", None)
    assert found["slow"][0] == 0.5
    assert found["broken"] == (None, None, "KeyError: 'no such key'")
    assert found["passed"][0] is True
    assert "toxic" not in found

    path = project.client.download_artifacts(project.runs()[-1].info.run_id, "genaiver/details.json")
    details = json.loads(Path(path).read_text(encoding="utf-8"))
    first = next(repeats for name, repeats in details.items() if "[q1]" in name)["0"]
    assert first["logged"] == {"seen": "q1"}
    assert first["rationales"] == {"own": "by hand", "polite": "it greets"}
    assert first["errors"]["broken"] == "KeyError: 'no such key'"


FLAKY = """
import os
import pytest
from app import ask

def flaky(inputs, outputs):
    if int(inputs["question"]) < int(os.environ["BROKEN"]):
        raise ValueError("not today")
    return True

@pytest.mark.genai_eval(target=ask, scorers=[flaky])
@pytest.mark.parametrize("question", [str(i) for i in range(10)])
def test_it(question, genai_case):
    pass
"""


@pytest.mark.parametrize(("broken", "verdict"), [(1, "pass"), (2, "inconclusive")])
def test_more_than_a_tenth_of_the_values_missing_decides_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch, broken: int, verdict: str
) -> None:
    monkeypatch.setenv("BROKEN", "0")
    project.commit(**{"test_app.py": FLAKY})
    assert project.run("--genai-repeats", "1").ret == 0
    project.commit("again")
    monkeypatch.setenv("BROKEN", str(broken))
    result, report = project.report("--genai-repeats", "1")
    assert result.ret == 0
    assert report["decision"]["metrics"]["flaky"]["verdict"] == verdict
    result.stdout.fnmatch_lines(["warning: flaky: * values missing: ValueError: not today"])


ONE = """
import pytest

def tone(outputs):
    return 1

@pytest.mark.genai_eval(scorers=[{scorer}])
def test_it(genai_case):
    genai_case.output = "x"
"""


@pytest.mark.parametrize(
    ("scorer", "conftest", "message"),
    [
        (
            "tone",
            "def pytest_genai_scorers(item): return {}[item]",
            "*test_it: pytest_genai_scorers failed: KeyError(*",
        ),
        (
            "tone",
            "def pytest_genai_scorers(): return len",
            "*test_it: pytest_genai_scorers returned builtin_*; return a*",
        ),
        (
            "tone",
            "def tone(inputs): return 2\ndef pytest_genai_scorers(): return [tone]",
            "*test_it: two different scorers of this case are called 'tone'; rename one of them",
        ),
        ("tone, 3", "", "*test_it: 3 (int) is no scorer: a scorer is a function*"),
    ],
)
def test_what_is_no_scorer_is_a_usage_error(project: Project, scorer: str, conftest: str, message: str) -> None:
    project.write("test_app.py", ONE.format(scorer=scorer))
    project.write("conftest.py", conftest)
    result = project.run()
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
    assert "Traceback" not in result.stderr.str()


def test_a_name_of_the_ini_file_that_leads_nowhere_is_a_usage_error(project: Project) -> None:
    project.write("test_app.py", ONE.format(scorer="tone"))
    result = project.run("-o", "genai_scorers=Corectness")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: genai_scorers: MLflow has no scorer or metric 'Corectness'; did you mean *"])


RERUN = """
import pytest

tries = []

def brief(outputs):
    return outputs

@pytest.mark.genai_eval(scorers=[brief])
def test_again(genai_case):
    tries.append(1)
    genai_case.output = len(tries)
    assert len(tries) == 2

@pytest.mark.genai_eval(scorers=[brief], repeats=3)
def test_repeats(genai_case):
    genai_case.output = genai_case.repeat

@pytest.mark.genai_eval(scorers=[brief])
def test_no_output(genai_case):
    pass
"""


def test_each_repeat_is_scored_and_of_reruns_the_last_attempt(project: Project) -> None:
    pytest.importorskip("pytest_rerunfailures")
    project.write("test_app.py", RERUN)
    result, report = project.report("--reruns", "1")
    assert result.ret == 0
    scores = {name.partition("::")[2]: case["scores"]["brief"] for name, case in report["cases"].items()}
    assert scores == {"test_again": [2.0], "test_repeats": [0.0, 1.0, 2.0], "test_no_output": [None]}
    result.stdout.fnmatch_lines(
        ["warning: brief: 1 of 5 values missing: the scorer gave no value (None) (the test set no genai_case.output)"]
    )
