"""What a scorer returned, as scores and as feedback for the trace."""

from __future__ import annotations

import math
import traceback
from typing import TYPE_CHECKING, Any

from pytest_genaiver.core.scores import is_feedback, score_name
from pytest_genaiver.core.scoring import Scored, one_line, plain, rating, shown
from pytest_genaiver.errors import ScoreError

if TYPE_CHECKING:
    from typing import TypeAlias

    from mlflow.entities import Feedback

    Answer: TypeAlias = tuple[Scored, Feedback | None]

_UNNAMED = "feedback"  # MLflow's name for a Feedback without one
_ERROR_CODE = "SCORER_ERROR"  # as mlflow.genai.evaluate writes it
_STACK = 1000


def answers(name: str, result: object) -> list[Answer]:
    """One answer a name, in the order in which they came; a scorer may name further ones by its feedback.

    Several feedbacks of one name (a judgement of each retrieved chunk) are one score: their mean. Raises ScoreError
    for what no scorer may return.
    """
    if result is None or (isinstance(result, (list, tuple)) and not result):
        return [(Scored(name=name, value=None, error=f"the scorer gave no value ({result!r})"), None)]
    named: dict[str, list[Any]] = {}
    for feedback in _feedbacks(name, result):
        named.setdefault(_name_of(name, feedback), []).append(feedback)
    return [_answer(each, feedbacks) for each, feedbacks in named.items()]


def failed(name: str, error: BaseException) -> Answer:
    """The missing value of a scorer that raised, and its error as feedback."""
    from mlflow.entities import AssessmentError, AssessmentSource, Feedback

    line = error_line(error)
    stack = "".join(traceback.format_exception(type(error), error, error.__traceback__))[-_STACK:]
    kept = AssessmentError(
        error_code=_ERROR_CODE,
        error_message=line,
        stack_trace=stack.encode("utf-8", "replace").decode("utf-8"),
    )
    source = AssessmentSource(source_type="CODE", source_id=name)
    return Scored(name=name, value=None, error=line), Feedback(name=name, error=kept, source=source)


def error_line(error: BaseException) -> str:
    """`ValueError: no such key`; MLflow's and our own errors speak for themselves."""
    text = one_line(str(error))
    kind = type(error).__name__
    if kind in {"MlflowException", "ScoreError"} and text:
        return text
    return one_line(f"{kind}: {text}") if text else kind


def _feedbacks(name: str, result: object) -> list[Any]:
    from mlflow.entities import AssessmentSource, Feedback

    many = list(result) if isinstance(result, (list, tuple)) else [result]
    if all(map(is_feedback, many)):
        return many
    value = plain(result)
    if not isinstance(value, (bool, int, float, str)):
        raise ScoreError(
            f"the scorer {name!r} returned {shown(result)}, but a scorer must return a bool, a number, a word, "
            f"an MLflow Feedback or a list of Feedback"
        )
    return [Feedback(name=name, value=value, source=AssessmentSource(source_type="CODE", source_id=name))]


def _name_of(scorer: str, feedback: Any) -> str:
    name = feedback.name
    return scorer if name in {_UNNAMED, scorer} else score_name(name)


def _answer(name: str, feedbacks: list[Any]) -> Answer:
    scores = [_scored(name, f) for f in feedbacks]
    if len(scores) == 1:
        return scores[0], _copied(name, feedbacks[0])
    first = next((s for s in scores if s.value is None), None)
    known = [s.value for s in scores if s.value is not None]
    rationale = "\n".join(s.rationale for s in scores if s.rationale) or None
    if first is not None:
        return Scored(name=name, value=None, rationale=rationale, error=first.error), None
    mean = math.fsum(known) / len(known)
    return (
        Scored(name=name, value=mean, rationale=rationale),
        _copied(name, feedbacks[0], value=mean, rationale=rationale),
    )


def _scored(name: str, feedback: Any) -> Scored:
    rationale = feedback.rationale or None
    if feedback.error is not None:
        error = feedback.error.error_message or feedback.error.error_code
        return Scored(name=name, value=None, rationale=rationale, error=one_line(error))
    try:
        value = rating(name, feedback.value)
    except ScoreError as wrong:
        return Scored(name=name, value=None, rationale=rationale, error=one_line(str(wrong)))
    error = None if value is not None else one_line(f"the scorer does not know: it answered {shown(feedback.value)}")
    return Scored(name=name, value=value, rationale=rationale, error=error)


def _copied(name: str, feedback: Any, **changed: Any) -> Feedback:
    """A feedback like this one: what a scorer returned is its own, it may return it again."""
    from mlflow.entities import Feedback

    kept = {"value": plain(feedback.value), "rationale": feedback.rationale, "error": feedback.error} | changed
    metadata = {str(k): str(v) for k, v in (feedback.metadata or {}).items() if v is not None}
    return Feedback(
        name=name,
        source=feedback.source,
        metadata=metadata or None,
        span_id=feedback.span_id if not changed else None,
        **kept,
    )
