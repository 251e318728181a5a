"""`--genai-rescore-baseline`: what the baseline answered is judged anew where today's judge is another."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project

SUITE = """
import pytest
from mlflow.genai.judges import make_judge
from app import ask

polite = make_judge(name="polite", instructions="WORDS {{ outputs }}", model="openai:/gpt-4o-mini")

@pytest.mark.genai_eval(scorers=[polite])
@pytest.mark.parametrize("question", [f"q{i}" for i in range(10)])
def test_answer(question, genai_case):
    genai_case.output = ask(question)
"""


@pytest.fixture
def judged(project: Project) -> Project:
    """A project with one recorded session, whose judge then was reworded."""

    def answer(text: str, n: int) -> str:
        if text.startswith("q"):
            return "good"
        return json.dumps({"result": "yes", "rationale": "so it is"})

    project.answers.rule = answer
    project.commit("judge", **{"test_app.py": SUITE.replace("WORDS", "Is this polite?")})
    assert project.run().ret == 0
    project.commit("reworded", **{"test_app.py": SUITE.replace("WORDS", "Is this very polite?")})
    return project


def test_values_of_another_judge_are_not_compared_unless_the_outputs_are_judged_anew(judged: Project) -> None:
    result, report = judged.report()
    result.stdout.fnmatch_lines(["warning: polite was measured by another judge, * not compared*"])
    assert report["decision"]["metrics"]["polite"]["baseline"] is None
    judged.commit("again", **{"notes.txt": "a change"})
    before = judged.llm.requests
    result, report = judged.report("--genai-rescore-baseline", "--genai-baseline", "HEAD~2")
    assert result.ret == 0
    assert report["decision"]["metrics"]["polite"]["baseline"] == 1.0
    result.stdout.no_fnmatch_line("*measured by another judge*")
    result.stdout.fnmatch_lines(["genaiver: the baseline was judged anew, 10 calls", "judges: 0 calls, 10 earlier *"])
    assert judged.llm.requests == before + 20, "ten answers of the app, ten of the baseline's are judged"


def test_it_needs_the_process_that_holds_the_scorers(project: Project) -> None:
    result = project.run("--genai-rescore-baseline", "-n1")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: --genai-rescore-baseline cannot be used with pytest-xdist; run it without -n"]
    )
