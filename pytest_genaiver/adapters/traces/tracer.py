"""The session's view of tracing: scopes are opened and closed, traces are kept, measured, written and counted."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.traces import internals, process_state
from pytest_genaiver.adapters.traces.attribution import CURRENT, Attribution, Here, current
from pytest_genaiver.adapters.traces.body_judges import recognise
from pytest_genaiver.adapters.traces.configuration import Seen
from pytest_genaiver.adapters.traces.hold import Held, Hold, live_trace
from pytest_genaiver.adapters.traces.masking import mask_feedback
from pytest_genaiver.adapters.traces.reading import MODEL, USAGE, Measured, known_cost, measure
from pytest_genaiver.adapters.traces.scope import Count, Destination, Scope, complete, link
from pytest_genaiver.adapters.traces.storable import without_doubles
from pytest_genaiver.adapters.traces.surroundings import calm
from pytest_genaiver.adapters.traces.threads import inherit
from pytest_genaiver.adapters.traces.writer import TraceWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mlflow.entities import LiveSpan, Trace, TraceInfo

    from pytest_genaiver.adapters.traces.scope import Role
    from pytest_genaiver.adapters.traces.surroundings import Surroundings

_WRITE_AT = 64
_MOST_OPEN = 500  # of the 1,000 that MLflow keeps


class Tracer:
    """Traces of one process. `start` before the first test, `open`/`close` around each execution, `finish` last.

    `_lock` guards what is held and is never kept while the store is written to: a thread that ends a span meanwhile
    would wait, and its latency with it. `_writing` lets one thread write at a time.
    """

    def __init__(
        self, to: Destination, *, surroundings: Surroundings, paid: Callable[[float], None] = lambda _: None
    ) -> None:
        """`paid` is told of the known cost of each trace (US dollars) as it ends, in the thread that ended it."""
        self._to = to
        self.mask = to.mask
        self._paid = paid
        self._surroundings = surroundings
        self._writer = TraceWriter(to.tracking_uri)
        self._hold = Hold(on_trace=self._arrived, on_flush=self.flush, on_bypass=self._bypassed, mask=self.mask)
        self._scopes = Attribution()
        self._seen = Seen()
        self._strays: list[Held] = []
        self._produced: dict[str, str] = {}
        self._waiting: list[Held] = []
        self._late: list[tuple[Held, list[Any]]] = []
        self._errors: set[str] = set()
        self._lock = threading.RLock()
        self._writing = threading.RLock()
        self._undo = contextlib.ExitStack()
        self._refused = False
        self._start_ms = 0

    def start(self) -> None:
        self._hold.install()
        self._surroundings.enter(current)
        self._undo.callback(inherit(CURRENT))
        self._undo.callback(recognise(self.judging, self._paid))
        self._warm_up()
        self._start_ms = time.time_ns() // 1_000_000

    def _warm_up(self) -> None:
        """One span now, so that nothing is imported within a test.

        MLflow warns while it imports parts of itself; where warnings are errors the test's first span would fail.
        And a client that is called while another thread first imports what it shares with MLflow breaks.
        """
        import mlflow

        with calm():
            with internals.outside_any_trace(), mlflow.start_span(name="genaiver", span_type="LLM") as span:
                span.set_attributes({USAGE: {"input_tokens": 1, "output_tokens": 1}, MODEL: "none"})
            for held in [h for h in self._strays if h.trace_id == span.trace_id]:
                measure(held.trace, ())
                self._strays.remove(held)
                del self._produced[held.trace_id]

    def stop(self) -> None:
        self._undo.close()
        self._surroundings.leave()
        self._hold.uninstall()

    @contextlib.contextmanager
    def open(self, scope: Scope) -> Iterator[None]:
        """Around setup, body and teardown of one execution: whatever is traced within belongs to it."""
        self._surroundings.renew()
        scope.start_ns, scope.end_ns = time.time_ns(), None
        try:
            with process_state.thread_model(scope.model_id), self.inside(scope, "around"):
                yield
        finally:
            scope.end_ns = time.time_ns()

    def inside(self, scope: Scope, role: Role) -> contextlib.AbstractContextManager[None]:
        """In this thread or task: what is traced within belongs to this execution, in this role."""
        return self._scopes.inside(scope, role)

    @contextlib.contextmanager
    def root(self, scope: Scope, name: str, inputs: Mapping[str, Any]) -> Iterator[LiveSpan]:
        """Around the app's work alone: one root span, so that every call of it nests in one trace."""
        import mlflow

        with (
            self.inside(scope, "app"),
            internals.outside_any_trace(),
            mlflow.start_span(name=name, span_type="CHAIN") as span,
        ):
            if internals.is_recorded(span):
                scope.root_id = span.trace_id
            span.set_inputs(dict(inputs))
            start = time.time_ns()
            try:
                yield span
            finally:
                scope.call_ns = (start, time.time_ns())

    @contextlib.contextmanager
    def call(self, scope: Scope, name: str, inputs: Mapping[str, Any]) -> Iterator[LiveSpan]:
        """Around the call of a target, which runs beside others, in a thread or task of its own."""
        scope.target = True
        try:
            with (
                self._scopes.calling(scope),
                process_state.thread_model(scope.model_id),
                self.root(scope, name, inputs) as span,
            ):
                yield span
        except BaseException:
            scope.failed = True
            raise

    @contextlib.contextmanager
    def judging(self, scope: Scope, role: Role = "judge") -> Iterator[None]:
        """Calls within are a judge's, or a scorer's: traced and linked, never the app's."""
        with self.inside(scope, role), internals.outside_any_trace():
            yield

    def trace_of(self, scope: Scope) -> Trace | None:
        """The root trace of this execution as it stands now, open or ended."""
        if scope.root_id is None:
            return None
        with self._lock:
            ended = scope.root_trace()
        return ended or live_trace(scope.root_id)

    def measured_for(self, scope: Scope, model_id: str) -> Measured:
        with self._lock:
            return scope.measure_for(model_id)

    def measured(self, scope: Scope) -> Measured:
        root = self.trace_of(scope)
        with self._lock:
            return scope.measure(self._to.model_id, root)

    def close(
        self, scope: Scope, feedback: Sequence[Any], others: Mapping[str, Sequence[Any]] | None = None
    ) -> list[str]:
        """The scores are in: the traces may leave. Returns the ids of this execution's traces so far.

        `others` maps the model id of another version to its own feedback.
        """
        with self._lock:
            scope.end(feedback, others or {})
            without_doubles([h.trace for h in scope.held if not (h.written or h.leaving)])
            for held in list(scope.held):
                self._ready(held, scope)
            ids = self.ids(scope)
            full = len(self._waiting) >= _WRITE_AT
        if internals.traces_in_memory() > _MOST_OPEN:
            self._hold.end_open(self._scopes.is_over)
        if full and not self._refused:
            self._write()
        return ids

    def ids(self, scope: Scope) -> list[str]:
        """The traces of an execution so far."""
        with self._lock:
            return [h.trace_id for h in scope.held]

    def flush(self) -> None:
        """Write all that has ended, as the test or MLflow asks; scores of open executions follow later."""
        with self._lock:
            for scope in self._scopes.all():
                for held in scope.held:
                    self._enqueue(held, scope)
        self._write()

    def finish(self) -> Count:
        """End what is open, write what is left, and say what could not be written."""
        self._hold.end_open(lambda info: (info.request_time or 0) >= self._start_ms)
        for scope in list(self._scopes.all()):
            if not scope.closed:
                self.close(scope, ())
        with self._lock:
            for held in self._strays:
                self._enqueue(held, None)
            self._strays = []
        self._write()
        if self._waiting and not self._writer.gave_up:
            self._write()
        with self._lock:
            missing = {h.trace_id: self._produced.get(h.trace_id, "") for h in self._waiting}
            errors = sorted({h.error for h in self._waiting if h.error} | self._errors)
            return Count(produced=len(self._produced), missing=missing, errors=errors, seen=self._seen.to_json())

    @property
    def produced(self) -> dict[str, str]:
        """Trace id -> the test it came from, for every trace of this process."""
        with self._lock:
            return dict(self._produced)

    def _arrived(self, held: Held) -> None:
        self._register(held)
        # Last: whatever happens here, the trace is not lost.
        self._paid(known_cost(held.trace))

    def _register(self, held: Held) -> None:
        with self._lock:
            scope, held.role = self._placed(held.trace.info, held.start_ns, held.here)
            without_doubles([held.trace])
            if scope is None:
                self._strays.append(held)
                return
            scope.held.append(held)
            if scope.closed:
                self._ready(held, scope)

    def _bypassed(self, info: TraceInfo) -> None:
        trace = live_trace(info.trace_id)
        with self._lock:
            scope, role = self._placed(info, time.time_ns(), current())
            if scope is not None and trace is not None:
                scope.held.append(Held(trace=trace, role=role, started=True, written=True))

    def _placed(self, info: TraceInfo, ns: int, here: Here | None) -> tuple[Scope | None, Role | None]:
        scope, role = self._scopes.place(info, ns, here)
        link(info, scope, self._to)
        self._produced[info.trace_id] = scope.test_name if scope else ""
        return scope, role

    def _ready(self, held: Held, scope: Scope) -> None:
        self._seen.take(held, scope)
        # Scores of an execution without a trace ride on the first that comes after all.
        for trace_id in (held.trace_id, None):
            if given := scope.feedback.pop(trace_id, None):
                self._attach(held, given)
        self._enqueue(held, scope)

    def _enqueue(self, held: Held, scope: Scope | None) -> None:
        if not (held.written or held.leaving) and held not in self._waiting:
            complete(held.trace.info, scope, self._to)
            self._waiting.append(held)

    def _attach(self, held: Held, feedback: list[Any]) -> None:
        for f in feedback:
            mask_feedback(f, self.mask)
            f.trace_id = held.trace_id
        if held.started or held.leaving:
            self._late.append((held, feedback))
        else:
            held.trace.info.assessments = [*held.trace.info.assessments, *feedback]

    def _write(self) -> None:
        with self._writing:
            with self._lock:
                batch, self._waiting = self._waiting, []
                for held in batch:
                    held.leaving = True
            with calm():
                failed = self._writer.write(batch)
            with self._lock:
                self._settle(batch, failed)
                late, self._late = self._late, []
            with calm():
                self._errors.update(self._writer.assess([f for _, fs in late for f in fs]))

    def _settle(self, batch: Sequence[Held], failed: Sequence[Held]) -> None:
        """What is stored need not stay in memory; what was refused waits for the last write."""
        self._refused = bool(failed)
        for held in batch:
            held.leaving = False
        self._waiting += failed
        for held, feedback in [entry for entry in self._late if not entry[0].started]:
            held.trace.info.assessments = [*held.trace.info.assessments, *feedback]
        self._late = [entry for entry in self._late if entry[0].started]
        for scope in self._scopes.all():
            if scope.closed and scope.held:
                scope.held = [h for h in scope.held if not h.written]
