"""Scores as MLflow feedback on a trace."""

from __future__ import annotations

from typing import Any

from pytest_genaiver.adapters.traces.storable import clean, text_of

_SOURCE = "pytest-genaiver"


def feedback_of(name: str, value: object, rationale: str | None = None) -> Any:
    """A feedback named like its metric, holding the value as it was given: a bool stays a bool.

    Of an MLflow Feedback the value, error, source, metadata and rationale are kept.
    """
    from mlflow.entities import AssessmentSource, Feedback

    if isinstance(value, Feedback):
        return Feedback(
            name=name,
            value=clean(value.value),
            error=value.error,
            source=value.source,
            metadata={str(k): text_of(v) for k, v in (value.metadata or {}).items()},
            rationale=clean(value.rationale if rationale is None else rationale),
        )
    source = AssessmentSource(source_type="CODE", source_id=_SOURCE)
    return Feedback(name=name, value=_plain(value), rationale=clean(rationale), source=source)


def judged_before(name: str, value: float | str, rationale: str | None, *, model: str) -> Any:
    """What a judge said of the same output before: marked, so that nobody takes it for a call that was made."""
    from mlflow.entities import AssessmentSource, Feedback

    return Feedback(
        name=name,
        value=clean(value),
        rationale=clean(rationale),
        source=AssessmentSource(source_type="LLM_JUDGE", source_id=model),
        metadata={"genaiver.reused": "true"},
    )


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
