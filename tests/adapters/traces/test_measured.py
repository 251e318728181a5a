"""What the spans of a repeat say: latency, tokens, cost; the store's own sums agree."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

import mlflow
import pytest

from pytest_genaiver.adapters.traces import internals
from pytest_genaiver.adapters.traces.reading import COST, MODEL, PROVIDER, USAGE, Measured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow.entities import LiveSpan

    from conftest import App, TracingSession

MILLISECOND = 1_000_000
SEVEN = {"input_tokens": 4, "output_tokens": 3, "total_tokens": 7}
TEN = {"input_tokens": 6, "output_tokens": 4, "total_tokens": 10}


class Timeline:
    """Spans at given milliseconds after the start of the test's body."""

    def __init__(self) -> None:
        self.zero = time.time_ns()

    def span(
        self,
        name: str,
        start: int,
        end: int | None,
        usage: Mapping[str, Any] | None = None,
        *,
        type: str = "LLM",
        parent: LiveSpan | None = None,
        own_trace: bool = False,
        **attributes: Any,
    ) -> LiveSpan:
        """A span beneath `parent`, by default beneath the test's root, or in a trace of its own."""
        above = parent or mlflow.get_current_active_span()
        at = self.zero + start * MILLISECOND
        with internals.outside_any_trace() if own_trace else contextlib.nullcontext():
            made = mlflow.start_span_no_context(
                name, span_type=type, parent_span=None if own_trace else above, start_time_ns=at
            )
        made.set_attributes({**attributes, **({} if usage is None else {USAGE: usage})})
        if end is not None:
            self.end(made, end)
        return made

    def end(self, span: LiveSpan, at: int) -> None:
        span.end(end_time_ns=self.zero + at * MILLISECOND)


def stored_usage(session: TracingSession) -> dict[str, int]:
    """The store's own token usage, summed over the session's traces."""
    total: dict[str, int] = {}
    for trace in session.stored():
        for name, tokens in (trace.info.token_usage or {}).items():
            total[name] = total.get(name, 0) + tokens
    return total


def run(session: TracingSession, draw: Any) -> Measured:
    def body() -> None:
        draw(Timeline())
        time.sleep(0.06)  # what the spans say happened within the body

    ran = session.run(body)
    assert ran.error is None
    session.finish()
    return ran.measured


def test_a_call_of_a_real_client_is_measured(session: TracingSession, app: App) -> None:
    ran = session.run(app.ask)
    session.finish()

    m = ran.measured
    assert m.latency is not None
    assert 0 < m.latency < 5
    assert m.input_tokens is not None
    assert m.output_tokens is not None
    assert m.total_tokens == m.input_tokens + m.output_tokens
    assert m.cost is not None
    assert m.cost > 0
    assert stored_usage(session)["total_tokens"] == m.total_tokens
    assert set(m.scores()) == {"latency", "input_tokens", "output_tokens", "total_tokens", "cost"}


def test_calls_add_up(session: TracingSession) -> None:
    def draw(t: Timeline) -> None:
        t.span("a", 0, 10, SEVEN)
        t.span("b", 20, 30, TEN)

    m = run(session, draw)
    assert (m.input_tokens, m.output_tokens, m.total_tokens, m.calls) == (10, 7, 17, 2)
    assert m.latency == pytest.approx(0.020)
    assert stored_usage(session)["total_tokens"] == 17


def test_the_latency_of_concurrent_calls_is_their_union(session: TracingSession) -> None:
    def draw(t: Timeline) -> None:
        t.span("a", 0, 30, SEVEN)
        t.span("b", 10, 40, SEVEN)
        t.span("c", 15, 20, SEVEN)
        t.span("thread", 35, 50, SEVEN, own_trace=True)

    m = run(session, draw)
    assert m.latency == pytest.approx(0.050)
    assert m.total_tokens == 28


def test_the_latency_of_nested_spans_is_that_of_the_outer_one(session: TracingSession) -> None:
    def draw(t: Timeline) -> None:
        chain = t.span("chain", 0, None, type="CHAIN")
        t.span("inner", 5, 10, SEVEN, parent=chain)
        t.end(chain, 30)

    m = run(session, draw)
    assert m.latency == pytest.approx(0.030)


def test_a_test_that_calls_nothing_measures_nothing(session: TracingSession) -> None:
    m = run(session, lambda t: None)
    assert m == Measured()
    assert m.scores() == {}


def test_two_layers_around_one_call_count_once_here_and_in_the_store(session: TracingSession) -> None:
    def draw(t: Timeline) -> None:
        outer = t.span("ChatOpenAI", 0, None, SEVEN, type="CHAT_MODEL", **{COST: {"total_cost": 5.0}})
        t.span("Completions", 1, 9, SEVEN, parent=outer)
        t.end(outer, 10)

    m = run(session, draw)
    assert (m.total_tokens, m.calls, m.calls_without_usage) == (7, 1, 0)
    assert stored_usage(session) == SEVEN
    (trace,) = session.stored()
    assert [s.name for s in trace.data.spans if s.get_attribute(USAGE)] == ["Completions"]


def test_two_layers_in_two_traces_count_once_here_and_in_the_store(session: TracingSession) -> None:
    def draw(t: Timeline) -> None:
        t.span("Completions", 2, 9, SEVEN)
        t.span("litellm-acompletion", 1, 10, SEVEN, own_trace=True)

    m = run(session, draw)
    assert (m.total_tokens, m.calls) == (7, 1)
    assert stored_usage(session) == SEVEN


def test_as_many_outer_calls_count_as_there_are_inner_ones_missing(session: TracingSession) -> None:
    def draw(t: Timeline) -> None:
        t.span("Completions", 2, 9, SEVEN)
        t.span("litellm", 1, 10, SEVEN, own_trace=True)
        t.span("litellm", 0, 12, SEVEN, own_trace=True)

    m = run(session, draw)
    assert (m.total_tokens, m.calls) == (14, 2)
    assert stored_usage(session)["total_tokens"] == 14


@pytest.mark.parametrize(
    ("name", "start", "end", "usage"),
    [
        pytest.param("Completions", 1, 10, SEVEN, id="the same layer"),
        pytest.param("litellm", 1, 10, TEN, id="other usage"),
        pytest.param("litellm", 6, 15, SEVEN, id="not around it"),
    ],
)
def test_calls_that_only_look_alike_count_each(
    session: TracingSession, name: str, start: int, end: int, usage: Mapping[str, int]
) -> None:
    def draw(t: Timeline) -> None:
        t.span("Completions", 2, 9, SEVEN)
        t.span(name, start, end, usage, own_trace=True)

    m = run(session, draw)
    assert m.calls == 2
    assert m.total_tokens == 7 + usage["total_tokens"]
    assert stored_usage(session)["total_tokens"] == m.total_tokens


def test_one_call_without_usage_makes_the_sums_unknown(session: TracingSession) -> None:
    def draw(t: Timeline) -> None:
        t.span("a", 0, 10, SEVEN, **{MODEL: "gpt-4o-mini"})
        t.span("stream", 20, 30)

    m = run(session, draw)
    assert (m.input_tokens, m.output_tokens, m.total_tokens, m.cost) == (None, None, None, None)
    assert (m.calls, m.calls_without_usage) == (2, 1)
    assert set(m.scores()) == {"latency"}


def test_a_stream_without_usage_is_a_call_without_usage(session: TracingSession, app: App) -> None:
    silent = session.run(lambda: list(app.stream()))
    told = session.run(lambda: list(app.stream(stream_options={"include_usage": True})))

    assert (silent.measured.calls, silent.measured.calls_without_usage) == (1, 1)
    assert silent.measured.total_tokens is None
    assert (told.measured.calls, told.measured.calls_without_usage) == (1, 0)
    assert told.measured.total_tokens is not None


def test_a_failed_call_is_a_call_without_usage(session: TracingSession, app: App) -> None:
    import openai

    def body() -> None:
        app.ask()
        with app.client() as client, pytest.raises(openai.NotFoundError):
            client.embeddings.create(model="text-embedding-3-small", input="x")

    ran = session.run(body)
    assert ran.error is None
    assert (ran.measured.calls, ran.measured.calls_without_usage) == (2, 1)
    assert ran.measured.total_tokens is None


def test_an_embedding_has_no_output_tokens(session: TracingSession) -> None:
    def draw(t: Timeline) -> None:
        t.span("a", 0, 10, SEVEN)
        t.span("embed", 20, 30, {"input_tokens": 5, "total_tokens": 5}, type="EMBEDDING")

    m = run(session, draw)
    assert (m.input_tokens, m.output_tokens, m.total_tokens) == (9, 3, 12)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        pytest.param({"input_tokens": 4, "output_tokens": 3}, (4, 3, 7), id="no total"),
        pytest.param({"total_tokens": 7}, (None, None, 7), id="only a total"),
        pytest.param({"input_tokens": "4"}, (None, None, None), id="text"),
        pytest.param("many", (None, None, None), id="no numbers at all"),
        pytest.param({}, (None, None, None), id="empty"),
    ],
)
def test_only_what_is_missing_is_unknown(session: TracingSession, usage: Any, expected: tuple[Any, ...]) -> None:
    m = run(session, lambda t: t.span("a", 0, 10, usage))
    assert (m.input_tokens, m.output_tokens, m.total_tokens) == expected
    assert m.calls == 1


def test_a_layer_that_sums_up_its_calls_stands_for_them_where_they_say_nothing(session: TracingSession) -> None:
    def draw(t: Timeline) -> None:
        agent = t.span("agent", 0, None, TEN, type="AGENT")
        t.span("stream", 1, 5, parent=agent)
        t.span("stream", 6, 9, parent=agent)
        t.end(agent, 10)

    m = run(session, draw)
    assert (m.total_tokens, m.calls, m.calls_without_usage) == (10, 1, 0)


def test_of_layers_without_usage_the_innermost_calls_count(session: TracingSession) -> None:
    def draw(t: Timeline) -> None:
        outer = t.span("ChatOpenAI", 0, None, type="CHAT_MODEL")
        t.span("stream", 1, 5, parent=outer)
        t.span("stream", 6, 9, parent=outer)
        t.end(outer, 10)

    assert run(session, draw).calls_without_usage == 2


@pytest.mark.parametrize(
    ("attributes", "cost"),
    [
        pytest.param({MODEL: "gpt-4o-mini"}, 4 * 0.15e-6 + 3 * 0.6e-6, id="known model"),
        pytest.param({MODEL: "gpt-4o-mini", PROVIDER: 7}, 4 * 0.15e-6 + 3 * 0.6e-6, id="odd provider"),
        pytest.param({MODEL: "gpt-4o-mini", COST: {"total_cost": 0.5}}, 0.5, id="the span's own"),
        pytest.param({MODEL: "gpt-4o-mini", COST: "much"}, 4 * 0.15e-6 + 3 * 0.6e-6, id="odd cost"),
        pytest.param({MODEL: "no-such-model"}, None, id="unknown model"),
        pytest.param({MODEL: 7}, None, id="odd model"),
        pytest.param({}, None, id="no model"),
    ],
)
def test_the_cost_of_a_call(session: TracingSession, attributes: Mapping[str, Any], cost: float | None) -> None:
    m = run(session, lambda t: t.span("a", 0, 10, SEVEN, **attributes))
    assert m.cost == (cost if cost is None else pytest.approx(cost))


def test_the_trace_of_a_running_repeat_is_seen(session: TracingSession, app: App) -> None:
    scope = session.scope()
    assert session.tracer.trace_of(scope) is None
    with session.tracer.open(scope), session.tracer.root(scope, "test_a", {}):
        app.ask()
        seen = session.tracer.trace_of(scope)
        assert seen is not None
        assert [s.end_time_ns is None for s in seen.data.spans] == [True, False]
    ended = session.tracer.trace_of(scope)
    assert ended is not None
    assert ended.data.spans[0].end_time_ns is not None
