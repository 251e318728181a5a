"""Every name of MLflow's that is not public, each behind one function.

MLflow has no public way to hold a trace back, to write many at once, or to put its globals back as they were. When
one of these names moves, `tests/adapters/traces/test_canary.py` says which, and this is the file to mend.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mlflow.entities import LiveSpan, Trace, TraceInfo
    from mlflow.tracing.client import TracingClient
    from opentelemetry.sdk.trace import ReadableSpan


# The exporter


def replace_export(export: Callable[[Callable[[], None], Sequence[ReadableSpan]], None]) -> Callable[[], None]:
    """Call `export(original, spans)` wherever MLflow would export spans; returns what undoes it.

    It is replaced on the class: every change of tracking URI or destination builds a new exporter.
    """
    from mlflow.tracing.export.mlflow_v3 import MlflowV3SpanExporter

    before = MlflowV3SpanExporter.export

    def replaced(exporter: MlflowV3SpanExporter, spans: Sequence[ReadableSpan]) -> None:
        export(lambda: before(exporter, spans), spans)

    setattr(MlflowV3SpanExporter, "export", replaced)  # noqa: B010
    return lambda: setattr(MlflowV3SpanExporter, "export", before)


def replace_flush(flush: Callable[[], None]) -> Callable[[], None]:
    """Call `flush()` whenever MLflow flushes its traces; returns what undoes it.

    The one function that `flush_trace_async_logging`, `search_traces(flush=True)` and `get_trace(flush=True)` share.
    """
    from mlflow.tracing.processor import base_mlflow

    before = base_mlflow.flush_all_batch_processors

    def replaced(*args: Any, **kwargs: Any) -> None:
        before(*args, **kwargs)
        flush()

    setattr(base_mlflow, "flush_all_batch_processors", replaced)  # noqa: B010
    return lambda: setattr(base_mlflow, "flush_all_batch_processors", before)


def retire_batching() -> None:
    """Make spans reach the exporter in the thread that ends them.

    OpenTelemetry's batch processor, which MLflow uses by default, drops spans silently once 2,048 are queued.
    New providers are built without it (`MLFLOW_USE_BATCH_SPAN_PROCESSOR=false`); one that was built before the
    session started is emptied here, and goes on without.
    """
    import mlflow
    from mlflow.tracing.processor.base_mlflow import BaseMlflowSpanProcessor
    from mlflow.tracing.provider import _get_span_processor, provider

    if not provider.once._done:
        return
    mlflow.flush_trace_async_logging()
    processor = _get_span_processor()
    if isinstance(processor, BaseMlflowSpanProcessor) and (batching := processor._batch_delegate) is not None:
        # MLflow's own `retire_batch_processor` shuts the whole processor down, which then ignores every span.
        processor._batch_delegate = None
        batching.shutdown()


# Traces in memory


def manager() -> Any:
    """MLflow's traces that have not been exported: `get_trace`, `pop_trace`, `has_open_spans`, ids by OTel id."""
    from mlflow.tracing.trace_manager import InMemoryTraceManager

    return InMemoryTraceManager.get_instance()


def open_spans() -> list[tuple[TraceInfo, list[LiveSpan]]]:
    """Every trace with spans that have not ended, oldest first."""
    found = manager()
    with found._lock:
        traces = sorted(found._traces.values(), key=lambda t: t.info.request_time or 0)
        return [(t.info, spans) for t in traces if (spans := _unended(t))]


def traces_in_memory() -> int:
    """How many traces MLflow holds; it drops the oldest silently once there are 1,000."""
    found = manager()
    with found._lock:
        return len(found._traces)


def trace_info(otel_id: int) -> TraceInfo | None:
    """What MLflow knows of a trace that is in memory; None for one that has left, or is another process's."""
    found = manager()
    with found.get_trace(found.get_mlflow_trace_id_from_otel_id(otel_id)) as trace:
        return None if trace is None or trace.is_remote_trace else trace.info


def _unended(trace: Any) -> list[LiveSpan]:
    return [s for s in trace.span_dict.values() if s.end_time_ns is None]


def written_attributes(span: LiveSpan) -> dict[str, Any]:
    """A span's attributes as they are written: JSON, for the greatest part."""
    return dict(span._span.attributes or {})


def write_attribute(span: LiveSpan, name: str, written: str) -> None:
    otel: Any = span._span
    otel.set_attribute(name, written)


def is_recorded(span: object) -> bool:
    """Whether a span is a real one: tracing may be switched off, or leave this trace out by its sampling ratio."""
    from mlflow.entities import NoOpSpan

    return not isinstance(span, NoOpSpan)


def inside_evaluate() -> bool:
    """Whether `mlflow.genai.evaluate` is calling: it reads each trace back at once."""
    from mlflow.tracing.utils import maybe_get_request_id

    return bool(maybe_get_request_id(is_evaluate=True))


def attachments_of(span: Any) -> dict[str, Any]:
    """Files that MLflow took out of a span's inputs and outputs: id -> attachment."""
    return dict(getattr(span, "_attachments", {}))


def set_attachments(span: Any, attachments: dict[str, Any]) -> None:
    setattr(span, "_attachments", attachments)  # noqa: B010


# Writing


def add_size(trace: Trace) -> int:
    """Record a trace's size as MLflow's exporter does; returns it in bytes, 0 where it could not be told."""
    from mlflow.tracing.constant import TraceMetadataKey
    from mlflow.tracing.utils import add_size_stats_to_trace_metadata

    add_size_stats_to_trace_metadata(trace)
    return int(trace.info.trace_metadata.get(TraceMetadataKey.SIZE_BYTES, 0))


def upload_spans(client: TracingClient, info: TraceInfo, trace: Trace) -> None:
    """A trace's spans as an artifact."""
    client._upload_trace_data(info, trace.data)


def upload_attachments(client: TracingClient, info: TraceInfo, attachments: dict[str, Any]) -> None:
    client._upload_attachments(info, attachments)


def link_prompts(client: TracingClient, trace_id: str, prompts: Sequence[Any]) -> None:
    from mlflow.tracing.export.utils import try_link_prompts_to_trace

    try_link_prompts_to_trace(client, trace_id, prompts, synchronous=True)


@contextlib.contextmanager
def experiment_read_once(client: TracingClient) -> Iterator[None]:
    """Within, what this thread writes reads its experiment once.

    MLflow's SQL store reads it anew for every trace, which is more than a third of the time that a trace's record
    takes. A store of another kind does not ask, and other threads read as ever.
    """
    try:
        store = client.store
    except Exception:
        store = None  # a database that is gone: each write will say so itself
    if store is None:
        yield
        return
    before: Callable[[str], Any] = store.get_experiment
    known: dict[str, Any] = {}
    thread = threading.get_ident()

    def get_experiment(experiment_id: str) -> Any:
        if threading.get_ident() != thread:
            return before(experiment_id)
        if experiment_id not in known:
            known[experiment_id] = before(experiment_id)
        return known[experiment_id]

    store.get_experiment = get_experiment
    try:
        yield
    finally:
        del store.get_experiment


def price(model: str, usage: Mapping[str, int], provider: str | None) -> float | None:
    """US dollars, by MLflow's price table (litellm's where that is installed); None for an unknown model."""
    from mlflow.tracing.utils import calculate_cost_by_model_and_token_usage

    cost = calculate_cost_by_model_and_token_usage(model, dict(usage), provider)
    return float(cost["total_cost"]) if cost else None


# Contexts


@contextlib.contextmanager
def outside_any_trace() -> Iterator[None]:
    """What starts a span within it starts a trace."""
    token = _detach()
    try:
        yield
    finally:
        _attach(token)


def _detach() -> Any:
    from mlflow.tracing.provider import get_context_api
    from opentelemetry.context import Context

    return get_context_api().attach(Context())


def _attach(token: Any) -> None:
    from mlflow.tracing.provider import get_context_api

    # An async fixture may leave a block in another context than it entered it in.
    with contextlib.suppress(ValueError):
        get_context_api().detach(token)


@contextlib.contextmanager
def switching_starts_a_trace(current: Callable[[], Any]) -> Iterator[None]:
    """Within it, `with mlflow.set_active_model(...)` in a test (`current()` is not None) leaves the open trace.

    A trace's version is fixed when it starts: a call under the test's own root would be linked to the wrong one.
    """
    from mlflow import ActiveModel

    model: Any = ActiveModel
    enter, leave = model.__enter__, model.__exit__
    tokens: dict[int, Any] = {}

    def detached_enter(active: ActiveModel) -> Any:
        if current() is not None:
            tokens[id(active)] = _detach()
        return enter(active)

    def detached_exit(active: ActiveModel, *exc: Any) -> Any:
        if (token := tokens.pop(id(active), None)) is not None:
            _attach(token)
        return leave(active, *exc)

    model.__enter__, model.__exit__ = detached_enter, detached_exit
    try:
        yield
    finally:
        model.__enter__, model.__exit__ = enter, leave


# Autologging


def genai_modules() -> dict[str, str]:
    """MLflow flavour -> the module that it traces."""
    from mlflow.ml_package_versions import GENAI_FLAVOR_TO_MODULE_NAME

    return dict(GENAI_FLAVOR_TO_MODULE_NAME)


def autologging(name: str) -> dict[str, Any]:
    """The configuration of an autologging integration, live; empty where `autolog()` was never called."""
    from mlflow.utils.autologging_utils import AUTOLOGGING_INTEGRATIONS

    config: dict[str, Any] = AUTOLOGGING_INTEGRATIONS.get(name, {})
    return config
