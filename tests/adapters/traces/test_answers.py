"""What an app answered, read from its trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mlflow
import pytest

from pytest_genaiver.adapters.traces.answers import answer_of

if TYPE_CHECKING:
    from conftest import App, TracingSession


def test_the_last_call_that_the_test_made_is_the_answer(session: TracingSession, app: App) -> None:
    def body() -> None:
        app.ask("first")
        with mlflow.start_span("agent") as span:
            app.ask("within")
            span.set_outputs({"reply": "we open at nine"})

    ran = session.run(body)
    assert answer_of(session.tracer.trace_of(ran.scope)) == {"reply": "we open at nine"}
    ran = session.run(lambda: app.ask() and None)
    assert answer_of(session.tracer.trace_of(ran.scope)) == "good"
    session.finish()


def test_where_nothing_was_called_nothing_was_answered(session: TracingSession) -> None:
    ran = session.run(lambda: None)
    assert answer_of(session.tracer.trace_of(ran.scope)) is None
    assert answer_of(None) is None


@pytest.mark.parametrize(
    ("outputs", "answer"),
    [
        ({"content": [{"type": "text", "text": "hi"}]}, "hi"),
        ({"output": [{"type": "reasoning"}, {"content": [{"text": "hi"}]}]}, "hi"),
        ({"candidates": [{"content": {"parts": [{"text": "hi"}]}}]}, "hi"),
        ({"choices": []}, {"choices": []}),
        ({"choices": [{"message": {"content": None}}]}, {"choices": [{"message": {"content": None}}]}),
        ("plain", "plain"),
    ],
)
def test_a_models_text_is_taken_out_of_its_response(session: TracingSession, outputs: Any, answer: Any) -> None:
    def body() -> None:
        with mlflow.start_span("model") as span:
            span.set_outputs(outputs)

    ran = session.run(body)
    assert answer_of(session.tracer.trace_of(ran.scope)) == answer
