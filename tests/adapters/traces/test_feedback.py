"""Scores as MLflow feedback."""

from __future__ import annotations

import numpy as np
import pytest
from mlflow.entities import AssessmentSource, Feedback

from pytest_genaiver.adapters.traces.feedback import feedback_of


@pytest.mark.parametrize("value", [True, False, 0, 3, 0.5])
def test_a_value_keeps_its_type(value: float) -> None:
    made = feedback_of("good", value, "because")
    assert (made.name, made.value, type(made.value), made.rationale) == ("good", value, type(value), "because")
    assert (made.source.source_type, made.source.source_id) == ("CODE", "pytest-genaiver")


@pytest.mark.parametrize("value", [np.bool_(True), np.int64(3), np.float32(0.5)])
def test_a_numpy_scalar_becomes_a_python_one(value: np.generic) -> None:
    made = feedback_of("good", value)
    assert type(made.value) in (bool, int, float)
    assert made.value == value


def test_a_judges_feedback_keeps_what_it_says_under_the_metrics_name() -> None:
    source = AssessmentSource(source_type="LLM_JUDGE", source_id="gpt-4o")
    given = Feedback(name="its own", value="yes", source=source, rationale="why", metadata={"cost": "1"})
    made = feedback_of("good", given)
    assert (made.name, made.value, made.rationale) == ("good", "yes", "why")
    assert made.source == source
    assert made.metadata == {"cost": "1"}
    assert feedback_of("good", given, "better why").rationale == "better why"


def test_a_judges_error_is_kept() -> None:
    given = Feedback(name="good", error=ValueError("no answer"))
    assert feedback_of("good", given).error.error_message == "no answer"
