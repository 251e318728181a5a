"""Held traces -> the store, many at a time.

A trace's record is created first and its spans follow in bulk. MLflow's exporter does it the other way round,
and the store then merges the record into what the spans left, row by row: four times the work.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow.entities import Span, TraceInfo
    from mlflow.tracing.client import TracingClient

    from pytest_genaiver.adapters.traces.hold import Held

_HTTP_WRITERS = 8
_SPANS_A_WRITE = 500


class TraceWriter:
    """Writes to one tracking URI. A trace that the store refuses keeps its error and can be tried again."""

    def __init__(self, tracking_uri: str) -> None:
        from mlflow.tracing.client import TracingClient

        self._client: TracingClient = TracingClient(tracking_uri)
        remote = tracking_uri.startswith(("http://", "https://", "databricks"))
        self._writers = _HTTP_WRITERS if remote else 1

    def write(self, held: Sequence[Held]) -> list[Held]:
        """Write all that are not written yet; returns those that the store refused."""
        todo = [h for h in held if not h.written]
        started = [h for h in self._start(todo) if h.error is None]
        for experiment_id, group in groupby(started, key=lambda h: h.trace.info.experiment_id):
            self._log_spans(experiment_id, list(group))
        for h in started:
            h.written = h.error is None
        return [h for h in todo if not h.written]

    def _start(self, held: list[Held]) -> list[Held]:
        if self._writers == 1 or len(held) < 2:
            return [self._start_one(h) for h in held]
        with ThreadPoolExecutor(self._writers, thread_name_prefix="genaiver-write") as pool:
            return list(pool.map(self._start_one, held))

    def _start_one(self, held: Held) -> Held:
        from mlflow.tracing.utils import add_size_stats_to_trace_metadata

        held.error = None
        try:
            add_size_stats_to_trace_metadata(held.trace)
            info = self._client.start_trace(held.trace.info)
            self._attachments(held, info)
            self._prompts(held)
        except Exception as error:
            held.error = _reason(error)
        return held

    def _attachments(self, held: Held, info: TraceInfo) -> None:
        attachments: dict[str, Any] = {}
        for span in held.trace.data.spans:
            attachments.update(getattr(span, "_attachments", {}))
        if attachments:
            self._client._upload_attachments(info, attachments)

    def _prompts(self, held: Held) -> None:
        from mlflow.tracing.export.utils import try_link_prompts_to_trace

        if held.prompts:
            try_link_prompts_to_trace(self._client, held.trace_id, held.prompts, synchronous=True)

    def _log_spans(self, experiment_id: str, group: list[Held]) -> None:
        chunk: list[Held] = []
        for h in group:
            chunk.append(h)
            if sum(len(c.trace.data.spans) for c in chunk) >= _SPANS_A_WRITE:
                self._log_chunk(experiment_id, chunk)
                chunk = []
        if chunk:
            self._log_chunk(experiment_id, chunk)

    def _log_chunk(self, experiment_id: str, chunk: list[Held]) -> None:
        spans: list[Span] = [s for h in chunk for s in h.trace.data.spans]
        try:
            self._client.log_spans(experiment_id, spans)
        except NotImplementedError:
            self._upload(chunk)
        except Exception as error:
            if len(chunk) == 1:
                chunk[0].error = _reason(error)
                return
            # One span that the store refuses must not take the others with it.
            for h in chunk:
                self._log_chunk(experiment_id, [h])

    def _upload(self, chunk: list[Held]) -> None:
        """Stores without span logging (files, servers before 3.4) take a trace's spans as an artifact."""
        for h in chunk:
            try:
                self._client._upload_trace_data(self._client.get_trace_info(h.trace_id), h.trace.data)
            except Exception as error:
                h.error = _reason(error)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:300]
