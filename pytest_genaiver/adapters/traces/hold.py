"""The one place where finished traces are kept back from MLflow's exporter."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.traces import internals
from pytest_genaiver.adapters.traces.attribution import Here, current
from pytest_genaiver.adapters.traces.storable import make_storable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlflow.entities import Trace, TraceInfo
    from opentelemetry.sdk.trace import ReadableSpan

    from pytest_genaiver.adapters.traces.scope import Role
    from pytest_genaiver.core.secrets import Mask


@dataclass(slots=True, eq=False)
class Held:
    """A trace that has ended. `leaving`: a write that includes it is under way. `started`: the store has its record;
    `written`: and its spans. `role`: what its calls are, None where the time must tell. `here`: what
    the thread that ended it belongs to.
    """

    trace: Trace
    prompts: Sequence[Any] = ()
    role: Role | None = None
    here: Here | None = None
    leaving: bool = False
    started: bool = False
    written: bool = False
    error: str | None = None

    @property
    def trace_id(self) -> str:
        return self.trace.info.trace_id

    @property
    def start_ns(self) -> int:
        spans = self.trace.data.spans
        return min((s.start_time_ns for s in spans), default=self.trace.info.request_time * 1_000_000)


class Hold:
    """Receives every finished span of the process while installed; thread-safe.

    `on_trace` is told of each trace that ended, in the thread that ended it. `on_flush` is called when somebody
    asks MLflow to flush its traces. `on_bypass` is told of a trace that MLflow itself is about to store at once
    (inside `mlflow.genai.evaluate`, which reads it back immediately), and may complete its info. Secrets that `mask`
    finds in a trace are masked.
    """

    def __init__(
        self,
        *,
        on_trace: Callable[[Held], None],
        on_flush: Callable[[], None],
        on_bypass: Callable[[TraceInfo], None],
        mask: Mask,
    ) -> None:
        self._mask = mask
        self._on_trace = on_trace
        self._on_flush = on_flush
        self._on_bypass = on_bypass
        # Whose each is must be asked in the thread that ended it: another one may hand it on.
        self._pending: dict[int, Here | None] = {}
        self._lock = threading.Lock()
        self._releasing = threading.RLock()
        self._restore: list[Callable[[], None]] = []

    def install(self) -> None:
        # What was traced before the session leaves as MLflow would have it.
        internals.retire_batching()
        self._restore += [internals.replace_export(self._export), internals.replace_flush(self._on_flush)]

    def uninstall(self) -> None:
        while self._restore:
            self._restore.pop()()

    def _export(self, original: Callable[[], None], spans: Sequence[ReadableSpan]) -> None:
        infos = [(s, internals.trace_info(s.context.trace_id)) for s in spans if s.context is not None]
        if internals.inside_evaluate():
            for span, info in infos:
                if span.parent is None and info is not None:
                    self._on_bypass(info)
            original()
            return
        if any(info is None for _, info in infos):
            # Spans of a trace that another process started are that process's to finish.
            original()
            return
        for span, _ in infos:
            if span.parent is None and span.context is not None:
                with self._lock:
                    self._pending[span.context.trace_id] = current()
        self._release()

    def _release(self) -> None:
        """Hand on every trace whose root and last span have ended.

        One thread at a time: who ends a trace finds it handed on when it returns, also where another thread did it.
        """
        manager = internals.manager()
        with self._releasing:
            while (ready := self._next_ready()) is not None:
                popped = manager.pop_trace(ready[0])
                if popped is not None:
                    trace, prompts = make_storable(popped.trace, self._mask), tuple(popped.prompts)
                    self._on_trace(Held(trace=trace, prompts=prompts, here=ready[1]))

    def _next_ready(self) -> tuple[int, Here | None] | None:
        manager = internals.manager()
        with self._lock:
            ready = next((i for i in self._pending if not manager.has_open_spans(i)), None)
            return None if ready is None else (ready, self._pending.pop(ready))

    def end_open(self, wanted: Callable[[TraceInfo], bool]) -> None:
        """End every span that is still open in the traces that `wanted` names.

        A stream that nobody read to its end, or a thread that outlives its test, would otherwise keep its trace
        from ever being written.
        """
        for info, spans in internals.open_spans():
            if wanted(info):
                for span in reversed(spans):
                    span.set_attribute("genaiver.ended_by_session", True)
                    span.end()
        self._release()


def live_trace(trace_id: str) -> Trace | None:
    """The trace as it stands in memory, open spans included; None once it has left memory."""
    with internals.manager().get_trace(trace_id) as trace:
        return trace.to_mlflow_trace() if trace is not None else None
