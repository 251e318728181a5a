"""Secrets reach no store: in spans, events, tags, feedback, and what MLflow stores by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mlflow
import pytest

from pytest_genaiver.core.secrets import MASK, Mask

if TYPE_CHECKING:
    from conftest import TracingSession

KEY = "sk-proj-" + "aB3dE5gH7jK9mN1pQ3sT"
PASSWORD = 'horse "battery" staple'


@pytest.fixture
def masked(session: TracingSession) -> TracingSession:
    session.to.mask.learn([PASSWORD])
    return session


def leaks(trace: Any) -> list[str]:
    plain = str([s.to_dict() for s in trace.data.spans]) + str(trace.info)
    return [secret for secret in (KEY, PASSWORD, PASSWORD.replace('"', '\\"')) if secret in plain]


def test_nothing_of_a_stored_trace_holds_a_secret(masked: TracingSession) -> None:
    def body() -> str:
        mlflow.update_current_trace(tags={"tag": KEY}, metadata={"meta": PASSWORD})
        with mlflow.start_span(f"call {KEY}") as span:
            span.set_inputs({"headers": {"Authorization": f"Bearer {KEY}"}, "n": 12345678})
            span.set_outputs([PASSWORD])
            span.set_attribute("mlflow.chat.tokenUsage", {"input_tokens": 7, "output_tokens": 8, "total_tokens": 15})
            span.add_event(mlflow.entities.SpanEvent("e", attributes={"a": KEY}))
        raise ValueError(f"denied: {KEY}")

    score = mlflow.entities.Feedback(value="yes", rationale=f"it said {KEY}", metadata={"m": PASSWORD})
    failed = mlflow.entities.Feedback(error=ValueError(f"bad key {KEY}"))
    masked.run(body, scores={"good": score, "other": failed})
    masked.finish()

    (trace,) = masked.stored()
    assert leaks(trace) == []
    call = next(s for s in trace.data.spans if s.name == f"call {MASK}")
    assert call.inputs == {"headers": {"Authorization": f"Bearer {MASK}"}, "n": 12345678}
    assert call.outputs == [MASK]
    assert call.events[0].attributes["a"] == MASK
    assert trace.info.token_usage == {"input_tokens": 7, "output_tokens": 8, "total_tokens": 15}
    assert trace.info.tags["tag"] == MASK
    good, other = sorted(trace.info.assessments, key=lambda a: a.name)
    assert (good.rationale, good.metadata["m"]) == (f"it said {MASK}", MASK)
    assert other.error.error_message == f"bad key {MASK}"


def test_spans_are_masked_before_any_exporter_sees_them_though_the_app_has_its_own_processors(
    masked: TracingSession,
) -> None:
    seen: list[Any] = []

    def theirs(span: Any) -> None:
        span.set_attribute("theirs", True)

    def body() -> None:
        mlflow.tracing.configure(span_processors=[theirs])

    masked.run(body)
    with masked.tracer.open(masked.scope()), mlflow.start_span("plain") as span:
        span.set_inputs({"k": KEY})
    seen.append(span)
    assert seen[0].inputs == {"k": MASK}
    assert seen[0].get_attribute("theirs") is True
    masked.stop()
    assert mlflow.tracing.config.get_config().span_processors == [theirs]
    mlflow.tracing.configure(span_processors=[])


def test_what_holds_no_secret_is_not_touched() -> None:
    from pytest_genaiver.adapters.traces.feedback import feedback_of
    from pytest_genaiver.adapters.traces.masking import mask_feedback

    given = feedback_of("good", True, "why")
    mask_feedback(given, Mask())
    assert (given.value, given.rationale) == (True, "why")
