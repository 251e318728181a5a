"""What apps put into their traces reaches the store, odd, large or binary."""

from __future__ import annotations

import base64
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import mlflow

from pytest_genaiver.adapters.traces import internals

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from conftest import TracingSession


def spans(*names: str) -> Callable[[], None]:
    def body() -> None:
        for name in names:
            with mlflow.start_span(name):
                pass

    return body


def test_what_a_store_cannot_take_is_made_storable(session: TracingSession) -> None:
    thread = uuid.uuid4()

    def body() -> None:
        mlflow.update_current_trace(tags={"tag\udc00": "t\udc00"})
        with mlflow.start_span("surrogate \udcff") as span:
            span.set_inputs({"q\udcff": "\udcff", "bytes": b"\xff\x00", "nan": float("nan"), "u": thread})
            span.set_outputs("é\udcff")
            span.set_attribute("k", {"deep": ["\udcff"]})
            span.add_event(mlflow.entities.SpanEvent("e\udcff", attributes={"a": "\udcff"}))
            span.set_attribute("clean", "é")
        span = mlflow.get_current_active_span()
        with internals.manager().get_trace(span.trace_id) as trace:
            trace.info.trace_metadata.update({"mlflow.trace.session": thread, 7: 8, "none": None})
            trace.info.tags["thread"] = thread

    score = mlflow.entities.Feedback(value=1.0, rationale="why \udcff", metadata={"n": 7})  # type: ignore[dict-item]
    ran = session.run(body, scores={"good": score})
    session.finish()

    assert ran.error is None
    (trace,) = session.stored()
    assert trace.info.trace_metadata["mlflow.trace.session"] == str(thread)
    assert trace.info.trace_metadata["7"] == "8"
    assert "none" not in trace.info.trace_metadata
    assert trace.info.tags["thread"] == str(thread)
    assert trace.info.tags["tag?"] == "t?"
    inner = trace.data.spans[1]
    assert inner.name == "surrogate ?"
    assert inner.inputs["q?"] == "?"
    assert inner.outputs == "é?"
    assert inner.get_attribute("clean") == "é"
    assert inner.get_attribute("k") == {"deep": ["?"]}
    (stored,) = trace.info.assessments
    assert (stored.name, stored.value, stored.rationale, stored.metadata["n"]) == ("good", 1.0, "why ?", "7")


def test_large_outputs_are_stored_whole(session: TracingSession) -> None:
    for i in range(6):
        session.run(lambda: "x" * 2_000_000, name=f"test_{i}")
    session.finish()

    stored = session.stored()
    assert len(stored) == 6
    assert all(len(t.data.spans[0].outputs) == 2_000_000 for t in stored)


def test_large_outputs_are_written_a_few_at_a_time(session: TracingSession, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow.tracing.client import TracingClient

    counts: list[int] = []
    real = TracingClient.log_spans

    def counted(client: TracingClient, location: str, spans: list[Any]) -> Any:
        counts.append(len(spans))
        return real(client, location, spans)

    monkeypatch.setattr(TracingClient, "log_spans", counted)
    for i in range(6):
        session.run(lambda: "x" * 2_000_000, name=f"test_{i}")
    for i in range(10):
        session.run(spans(*["s"] * 60), name=f"test_small_{i}")
    session.finish()

    assert sum(counts) == 6 + 10 * 61
    assert max(counts) <= 500
    assert counts[0] <= 4


def test_attachments_are_stored_with_their_trace(session: TracingSession) -> None:
    picture = "data:image/png;base64," + base64.b64encode(b"\x89PNG" + b"x" * 400).decode()
    message = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": picture}}]}

    def body() -> None:
        with mlflow.start_span("look", span_type="CHAT_MODEL") as span:
            span.set_inputs({"messages": [message]})

    assert session.run(body).error is None
    session.finish()
    (trace,) = session.stored()
    assert "mlflow-attachment://" in str(trace.data.spans[1].inputs)
    folder = Path(urlsplit(trace.info.tags["mlflow.artifactLocation"]).path)
    files = [p for p in folder.rglob("*") if p.is_file()]
    assert [p.read_bytes()[:4] for p in files] == [b"\x89PNG"]


def test_prompts_that_a_call_used_are_linked(session: TracingSession) -> None:
    def body() -> None:
        prompt = mlflow.genai.register_prompt("greeting", "Hello {{name}}")
        mlflow.genai.load_prompt(f"prompts:/greeting/{prompt.version}")

    assert session.run(body).error is None
    session.finish()
    (trace,) = session.stored()
    assert "greeting" in trace.info.tags["mlflow.linkedPrompts"]
