"""Spans -> what they measured: latency, tokens, cost. Unknown is None, never 0."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mlflow.entities import Span, Trace

USAGE = "mlflow.chat.tokenUsage"
MODEL = "mlflow.llm.model"
PROVIDER = "mlflow.llm.provider"
TOKENS = ("input_tokens", "output_tokens", "total_tokens")
_LLM_TYPES = {"LLM", "CHAT_MODEL", "EMBEDDING"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the traces of one repeat say about the app. Seconds, tokens, US dollars; None is unknown."""

    latency: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    cost: float | None = None
    calls: int = 0
    calls_without_usage: int = 0

    def scores(self) -> dict[str, float]:
        """Metric -> value, for what is known."""
        names = ("latency", *TOKENS, "cost")
        return {n: float(v) for n in names if (v := getattr(self, n)) is not None}


def measure(root: Trace | None, others: Sequence[Trace]) -> Measured:
    """Measure one repeat from its root trace and the app's further traces (threads, switched contexts)."""
    calls = [c for t in (root, *others) if t is not None for c in llm_calls(t.data.spans)]
    usages = [usage_of(c) for c in calls]
    known = bool(calls) and all(u is not None for u in usages)
    costs = [cost_of(c) for c in calls] if known else [None]
    tokens = {n: sum(u.get(n, 0) for u in usages if u) for n in TOKENS} if known else {}
    return Measured(
        latency=_latency(root, others),
        cost=sum(c for c in costs if c is not None) if None not in costs else None,
        calls=len(calls),
        calls_without_usage=sum(u is None for u in usages),
        **tokens,
    )


def llm_calls(spans: Sequence[Span]) -> list[Span]:
    """The spans that stand for one provider call each.

    Where one traced layer sits on another (LangChain over openai), both report the same call: the innermost span
    that carries usage counts, and those around it do not.
    """
    children = _children(spans)
    return [c for s in children.get(None, []) for c in _innermost(s, children)]


def _innermost(span: Span, children: dict[str | None, list[Span]]) -> list[Span]:
    below = [c for child in children.get(span.span_id, []) for c in _innermost(child, children)]
    if any(usage_of(c) is not None for c in below) or not _is_call(span):
        return below
    return [span]


def _is_call(span: Span) -> bool:
    return span.span_type in _LLM_TYPES or usage_of(span) is not None


def _children(spans: Sequence[Span]) -> dict[str | None, list[Span]]:
    present = {s.span_id for s in spans}
    children: dict[str | None, list[Span]] = {}
    for span in spans:
        children.setdefault(span.parent_id if span.parent_id in present else None, []).append(span)
    return children


def usage_of(span: Span) -> dict[str, int] | None:
    usage = span.get_attribute(USAGE)
    return usage if isinstance(usage, dict) and usage else None


def cost_of(span: Span) -> float | None:
    """US dollars of one call, by the price table that MLflow uses (litellm's where that is installed)."""
    from mlflow.tracing.utils import calculate_cost_by_model_and_token_usage

    model, provider = span.get_attribute(MODEL), span.get_attribute(PROVIDER)
    cost = calculate_cost_by_model_and_token_usage(model, usage_of(span), provider)
    return float(cost["total_cost"]) if cost else None


def _latency(root: Trace | None, others: Sequence[Trace]) -> float | None:
    """Seconds covered by the root's direct children and by the roots of the other traces.

    Never the test's own body: an assertion or a sleep in a test is not the app's latency.
    """
    intervals = list(_intervals(root, others))
    covered, reached = 0, 0
    for start, end in sorted(intervals):
        covered += max(end - max(start, reached), 0)
        reached = max(reached, end)
    return covered / 1e9 if intervals else None


def _intervals(root: Trace | None, others: Iterable[Trace]) -> Iterator[tuple[int, int]]:
    for trace in others:
        yield from _closed(_children(trace.data.spans).get(None, []))
    if root is not None:
        children = _children(root.data.spans)
        for top in children.get(None, []):
            yield from _closed(children.get(top.span_id, []))


def _closed(spans: Iterable[Span]) -> Iterator[tuple[int, int]]:
    for span in spans:
        if span.end_time_ns is not None:
            yield span.start_time_ns, span.end_time_ns


def without_double_usage(trace: Trace) -> Trace:
    """The same trace, with usage left only on the spans that count, so that the store's sum equals ours."""
    spans = trace.data.spans
    counted = {s.span_id for s in llm_calls(spans)}
    doubles = [i for i, s in enumerate(spans) if usage_of(s) is not None and s.span_id not in counted]
    for i in doubles:
        spans[i] = _without_usage(spans[i])
    if doubles:
        totals = [u for s in spans if (u := usage_of(s))]
        trace.info.trace_metadata["mlflow.trace.tokenUsage"] = json.dumps(_sum(totals))
    return trace


def _sum(usages: Sequence[dict[str, int]]) -> dict[str, int]:
    return {n: sum(u.get(n, 0) for u in usages) for n in TOKENS}


def _without_usage(span: Span) -> Span:
    from mlflow.entities import Span as MlflowSpan

    plain: dict[str, Any] = span.to_dict()
    plain["attributes"] = {k: v for k, v in plain["attributes"].items() if k != USAGE}
    return MlflowSpan.from_dict(plain)
