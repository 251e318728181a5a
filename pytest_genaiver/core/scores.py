"""What counts as a score."""

from __future__ import annotations

from typing import Any

from pytest_genaiver.core.scoring import number, plain, rating, shown
from pytest_genaiver.errors import ScoreError

MEASURED = ("passed", "latency", "input_tokens", "output_tokens", "total_tokens", "cost")


def score_name(name: object) -> str:
    """The name itself. Raises ScoreError for one that is empty, no text, or measured by the plugin."""
    __tracebackhide__ = True  # the test's own line is what matters
    if not isinstance(name, str) or not name.strip():
        raise ScoreError(f"a score's name is {name!r}, but it must be a text that is not empty")
    if name in MEASURED:
        raise ScoreError(
            f"a score cannot be named {name!r}, which is measured for every case; choose another name, "
            f"not one of {', '.join(MEASURED)}"
        )
    return name


def score_value(name: str, value: object) -> float | None:
    """A bool, a finite number, a numpy scalar of either, or an MLflow Feedback, as a number; bools are 1 and 0.

    None only for a Feedback that holds an error, or says that it does not know: its value is missing.
    Raises ScoreError for all else.
    """
    __tracebackhide__ = True
    if is_feedback(value):
        return _feedback_value(name, value)
    value = plain(value)
    found = number(value)
    if found is None:
        raise ScoreError(
            f"score {name!r} is {shown(value)}, but a score must be a bool, a finite number or an MLflow Feedback"
        )
    return found


def is_feedback(value: object) -> bool:
    """Whether this is an `mlflow.entities.Feedback`; MLflow is not imported to ask."""
    return any(c.__name__ == "Feedback" and c.__module__.startswith("mlflow.") for c in type(value).__mro__)


def _feedback_value(name: str, feedback: Any) -> float | None:
    __tracebackhide__ = True
    if feedback.error is not None:
        return None
    value = feedback.value
    if is_feedback(value):
        raise ScoreError(f"score {name!r} is a Feedback that holds a Feedback; give the inner one")
    return rating(name, value)
