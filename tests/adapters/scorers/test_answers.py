"""What a scorer returned, as scores and feedback."""

from __future__ import annotations

import enum
from decimal import Decimal

import numpy as np
import pytest
from mlflow.entities import AssessmentSource, Feedback
from mlflow.genai.judges import CategoricalRating

from pytest_genaiver.adapters.scorers.answers import answers
from pytest_genaiver.errors import ScoreError


class Mood(enum.Enum):
    KIND = "yes"


@pytest.mark.parametrize(
    ("result", "value", "kept"),
    [
        (True, 1.0, True),
        (0.5, 0.5, 0.5),
        ("no", 0.0, "no"),
        (np.float64(0.5), 0.5, 0.5),
        (np.bool_(False), 0.0, False),
        (Mood.KIND, 1.0, "yes"),
        (CategoricalRating.NO, 0.0, "no"),
    ],
)
def test_a_plain_value_is_a_score_and_a_feedback_of_the_scorers_name(
    result: object, value: float, kept: object
) -> None:
    ((score, feedback),) = answers("s", result)
    assert (score.name, score.value) == ("s", value)
    assert (feedback.name, feedback.value, type(feedback.value)) == ("s", kept, type(kept))


def test_a_feedback_keeps_what_it_says_and_is_not_changed() -> None:
    source = AssessmentSource(source_type="LLM_JUDGE", source_id="openai:/gpt-4o")
    given = Feedback(value=CategoricalRating.YES, rationale="why", source=source, metadata={"tokens": 3, "no": None})
    ((score, feedback),) = answers("kind", given)
    assert (score.name, score.value, score.rationale) == ("kind", 1.0, "why")
    assert (feedback.name, feedback.value, feedback.rationale, feedback.source) == ("kind", "yes", "why", source)
    assert type(feedback.value) is str
    assert feedback.metadata == {"tokens": "3"}
    assert given.name == "feedback"


def test_an_error_of_the_scorers_own_is_kept() -> None:
    ((score, feedback),) = answers("s", Feedback(error=ValueError("no\nanswer")))
    assert (score.value, score.error) == (None, "no answer")
    assert feedback.error.error_message == "no\nanswer"


def test_an_answer_without_a_number_is_missing_and_stays_on_the_trace() -> None:
    ((unknown, first), (odd, second)) = answers(
        "s", [Feedback(value=CategoricalRating.UNKNOWN), Feedback(name="grade", value="B+", rationale="nearly")]
    )
    assert (unknown.value, unknown.error) == (
        None,
        "the scorer does not know: it answered <CategoricalRating.UNKNOWN: 'unknown'> (CategoricalRating)",
    )
    assert (first.name, first.value) == ("s", "unknown")
    assert odd.value is None
    assert odd.rationale == "nearly"
    assert "'B+'" in (odd.error or "")
    assert (second.name, second.value) == ("grade", "B+")


def test_several_feedbacks_of_one_name_are_their_mean() -> None:
    chunks = [Feedback(name="relevance", value=v, rationale=r, span_id="1") for v, r in (("yes", "a"), ("no", "b"))]
    ((score, feedback),) = answers("s", chunks)
    assert (score.name, score.value, score.rationale) == ("relevance", 0.5, "a\nb")
    assert (feedback.name, feedback.value, feedback.rationale, feedback.span_id) == ("relevance", 0.5, "a\nb", None)


def test_a_mean_without_one_of_its_values_is_missing() -> None:
    ((score, feedback),) = answers("s", [Feedback(value=True), Feedback(error=ValueError("down"))])
    assert (score.value, score.error, feedback) == (None, "down", None)


@pytest.mark.parametrize("result", [None, [], ()])
def test_nothing_is_a_missing_value(result: object) -> None:
    ((score, feedback),) = answers("s", result)
    assert (score.name, score.value, feedback) == ("s", None, None)
    assert score.error == f"the scorer gave no value ({result!r})"


@pytest.mark.parametrize("result", [{"a": 1}, [1, 2], Decimal(1), [Feedback(value=1), 2], object()])
def test_what_no_scorer_may_return_is_said(result: object) -> None:
    with pytest.raises(ScoreError, match=r"the scorer 's' returned .* but a scorer must return a bool"):
        answers("s", result)


def test_a_feedback_may_not_take_a_measured_name() -> None:
    with pytest.raises(ScoreError, match="cannot be named 'cost'"):
        answers("s", Feedback(name="cost", value=1))
