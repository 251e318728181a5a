"""The one place where finished traces are kept back from MLflow's exporter.

MLflow has no public way to hold a trace. The names used here are private to MLflow:
`MlflowV3SpanExporter.export` (replaced on the class, so that it survives every change of experiment or
destination, which build new exporters), the in-memory trace manager, and the attribute `_span_batcher` by which
MLflow's own flush finds what an exporter holds. `tests/adapters/traces/test_canary.py` fails when one of them moves.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mlflow.entities import LiveSpan, Trace
    from opentelemetry.sdk.trace import ReadableSpan


@dataclass(slots=True, eq=False)
class Held:
    """A trace that has ended and is not yet written."""

    trace: Trace
    prompts: Sequence[Any] = ()
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
    asks MLflow to flush its traces. `on_bypass` is told the id of a trace that had to be stored at once by MLflow
    itself (inside `mlflow.genai.evaluate`, which reads it back immediately).
    """

    def __init__(
        self,
        *,
        on_trace: Callable[[Held], None],
        on_flush: Callable[[], None],
        on_bypass: Callable[[str], None],
    ) -> None:
        self._on_trace = on_trace
        self._on_flush = on_flush
        self._on_bypass = on_bypass
        self._pending: dict[int, ReadableSpan] = {}
        self._lock = threading.Lock()
        self._restore: list[Callable[[], None]] = []

    def install(self) -> None:
        from mlflow.tracing.export.mlflow_v3 import MlflowV3SpanExporter

        original = MlflowV3SpanExporter.export

        def export(exporter: MlflowV3SpanExporter, spans: Sequence[ReadableSpan]) -> None:
            self._export(lambda: original(exporter, spans), spans)

        setattr(MlflowV3SpanExporter, "export", export)  # noqa: B010
        setattr(MlflowV3SpanExporter, "_span_batcher", self)  # noqa: B010
        self._restore.append(lambda: setattr(MlflowV3SpanExporter, "export", original))
        self._restore.append(lambda: delattr(MlflowV3SpanExporter, "_span_batcher"))
        retire_batching()

    def uninstall(self) -> None:
        while self._restore:
            self._restore.pop()()

    def flush(self) -> None:
        """MLflow's flush reaches us here (as an exporter's `_span_batcher`)."""
        self._on_flush()

    def shutdown(self) -> None:
        """MLflow's flush with `terminate=True`."""
        self._on_flush()

    def _export(self, original: Callable[[], None], spans: Sequence[ReadableSpan]) -> None:
        if _inside_evaluate():
            for trace_id in _root_trace_ids(spans):
                self._on_bypass(trace_id)
            original()
            return
        self._release_pending()
        for span in spans:
            if span.parent is None and span.context is not None:
                self._root_ended(span.context.trace_id, span)

    def _root_ended(self, otel_id: int, span: ReadableSpan) -> None:
        manager = _manager()
        if manager.has_open_spans(otel_id):
            with self._lock:
                self._pending[otel_id] = span
            return
        self._pop(otel_id)

    def _release_pending(self) -> None:
        manager = _manager()
        with self._lock:
            ready = [i for i in self._pending if not manager.has_open_spans(i)]
            for otel_id in ready:
                del self._pending[otel_id]
        for otel_id in ready:
            self._pop(otel_id)

    def _pop(self, otel_id: int) -> None:
        popped = _manager().pop_trace(otel_id)
        if popped is not None:
            _clean(popped.trace)
            self._on_trace(Held(trace=popped.trace, prompts=tuple(popped.prompts)))

    def end_open(self, wanted: Callable[[str, dict[str, str]], bool]) -> list[str]:
        """End every span that is still open in the traces that `wanted(trace_id, tags)` names.

        A stream that nobody read to its end, or a thread that outlives its test, would otherwise keep its trace
        from ever being written. Returns the ids of these traces.
        """
        ended: list[str] = []
        for trace_id, spans in _open_spans(wanted):
            for span in reversed(spans):
                span.set_attribute("genaiver.ended_by_session", True)
                span.end()
            ended.append(trace_id)
        self._release_pending()
        return ended


def _manager() -> Any:
    from mlflow.tracing.trace_manager import InMemoryTraceManager

    return InMemoryTraceManager.get_instance()


def _inside_evaluate() -> bool:
    from mlflow.tracing.utils import maybe_get_request_id

    return bool(maybe_get_request_id(is_evaluate=True))


def _root_trace_ids(spans: Iterable[ReadableSpan]) -> list[str]:
    manager = _manager()
    roots = [s.context.trace_id for s in spans if s.parent is None and s.context is not None]
    return [t for t in map(manager.get_mlflow_trace_id_from_otel_id, roots) if t]


def _open_spans(wanted: Callable[[str, dict[str, str]], bool]) -> list[tuple[str, list[LiveSpan]]]:
    manager = _manager()
    found = []
    with manager._lock:
        for trace_id, trace in list(manager._traces.items()):
            spans = [s for s in trace.span_dict.values() if s.end_time_ns is None]
            if spans and wanted(trace_id, trace.info.tags):
                found.append((trace_id, spans))
    return found


def live_trace(trace_id: str) -> Trace | None:
    """The trace as it stands in memory, open spans included; None once it has left memory."""
    with _manager().get_trace(trace_id) as trace:
        return trace.to_mlflow_trace() if trace is not None else None


def retire_batching() -> None:
    """Make spans reach the exporter in the thread that ends them.

    OpenTelemetry's batch processor, which MLflow uses by default, drops spans silently once 2,048 are queued.
    New providers are built without it (`MLFLOW_USE_BATCH_SPAN_PROCESSOR=false`); one that was built before the
    session started is emptied and retired here.
    """
    from mlflow.tracing.processor.base_mlflow import BaseMlflowSpanProcessor, retire_batch_processor
    from mlflow.tracing.provider import _get_span_processor, provider

    if provider.once._done:
        processor = _get_span_processor()
        if isinstance(processor, BaseMlflowSpanProcessor):
            retire_batch_processor(processor)


def _clean(trace: Trace) -> None:
    """Metadata and tags must be strings: one UUID among them loses the whole trace on its way to the store."""
    trace.info.trace_metadata = _texts(trace.info.trace_metadata)
    trace.info.tags = _texts(trace.info.tags)


def _texts(values: dict[Any, Any]) -> dict[str, str]:
    return {str(k): v if isinstance(v, str) else str(v) for k, v in values.items()}
