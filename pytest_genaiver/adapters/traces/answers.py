"""What an app answered, by its trace: for people, where the test itself did not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow.entities import Span, Trace


def answer_of(root: Trace | None) -> Any:
    """What the last call answered that the test made itself; of a chat model its text. None where none was traced."""
    spans = [] if root is None else root.data.spans
    own = next((span for span in spans if span.parent_id is None), None)
    calls = [span for span in spans if own is not None and span.parent_id == own.span_id]
    if not calls:
        return None
    outputs = max(calls, key=_ended).outputs
    text = _text(outputs)
    return outputs if text is None else text


def _ended(span: Span) -> int:
    return span.end_time_ns or 0


def _text(outputs: Any) -> str | None:
    """The text in a response as OpenAI, Anthropic and Google shape theirs; None for anything else."""
    for path in (
        ("choices", 0, "message", "content"),
        ("content", 0, "text"),
        ("output", -1, "content", 0, "text"),
        ("candidates", 0, "content", "parts", 0, "text"),
    ):
        found = outputs
        for step in path:
            found = _at(found, step)
        if isinstance(found, str):
            return found
    return None


def _at(value: Any, step: str | int) -> Any:
    if isinstance(step, str):
        return value.get(step) if isinstance(value, dict) else None
    return value[step] if isinstance(value, list) and value else None
