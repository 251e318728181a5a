"""Traces as every store can take them: one value that it refuses would lose the whole trace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_genaiver.adapters.traces import internals
from pytest_genaiver.adapters.traces.reading import COST, TOKENS, USAGE, doubled, usage_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlflow.entities import Span, Trace

    from pytest_genaiver.core.secrets import Mask

T = TypeVar("T")


def make_storable(trace: Trace, mask: Mask) -> Trace:
    """Metadata and tags become strings (an app may put a UUID there), no text has a lone surrogate or a secret."""
    info = trace.info
    info.trace_metadata = mask.plain(_texts(info.trace_metadata))
    info.tags = mask.plain(_texts(info.tags))
    info.request_preview = mask.plain(clean(info.request_preview))
    info.response_preview = mask.plain(clean(info.response_preview))
    trace.data.spans = [_storable_span(s, mask) for s in trace.data.spans]
    return trace


def _texts(values: Mapping[Any, Any]) -> dict[str, str]:
    return {text_of(k): text_of(v) for k, v in values.items() if v is not None}


def text_of(value: object) -> str:
    return clean(value if isinstance(value, str) else str(value))


def clean(value: T) -> T:
    """The value with each lone surrogate in it, which UTF-8 cannot carry, as `?`."""
    if isinstance(value, str):
        return value if _is_clean(value) else value.encode("utf-8", "replace").decode("utf-8")  # type: ignore[return-value]
    if isinstance(value, dict):
        return {clean(k): clean(v) for k, v in value.items()}  # type: ignore[return-value]
    if isinstance(value, (list, tuple)):
        return type(value)(clean(v) for v in value)
    return value


def _is_clean(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _storable_span(span: Span, mask: Mask) -> Span:
    odd = [n for n in (USAGE, COST) if not _is_numbers(span.get_attribute(n))]
    plain: dict[str, Any] = span.to_dict()
    cleaned = mask.plain(clean(_dropped(plain, odd)))
    return span if cleaned == plain else rebuilt(span, cleaned)


def _is_numbers(value: object) -> bool:
    """Whether a store can add this up; other things under these names make it refuse the trace."""
    if value is None:
        return True
    return isinstance(value, dict) and all(isinstance(v, (int, float)) for v in value.values())


def _dropped(plain: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {**plain, "attributes": {k: v for k, v in plain["attributes"].items() if k not in names}}


def without_doubles(traces: Sequence[Trace]) -> None:
    """Leave usage only on the spans that count, so that the store's sum over these traces equals ours."""
    doubles = doubled(traces)
    for trace in traces if doubles else ():
        spans = trace.data.spans
        if not any(s.span_id in doubles for s in spans):
            continue
        trace.data.spans = [
            rebuilt(s, _dropped(s.to_dict(), (USAGE, COST))) if s.span_id in doubles else s for s in spans
        ]
        totals = {n: sum((usage_of(s) or {}).get(n, 0) for s in spans if s.span_id not in doubles) for n in TOKENS}
        trace.info.trace_metadata["mlflow.trace.tokenUsage"] = json.dumps(totals)


def annotate(trace: Trace, notes: Mapping[str, Any]) -> None:
    """Give the trace's root span further attributes, plain JSON."""
    for place, span in enumerate(trace.data.spans if notes else ()):
        if span.parent_id is None:
            plain = span.to_dict()
            added = {name: json.dumps(clean(value)) for name, value in notes.items()}
            trace.data.spans[place] = rebuilt(span, {**plain, "attributes": {**plain["attributes"], **added}})


def rebuilt(span: Span, plain: Mapping[str, Any]) -> Span:
    """A span like this one, with these contents."""
    from mlflow.entities import Span as MlflowSpan

    made = MlflowSpan.from_dict(dict(plain))
    internals.set_attachments(made, internals.attachments_of(span))
    return made
