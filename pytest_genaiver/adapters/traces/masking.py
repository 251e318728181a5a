"""Secrets in spans and feedback, masked before anybody exports them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.traces import internals

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.entities import LiveSpan

    from pytest_genaiver.core.secrets import Mask


def span_processor(mask: Mask) -> Callable[[LiveSpan], None]:
    """For `mlflow.tracing.configure(span_processors=[...])`: masks a span as it ends.

    Traces that the session holds back are masked once more before they are written: this one is for those that MLflow
    stores by itself (within `mlflow.genai.evaluate`), and for whatever else the user exports spans to.
    """

    def mask_span(span: LiveSpan) -> None:
        for name, written in internals.written_attributes(span).items():
            if isinstance(written, str) and (masked := mask.text(written)) is not written:
                internals.write_attribute(span, name, masked)

    return mask_span


def mask_feedback(feedback: Any, mask: Mask) -> None:
    """Mask what a judge, a scorer or a test wrote beside its number."""
    feedback.rationale = mask.plain(feedback.rationale)
    feedback.metadata = mask.plain(feedback.metadata)
    if isinstance(feedback.value, (str, list, dict)):
        feedback.value = mask.plain(feedback.value)
    if (error := feedback.error) is not None:
        error.error_message = mask.plain(error.error_message)
        error.stack_trace = mask.plain(error.stack_trace)
