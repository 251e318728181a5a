"""The session's view of tracing: scopes are opened and closed, traces are kept, measured, written and counted."""

from __future__ import annotations

import contextlib
import threading
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.traces.hold import Held, Hold, live_trace
from pytest_genaiver.adapters.traces.reading import MODEL, USAGE, Measured, measure, without_double_usage
from pytest_genaiver.adapters.traces.scope import SCOPE_TAG, Destination, Scope, complete
from pytest_genaiver.adapters.traces.surroundings import calm
from pytest_genaiver.adapters.traces.writer import TraceWriter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlflow.entities import LiveSpan, Trace

    from pytest_genaiver.adapters.traces.surroundings import Surroundings

_WRITE_AT = 64
_current: ContextVar[Scope | None] = ContextVar("genaiver_scope", default=None)


@dataclass(slots=True, kw_only=True)
class Count:
    """Traces produced by this process against what the store holds; `stored` is None when it was not asked."""

    produced: int = 0
    stored: int | None = None
    missing: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


class Tracer:
    """Traces of one process. `start` before the first test, `open`/`close` around each execution, `finish` last."""

    def __init__(self, to: Destination, *, surroundings: Surroundings) -> None:
        self._to = to
        self._surroundings = surroundings
        self._writer = TraceWriter(to.tracking_uri)
        self._hold = Hold(on_trace=self._arrived, on_flush=self.flush, on_bypass=self._bypassed)
        self._scopes: dict[str, Scope] = {}
        self._strays: list[Held] = []
        self._produced: dict[str, str] = {}
        self._waiting: list[Held] = []
        self._lock = threading.RLock()
        self._refused = False

    def start(self) -> None:
        self._hold.install()
        self._surroundings.enter(_current.get)
        self._warm_up()

    def _warm_up(self) -> None:
        """One span now, so that nothing is imported within a test.

        MLflow warns while it imports parts of itself; where warnings are errors the test's first span would fail.
        And a client that is called while another thread first imports what it shares with MLflow breaks.
        """
        import mlflow

        with calm():
            with mlflow.start_span(name="genaiver", span_type="LLM") as span:
                span.set_attributes({USAGE: {"input_tokens": 1, "output_tokens": 1}, MODEL: "none"})
            for held in self._strays:
                measure(held.trace, ())
            self._strays.clear()
            self._produced.clear()

    def stop(self) -> None:
        self._surroundings.leave()
        self._hold.uninstall()

    @contextlib.contextmanager
    def open(self, scope: Scope) -> Iterator[None]:
        """Around setup, body and teardown of one execution: whatever is traced within belongs to it."""
        import mlflow

        self._surroundings.renew()
        with self._lock:
            self._scopes[scope.key] = scope
        token = _current.set(scope)
        try:
            with mlflow.tracing.context(tags=scope.tags()):
                yield
        finally:
            _current.reset(token)
            scope.end_ns = time.time_ns()

    @contextlib.contextmanager
    def root(self, scope: Scope, name: str, inputs: Mapping[str, Any]) -> Iterator[LiveSpan]:
        """Around the body alone: one root span, so that every call of the body nests in one trace."""
        import mlflow

        with mlflow.start_span(name=name, span_type="CHAIN") as span:
            scope.root_id = span.trace_id
            span.set_inputs(dict(inputs))
            start = time.time_ns()
            try:
                yield span
            finally:
                scope.call_ns = (start, time.time_ns())

    def trace_of(self, scope: Scope) -> Trace | None:
        """The root trace of this execution as it stands now, open or ended."""
        if scope.root_id is None:
            return None
        with self._lock:
            ended = scope.root_trace()
        return ended or live_trace(scope.root_id)

    def measured(self, scope: Scope) -> Measured:
        with self._lock:
            return scope.measure(self._to.model_id, scope.root_trace() or self.trace_of(scope))

    def close(self, scope: Scope, feedback: Sequence[Any]) -> list[str]:
        """The scores are in: the traces may leave. Returns the ids of this execution's traces so far."""
        with self._lock:
            scope.feedback = list(feedback)
            scope.closed = True
            for held in scope.held:
                self._ready(held, scope)
            ids = [h.trace_id for h in scope.held] + scope.bypassed
            full = len(self._waiting) >= _WRITE_AT
        if full and not self._refused:
            self._write()
        return ids

    def flush(self) -> None:
        """Write all that has ended, as asked by the test or by MLflow; scores of open executions follow later."""
        with self._lock:
            for scope in self._scopes.values():
                for held in scope.held:
                    if held not in self._waiting and not held.written:
                        complete(held, scope, self._to)
                        self._waiting.append(held)
        self._write()

    def finish(self) -> Count:
        """End what is open, write what is left, and count what the store holds."""
        self._hold.end_open(lambda _id, tags: SCOPE_TAG in tags)
        for scope in self._scopes.values():
            if not scope.closed:
                self.close(scope, ())
        with self._lock:
            for held in self._strays:
                complete(held, None, self._to)
                self._waiting.append(held)
            self._strays = []
        self._write()
        self._write()
        errors = sorted({h.error for h in self._waiting if h.error})
        return Count(produced=len(self._produced), missing=self._unwritten(), errors=errors)

    @property
    def produced(self) -> dict[str, str]:
        """Trace id -> the test it came from, for every trace of this process."""
        return dict(self._produced)

    def _unwritten(self) -> dict[str, str]:
        return {h.trace_id: self._produced.get(h.trace_id, "") for h in self._waiting}

    def _arrived(self, held: Held) -> None:
        with self._lock:
            scope = self._scope_of(held)
            self._produced[held.trace_id] = scope.test_name if scope else ""
            if scope is None:
                self._strays.append(held)
                return
            scope.held.append(held)
            if self._to.model_id is not None:
                held.trace.info.trace_metadata.setdefault("mlflow.modelId", self._to.model_id)
            without_double_usage(held.trace)
            if scope.closed:
                self._ready(held, scope)

    def _scope_of(self, held: Held) -> Scope | None:
        key = held.trace.info.tags.get(SCOPE_TAG)
        if key in self._scopes:
            return self._scopes[key]
        return next((s for s in reversed(self._scopes.values()) if s.contains(held.start_ns)), None)

    def _bypassed(self, trace_id: str) -> None:
        with self._lock:
            scope = _current.get()
            self._produced[trace_id] = scope.test_name if scope else ""
            if scope is not None:
                scope.bypassed.append(trace_id)

    def _ready(self, held: Held, scope: Scope) -> None:
        """Scores ride on the root trace; where there is none, on the first trace of the execution."""
        carrier = scope.root_id or (scope.held[0].trace_id if scope.held else None)
        if held.trace_id == carrier and scope.feedback:
            self._attach(held, scope.feedback)
        if held not in self._waiting and not held.written:
            complete(held, scope, self._to)
            self._waiting.append(held)

    def _attach(self, held: Held, feedback: Sequence[Any]) -> None:
        for f in feedback:
            f.trace_id = held.trace_id
        if not held.written:
            held.trace.info.assessments = [*held.trace.info.assessments, *feedback]
            return
        import mlflow

        for f in feedback:
            mlflow.log_assessment(trace_id=held.trace_id, assessment=f)

    def _write(self) -> None:
        with self._lock:
            batch, self._waiting = self._waiting, []
            with calm():
                failed = self._writer.write(batch)
            self._refused = bool(failed)
            self._waiting = failed + self._waiting
            self._forget()

    def _forget(self) -> None:
        """What is stored need not stay in memory."""
        for scope in self._scopes.values():
            if scope.closed and scope.held:
                scope.held = [h for h in scope.held if not h.written]
