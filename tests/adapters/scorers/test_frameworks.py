"""Scorers of DeepEval, Ragas and Phoenix as MLflow wraps them, where the package is installed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters.scorers.named import named
from pytest_genaiver.adapters.scorers.resolve import resolve

if TYPE_CHECKING:
    from conftest import JudgeServer, Needs, Only, SampleMaker

pytestmark = pytest.mark.filterwarnings("ignore")  # the frameworks' own, while they are imported


def no_trace() -> None:
    """Wrapped scorers look into the trace for what was retrieved."""


@pytest.fixture(autouse=True)
def no_telemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPEVAL_TELEMETRY_OPT_OUT", "YES")
    monkeypatch.setenv("RAGAS_DO_NOT_TRACK", "true")


def relevancy(asked: str) -> object:
    """Answers DeepEval's three questions about the relevancy of an answer that says whether it is relevant."""
    verdict = "no" if "beside the point" in asked else "yes"
    return {
        "statements": [asked.partition("Text:")[2] or asked],
        "verdicts": [{"verdict": verdict}],
        "reason": verdict,
    }


def test_a_judge_of_deepeval(needs: Needs, judge: JudgeServer, sample: SampleMaker, only: Only) -> None:
    needs("deepeval")
    judge.answer = relevancy
    found = resolve(named("mlflow.genai.scorers.deepeval:AnswerRelevancy"))
    assert (found.name, found.judge, found.endpoint) == ("AnswerRelevancy", True, judge.base_url)
    score, feedback = only(found, sample("to the point", trace=no_trace))
    assert (score.name, score.value, score.error) == ("AnswerRelevancy", 1.0, None)
    assert (feedback.value, feedback.metadata["score"]) == ("yes", "1.0")
    assert len(judge.asked) == 3


def test_deepevals_metrics_keep_their_result_and_yet_many_threads_may_score(
    needs: Needs, judge: JudgeServer, sample: SampleMaker, only: Only
) -> None:
    needs("deepeval")
    judge.answer = relevancy
    found = resolve(named("mlflow.genai.scorers.deepeval:AnswerRelevancy"))
    outputs = ["to the point" if n % 2 == 0 else "beside the point" for n in range(24)]
    with ThreadPoolExecutor(8) as pool:
        scored = list(pool.map(lambda o: only(found, sample(o, trace=no_trace))[0].value, outputs))
    assert scored == [1.0 if n % 2 == 0 else 0.0 for n in range(24)]


def test_a_scorer_of_deepeval_that_asks_nobody(needs: Needs, sample: SampleMaker, only: Only) -> None:
    needs("deepeval")
    from mlflow.genai.scorers.deepeval import ExactMatch

    found = resolve(ExactMatch())
    assert (found.judge, found.model) == (False, None)
    score, _ = only(found, sample("same", expectations={"expected_output": "same"}, trace=no_trace))
    assert score.value == 1.0
    assert found.fingerprint == resolve(ExactMatch()).fingerprint
    assert found.fingerprint != resolve(ExactMatch(threshold=0.1)).fingerprint


def test_scorers_of_ragas(needs: Needs, judge: JudgeServer, sample: SampleMaker, only: Only) -> None:
    needs("ragas")
    from mlflow.genai.scorers.ragas import AspectCritic, ExactMatch

    judge.answer = lambda asked: {"reason": "kind", "verdict": 1}
    critic = resolve(AspectCritic(name="kind", definition="Is it kind?"))
    assert (critic.judge, critic.endpoint) == (True, judge.base_url)
    assert only(critic, sample(trace=no_trace))[0].value == 1.0
    exact = resolve(ExactMatch())
    assert exact.judge is False
    assert only(exact, sample("a", expectations={"expected_output": "b"}, trace=no_trace))[0].value == 0.0


def test_what_a_scorer_of_ragas_lacks_is_a_missing_value(
    needs: Needs, judge: JudgeServer, sample: SampleMaker, only: Only
) -> None:
    needs("ragas")
    found = resolve(named("mlflow.genai.scorers.ragas:Faithfulness"))
    score, _ = only(found, sample(trace=no_trace))
    assert score.value is None
    assert "requires 'trace with retrieval spans'" in (score.error or "")


@pytest.mark.parametrize(("label", "value"), [("factual", 1.0), ("hallucinated", 0.0), ("who knows", None)])
def test_a_label_of_phoenix_is_a_number_by_its_good_side(
    needs: Needs, label: str, value: float | None, judge: JudgeServer, sample: SampleMaker, only: Only
) -> None:
    needs("phoenix")
    judge.answer = lambda asked: f"EXPLANATION: so. LABEL: {label}"
    found = resolve(named("mlflow.genai.scorers.phoenix:Hallucination"))
    assert (found.name, found.judge) == ("Hallucination", True)
    given = sample(expectations={"context": "Refunds take five days."}, trace=no_trace)
    score, _ = only(found, given)
    assert score.value == value
    assert (score.error is None) == (value is not None)
