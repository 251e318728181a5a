"""Spans -> what they measured: latency, tokens, cost. Unknown is None, never 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pytest_genaiver.adapters.traces import internals

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlflow.entities import Span, Trace

USAGE = "mlflow.chat.tokenUsage"
COST = "mlflow.llm.cost"
MODEL = "mlflow.llm.model"
PROVIDER = "mlflow.llm.provider"
TOKENS = ("input_tokens", "output_tokens", "total_tokens")
_LLM_TYPES = {"LLM", "CHAT_MODEL", "EMBEDDING"}
N = TypeVar("N", int, float)
_CLOCKS_NS = 1_000_000  # layers take the time by different clocks


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
    calls = provider_calls([t for t in (root, *others) if t is not None])
    tokens = {n: _sum([tokens_of(c, n) for c in calls]) for n in TOKENS}
    return Measured(
        latency=_latency(root, others),
        input_tokens=tokens["input_tokens"],
        output_tokens=tokens["output_tokens"],
        total_tokens=tokens["total_tokens"],
        cost=_sum([cost_of(c) for c in calls]),
        calls=len(calls),
        calls_without_usage=sum(usage_of(c) is None for c in calls),
    )


def together(parts: Sequence[Measured]) -> Measured:
    """What several did, but for latency: what one does not know, the sum does not know either."""
    return Measured(
        input_tokens=_sum([p.input_tokens for p in parts]),
        output_tokens=_sum([p.output_tokens for p in parts]),
        total_tokens=_sum([p.total_tokens for p in parts]),
        cost=_sum([p.cost for p in parts]),
        calls=sum(p.calls for p in parts),
        calls_without_usage=sum(p.calls_without_usage for p in parts),
    )


def _sum(values: Sequence[N | None]) -> N | None:
    """The sum; unknown where there is nothing to add, or where one is unknown."""
    known = [v for v in values if v is not None]
    return sum(known) if known and len(known) == len(values) else None


def provider_calls(traces: Sequence[Trace]) -> list[Span]:
    """The spans that stand for one provider call each.

    Where one traced layer sits on another (LangChain over openai), both report the same call. Nested: the innermost
    span that carries usage counts, and those around it do not. In two traces, as where a layer reports from a thread
    of its own: of two spans of different names with the same usage, the one that lies within the other counts.
    """
    calls = [c for t in traces for c in _calls_of_trace(t.data.spans)]
    doubles = {id(outer) for outer in _doubles(calls)}
    return [c for c in calls if id(c) not in doubles]


def doubled(traces: Sequence[Trace]) -> set[str]:
    """Ids of the spans whose usage reports a call that another span counts."""
    counted = {c.span_id for c in provider_calls(traces)}
    return {s.span_id for t in traces for s in t.data.spans if usage_of(s) and s.span_id not in counted}


def _doubles(calls: Sequence[Span]) -> Iterator[Span]:
    alike: dict[tuple[int | None, ...], list[Span]] = {}
    for call in calls:
        if usage_of(call) and call.end_time_ns is not None:
            alike.setdefault(tuple(tokens_of(call, n) for n in TOKENS), []).append(call)
    for group in alike.values():
        # Longest first: it can only be the outer one. Each inner call accounts for one outer.
        inner = sorted(group, key=_length)
        while inner:
            outer = inner.pop()
            match = next((c for c in inner if _is_inside(c, outer)), None)
            if match is not None:
                inner.remove(match)
                yield outer


def _length(span: Span) -> int:
    return (span.end_time_ns or 0) - span.start_time_ns


def _is_inside(inner: Span, outer: Span) -> bool:
    """Whether another layer reports the same call from a trace of its own."""
    if inner.name == outer.name or inner.trace_id == outer.trace_id:
        return False
    starts = outer.start_time_ns - _CLOCKS_NS <= inner.start_time_ns
    return starts and (inner.end_time_ns or 0) <= (outer.end_time_ns or 0) + _CLOCKS_NS


def _calls_of_trace(spans: Sequence[Span]) -> list[Span]:
    children = _children(spans)
    return [c for s in children.get(None, []) for c in _innermost(s, children)]


def _innermost(span: Span, children: dict[str | None, list[Span]]) -> list[Span]:
    below = [c for child in children.get(span.span_id, []) for c in _innermost(child, children)]
    if any(usage_of(c) is not None for c in below) or not _is_call(span):
        return below
    # A layer without usage around calls without usage: the calls below are the provider's.
    return [span] if usage_of(span) is not None or not below else below


def _is_call(span: Span) -> bool:
    return span.span_type in _LLM_TYPES or usage_of(span) is not None


def _children(spans: Sequence[Span]) -> dict[str | None, list[Span]]:
    present = {s.span_id for s in spans}
    children: dict[str | None, list[Span]] = {}
    for span in spans:
        children.setdefault(span.parent_id if span.parent_id in present else None, []).append(span)
    return children


def usage_of(span: Span) -> dict[str, int] | None:
    """Tokens by kind; None where the span carries none, or something else under that name."""
    usage = span.get_attribute(USAGE)
    if not isinstance(usage, dict):
        return None
    return {str(k): v for k, v in usage.items() if isinstance(v, int)} or None


def tokens_of(span: Span, name: str) -> int | None:
    usage = usage_of(span)
    if usage is None:
        return None
    if name in usage:
        return usage[name]
    if name == "output_tokens" and span.span_type == "EMBEDDING":
        return 0
    if name == "total_tokens" and {"input_tokens", "output_tokens"} <= usage.keys():
        return usage["input_tokens"] + usage["output_tokens"]
    return None


def cost_of(span: Span) -> float | None:
    """US dollars of one call: what the span says, else by the price table that MLflow uses."""
    given = span.get_attribute(COST)
    if isinstance(given, dict) and isinstance(total := given.get("total_cost"), (int, float)):
        return float(total)
    usage, model, provider = usage_of(span), span.get_attribute(MODEL), span.get_attribute(PROVIDER)
    if usage is None or not isinstance(model, str):
        return None
    return internals.price(model, usage, provider if isinstance(provider, str) else None)


def known_cost(trace: Trace) -> float:
    """US dollars of the trace's calls, as far as they are known."""
    return sum(cost_of(call) or 0.0 for call in provider_calls([trace]))


def _latency(root: Trace | None, others: Sequence[Trace]) -> float | None:
    """Seconds covered by the root's direct children and by the roots of the other traces.

    Never the test's own body: an assertion or a sleep in a test is not the app's latency. Unknown while one of
    them is open: a stream that nobody read to its end.
    """
    spans = list(_app_spans(root, others))
    intervals = [(s.start_time_ns, s.end_time_ns) for s in spans if s.end_time_ns is not None]
    if not intervals or len(intervals) < len(spans):
        return None
    covered, reached = 0, 0
    for start, end in sorted(intervals):
        covered += max(end - max(start, reached), 0)
        reached = max(reached, end)
    return covered / 1e9


def _app_spans(root: Trace | None, others: Sequence[Trace]) -> Iterator[Span]:
    for trace in others:
        yield from _children(trace.data.spans).get(None, [])
    if root is not None:
        children = _children(root.data.spans)
        for top in children.get(None, []):
            yield from children.get(top.span_id, [])
