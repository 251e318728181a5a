"""`mlflow.genai.evaluate` within a test works, and what it stores is counted."""

from __future__ import annotations

import contextlib
import warnings
from typing import TYPE_CHECKING, Any

import mlflow

from pytest_genaiver.adapters.traces import internals
from pytest_genaiver.core.observed import Observed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from conftest import App, TracingSession


def test_traces_inside_genai_evaluate_are_stored_at_once_and_counted(
    session: TracingSession, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_GENAI_EVAL_SKIP_TRACE_VALIDATION", "true")
    monkeypatch.setenv("MLFLOW_GENAI_EVAL_MAX_WORKERS", "1")
    found: list[Any] = []

    @mlflow.genai.scorer
    def good(outputs: str) -> bool:
        return outputs == "good"

    @mlflow.trace
    def predict(question: str) -> str:
        return app.ask(question)

    def body() -> None:
        data = [{"inputs": {"question": f"q{i}"}} for i in range(3)]
        with calm():
            result = mlflow.genai.evaluate(data=data, predict_fn=predict, scorers=[good])
        found.append(result.metrics["good/mean"])

    ran = session.run(body)
    count = session.finish()

    assert ran.error is None
    assert found == [1.0]
    assert Observed.from_json(count.seen[session.to.model_id or ""]).settled()[0] == {"gpt-4o-mini": {}}
    assert ran.measured.calls == 3
    stored = {t.info.trace_id: t for t in session.stored()}
    assert len(stored) == count.produced == 4
    assert set(ran.ids) == set(stored)
    assert len(session.calls()) == 3
    assert ran.measured.total_tokens == sum(t.info.token_usage["total_tokens"] for t, _ in session.calls())
    for trace, _ in session.calls():
        assert trace.info.trace_metadata["mlflow.modelId"] == session.to.model_id
        assert trace.info.tags["mlflow.test.name"] == "test_app.py::test_a"
        assert "genaiver.scope" not in trace.info.tags
        # They belong to the evaluation's own run, which its pages read.
        assert trace.info.trace_metadata["mlflow.sourceRun"] != session.to.run_id


def test_an_evaluation_outside_any_test_is_counted_without_one(
    session: TracingSession, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_GENAI_EVAL_SKIP_TRACE_VALIDATION", "true")
    with calm():
        mlflow.genai.evaluate(data=[{"inputs": {"question": "q"}}], predict_fn=app.ask, scorers=[])
    session.finish()
    assert list(session.tracer.produced.values()) == [""]


def test_an_evaluation_leaves_the_clients_tracing_to_the_session(
    session: TracingSession, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It configures autologging anew for its own time."""
    monkeypatch.setenv("MLFLOW_GENAI_EVAL_SKIP_TRACE_VALIDATION", "true")
    with calm():
        mlflow.genai.evaluate(data=[{"inputs": {"question": "q"}}], predict_fn=app.ask, scorers=[])
    assert session.run(app.ask).measured.calls == 1
    session.finish()
    session.stop()
    assert internals.autologging("openai") == {}


@contextlib.contextmanager
def calm() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
