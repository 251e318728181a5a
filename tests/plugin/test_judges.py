"""Judges in a session: asked once about one output, paid apart from the app, and never waited for without end."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Project

SUITE = """
import pytest
from mlflow.genai.judges import make_judge
from app import ask

tone = make_judge(name="tone", instructions="Is {{ outputs }} polite?", model="openai:/gpt-4o-mini")

@pytest.mark.genai_eval(target=ask, scorers=[tone])
@pytest.mark.parametrize("question", ["q0", "q1", "q2"])
def test_target(question, genai_case):
    pass

@pytest.mark.genai_eval(scorers=[tone], repeats=2)
def test_inline(genai_case):
    genai_case.output = "good"
    with genai_case.judging():
        ask("judge me")
"""


class Asked:
    """Counts what the provider is asked as a judge, and as the app."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.judge = self.app = 0
        self.hang = threading.Event()
        self.hang.set()
        self.lock = threading.Lock()
        project.answers.rule = self.answer

    def answer(self, text: str, n: int) -> str:
        judges = not text.startswith(("q", "judge me"))
        with self.lock:
            self.judge += judges
            self.app += not judges
        if not judges:
            return "good"
        self.hang.wait()
        return json.dumps({"result": "yes", "rationale": "because"})

    def session(self, *args: str) -> tuple[pytest.RunResult, dict[str, list[float | None]], int]:
        """Its result, the judge's scores by test, and how often the judge was asked."""
        before = self.judge
        result, report = self.project.report(*args)
        scores = {name.partition("::")[2]: case["scores"]["tone"] for name, case in report.get("cases", {}).items()}
        return result, scores, self.judge - before


@pytest.fixture
def asked(project: Project) -> Iterator[Asked]:
    project.write("pytest.ini", (project.path / "pytest.ini").read_text().replace("filterwarnings = error\n", ""))
    project.commit("judged", **{"test_app.py": SUITE})
    found = Asked(project)
    yield found
    found.hang.set()


YES = {"test_target[q0]": [1.0], "test_target[q1]": [1.0], "test_target[q2]": [1.0], "test_inline": [1.0, 1.0]}


def test_a_judge_is_asked_once_about_an_output_in_this_session_and_in_later_ones(asked: Asked) -> None:
    project = asked.project
    first, scores, times = asked.session()
    assert (first.ret, scores, times) == (0, YES, 4), "the second repeat said the same"
    first.stdout.fnmatch_lines(
        [
            "genaiver: 4 cases to run, 5 runs in all and at most 5 by judges; baseline none",
            "app: 3 calls, * tokens, *",
            "judges: 6 calls, * tokens, *, 1 earlier answer reused",
        ]
    )
    again, scores, times = asked.session()
    assert (again.ret, scores, times) == (0, YES, 0)
    again.stdout.fnmatch_lines(["judges: 2 calls, * tokens, *, 5 earlier answers reused"])
    run = project.runs()[-1].info.run_id
    feedback = [a for t in project.traces(run_id=run) for a in t.info.assessments or () if a.name == "tone"]
    assert {(f.value, f.rationale, f.source.source_type, f.source.source_id) for f in feedback} == {
        ("yes", "because", "LLM_JUDGE", "openai:/gpt-4o-mini")
    }
    assert {(f.metadata or {}).get("genaiver.reused") for f in feedback} == {"true"}
    assert len(feedback) == 5

    project.commit("a new version", **{"notes.txt": "nothing that an output depends on"})
    later, scores, times = asked.session()
    assert (later.ret, scores, times) == (0, YES, 0), "the baseline's judge has judged them"

    anew, scores, times = asked.session("--genai-rejudge")
    assert (anew.ret, scores, times) == (0, YES, 5), "also within the session"
    anew.stdout.fnmatch_lines(["judges: 7 calls, * tokens, *"])
    anew.stdout.no_fnmatch_line("*reused*")

    project.commit("another judge", **{"test_app.py": SUITE.replace("polite", "very polite")})
    other, scores, times = asked.session()
    assert (other.ret, scores, times) == (0, YES, 4)
    other.stdout.fnmatch_lines(["warning: tone was measured by another judge, * not compared*"])


@pytest.mark.story
def test_workers_know_what_judges_have_said(asked: Asked) -> None:
    asked.session()
    before = asked.judge
    result = asked.project.run("-n1", "--genai-report", "out.json")
    assert result.ret == 0
    assert asked.judge == before
    result.stdout.fnmatch_lines(["judges: 2 calls, * tokens, *, 5 earlier answers reused"])
    report = json.loads((asked.project.path / "out.json").read_text())
    assert [case["scores"]["tone"] for case in report["cases"].values()] == list(YES.values())


def test_a_dead_endpoint_is_named_and_not_waited_for(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing listens on the discard port; the app's own client has its URL from the environment.
    dead = 'model="openai:/gpt-4o-mini", base_url="http://127.0.0.1:9/v1/chat/completions"'
    asked.project.commit("dead", **{"test_app.py": SUITE.replace('model="openai:/gpt-4o-mini"', dead)})
    start = time.monotonic()
    result, scores, times = asked.session()
    assert (result.ret, times) == (0, 0)
    assert {value for values in scores.values() for value in values} == {None}
    assert time.monotonic() - start < 30, "MLflow itself asks a dead endpoint for minutes"
    result.stdout.fnmatch_lines(
        [
            "judges: 2 calls, *",
            "warning: tone: * values missing: http://127.0.0.1:9 does not answer (*), so the judge tone *",
        ]
    )


def test_a_judge_that_hangs_is_given_up(asked: Asked) -> None:
    asked.hang.clear()
    result, scores, times = asked.session("-o", "genai_call_timeout=0.5", "--genai-repeats", "1")
    assert result.ret == 0
    assert times
    assert {value for values in scores.values() for value in values} == {None}
    result.stdout.fnmatch_lines(["warning: tone: * values missing: the call took longer than genai_call_timeout *"])
    asked.hang.set()
    result, scores, times = asked.session()
    assert (result.ret, scores) == (0, YES), "what was not answered is asked again"
    assert times == 4


def test_an_interrupted_session_waits_for_no_judge(asked: Asked) -> None:
    asked.hang.clear()
    stop = '\ndef test_stop():\n    pytest.exit("enough")\n'
    asked.project.commit("stopped", **{"test_app.py": SUITE + stop})
    start = time.monotonic()
    result, scores, _ = asked.session()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert time.monotonic() - start < 30
    assert {value for values in scores.values() for value in values} == {None}
    result.stdout.fnmatch_lines(
        ["warning: tone: * values missing: the session ended before the scorer answered", "*cut short (interrupted*"]
    )


def test_what_judges_cost_counts_against_the_limit_and_functions_go_on(asked: Asked) -> None:
    suite = SUITE.replace("scorers=[tone]", "scorers=[tone, brief]").replace(
        "@pytest", "def brief(outputs):\n    return 1\n\n@pytest", 1
    )
    asked.project.commit("limited", **{"test_app.py": suite})
    result, report = asked.project.report("--genai-max-cost", "0.00003", "--genai-concurrency", "1", "-k", "target")
    assert result.ret == 0
    ran = [case["scores"] for case in report["cases"].values()]
    assert ran
    assert all(scores["brief"] == [1.0] for scores in ran)
    assert any(scores["tone"] == [None] for scores in ran) or len(ran) < 3
    assert report["session"]["cut_short"].startswith("the known cost has reached --genai-max-cost, 3e-05 USD")
