"""Judges that a test asks in its own body: apart from the app, whether the test says so or MLflow is called."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Project

SUITE = """
import time
import pytest
from mlflow.genai.judges import make_judge, meets_guidelines
from mlflow.genai.scorers import scorer
from app import ask

tone = make_judge(name="tone", instructions="Is {{ outputs }} polite?", model="openai:/gpt-4o-mini")

@scorer
def own(outputs):
    time.sleep(0.2)
    return ask("judge " + outputs) == "good"

@pytest.mark.genai_eval
def test_said(genai_case):
    ask("q")
    with genai_case.judging():
        time.sleep(0.2)
        ask("judge me")

@pytest.mark.genai_eval
@pytest.mark.asyncio
async def test_said_in_a_coroutine(genai_case):
    ask("q")
    async with genai_case.judging():
        time.sleep(0.2)
        ask("judge me")

@pytest.mark.genai_eval
def test_scorer(genai_case):
    genai_case.score("own", own(outputs=ask("q")))

@pytest.mark.genai_eval
def test_judge(genai_case):
    genai_case.score("tone", tone(outputs=ask("q")))

@pytest.mark.genai_eval
def test_function(genai_case):
    reply = ask("q")
    found = meets_guidelines(guidelines="Be polite.", context={"reply": reply}, model="openai:/gpt-4o-mini")
    genai_case.score("polite", found)

def guarded(question):
    reply = ask(question)
    return reply if own(outputs=reply) else "sorry"

@pytest.mark.genai_eval(target=guarded)
@pytest.mark.parametrize("question", ["q"])
def test_target(question, genai_case):
    assert own(outputs=genai_case.output)
"""
APART = ["test_said", "test_said_in_a_coroutine", "test_scorer", "test_judge", "test_function"]


def test_the_judges_of_a_body_are_no_part_of_the_app(project: Project) -> None:
    ini = (project.path / "pytest.ini").read_text().replace("filterwarnings = error\n", "")
    project.commit(**{"test_app.py": SUITE, "pytest.ini": ini})
    answer = json.dumps({"result": "yes", "rationale": "because"})
    project.answers.rule = lambda text, n: "good" if text == "q" or text.startswith("judge ") else answer
    result, report = project.report()
    assert result.ret == 0, result.outlines
    scores = {name.partition("::")[2]: case["scores"] for name, case in report["cases"].items()}
    (app,) = {scores[name]["total_tokens"][0] for name in APART}
    (of_input,) = {scores[name]["input_tokens"][0] for name in APART}
    assert of_input < app < 20
    assert max(scores[name]["latency"][0] for name in APART) < 0.2
    # What guards the app's own answer is the app's; what the body asks afterwards is not.
    guarded = scores["test_target[q]"]
    assert app < guarded["total_tokens"][0] < 3 * app
    assert guarded["latency"][0] > 0.2
    assert (scores["test_judge"]["tone"], scores["test_function"]["polite"]) == ([1.0], [1.0])
    result.stdout.fnmatch_lines(["app: 7 calls, * tokens, *", "judges: 6 calls, * tokens, *"])


LOGGED = """
import pytest
from decimal import Decimal
from app import ask

class Client:
    pass

@pytest.mark.genai_eval(expectations={"topic": "none yet"})
def test_inline(genai_case):
    ask("q")
    genai_case.log(chunks=["a", "b"], price=Decimal("0.10"), client=Client())
    genai_case.log(seed=7, key="sk-proj-" + "Ab3dEf6h" * 6)
    genai_case.expectations["topic"] = "billing"

@pytest.mark.genai_eval(target=ask)
@pytest.mark.parametrize("question", ["q"])
def test_target(question, genai_case):
    genai_case.log(length=len(genai_case.output))
"""


def test_what_a_test_logs_and_expects_is_on_the_trace_and_beside_the_case(project: Project) -> None:
    project.commit(**{"test_app.py": LOGGED})
    _, report = project.report()
    attributes = {
        t.info.tags["mlflow.test.name"].partition("::")[2]: next(s for s in t.data.spans if s.parent_id is None)
        for t in project.traces()
    }
    logged = {"chunks": ["a", "b"], "price": "<Decimal: 0.10>", "client": "<Client>", "seed": 7, "key": "[masked]"}
    assert attributes["test_inline"].get_attribute("genaiver.logged") == logged
    assert attributes["test_inline"].get_attribute("genaiver.expectations") == {"topic": "billing"}
    assert attributes["test_target[q]"].get_attribute("genaiver.logged") == {"length": 4}
    assert attributes["test_target[q]"].get_attribute("genaiver.expectations") is None
    (details,) = project.path.glob("**/details.json")
    found = json.loads(details.read_text())["test_app.py::test_inline"]["0"]
    assert (found["logged"], found["expectations"]) == (logged, {"topic": "billing"})
    assert report["cases"]["test_app.py::test_inline"]["digest"]
