"""Held traces -> the store, many at a time.

A trace's record is created first and its spans follow in bulk. MLflow's exporter does it the other way round,
and the store then merges the record into what the spans left, row by row.
"""

from __future__ import annotations

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.traces import internals

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlflow.entities import Assessment, Span, TraceInfo
    from mlflow.tracing.client import TracingClient

    from pytest_genaiver.adapters.traces.hold import Held

_HTTP_WRITERS = 8
_SPANS_A_WRITE = 500
_BYTES_A_WRITE = 8_000_000
_PATIENCE = {"local": 20.0, "remote": 4.0}  # seconds spent on failing; a remote store has failed in many threads


class TraceWriter:
    """Writes to one tracking URI. A trace that the store refuses keeps its error and can be tried again.

    `gave_up`: the last write ended before everything was tried, since failing took too long (a dead server).
    """

    def __init__(self, tracking_uri: str) -> None:
        from mlflow.tracing.client import TracingClient

        self._client: TracingClient = TracingClient(tracking_uri)
        remote = tracking_uri.startswith(("http://", "https://", "databricks"))
        self._writers = _HTTP_WRITERS if remote else 1
        self._patience = _PATIENCE["remote" if remote else "local"]
        self._lock = threading.Lock()
        self._failing = 0.0
        self._last_error = ""

    @property
    def gave_up(self) -> bool:
        return self._failing > self._patience

    def write(self, held: Sequence[Held]) -> list[Held]:
        """Write all that are not written yet; returns those that the store refused. Raises nothing."""
        self._failing = 0.0
        todo = [h for h in held if not h.written]
        for h in todo:
            h.error = None
        sizes = dict(zip(map(id, todo), self._start(todo), strict=True))
        started = [h for h in todo if h.error is None]
        for experiment_id, group in groupby(started, key=lambda h: h.trace.info.experiment_id):
            for chunk in _chunks(list(group), sizes):
                self._log_chunk(experiment_id, chunk)
        for h in started:
            h.written = h.error is None
        return [h for h in todo if not h.written]

    def assess(self, feedback: Sequence[Assessment]) -> list[str]:
        """Add scores to traces that are stored already; returns what went wrong, each error once."""
        errors = {self._tried(partial(self._client.log_assessment, str(f.trace_id), f)) for f in feedback}
        return sorted(e for e in errors if e)

    def _start(self, held: list[Held]) -> list[int]:
        if self._writers == 1:
            with internals.experiment_read_once(self._client):
                return [self._start_one(h) for h in held]
        with ThreadPoolExecutor(self._writers, thread_name_prefix="genaiver-write") as pool:
            return list(pool.map(self._start_one, held))

    def _start_one(self, held: Held) -> int:
        """Create the trace's record; returns its size in bytes."""
        size = internals.add_size(held.trace)
        if not held.started:
            held.error = self._tried(partial(self._create, held))
            held.started = held.error is None
        return size

    def _create(self, held: Held) -> None:
        info = self._client.start_trace(held.trace.info)
        self._attachments(held, info)
        internals.link_prompts(self._client, held.trace_id, held.prompts)

    def _attachments(self, held: Held, info: TraceInfo) -> None:
        attachments: dict[str, Any] = {}
        for span in held.trace.data.spans:
            attachments.update(internals.attachments_of(span))
        if attachments:
            internals.upload_attachments(self._client, info, attachments)

    def _log_chunk(self, experiment_id: str, chunk: list[Held]) -> None:
        spans: list[Span] = [s for h in chunk for s in h.trace.data.spans]
        error = self._tried(partial(self._log_spans, experiment_id, spans, chunk))
        if error is None:
            return
        if len(chunk) == 1:
            chunk[0].error = error
            return
        # One span that the store refuses must not take the others with it.
        for h in chunk:
            self._log_chunk(experiment_id, [h])

    def _log_spans(self, experiment_id: str, spans: list[Span], chunk: list[Held]) -> None:
        try:
            self._client.log_spans(experiment_id, spans)
        except NotImplementedError:
            # Servers before 3.4 take a trace's spans as an artifact.
            for h in chunk:
                internals.upload_spans(self._client, self._client.get_trace_info(h.trace_id), h.trace)

    def _tried(self, action: Callable[[], object]) -> str | None:
        """What went wrong, in one line; nothing is tried any more once failing has taken its time."""
        if self.gave_up:
            return self._last_error
        start = time.monotonic()
        try:
            action()
        except Exception as error:
            with self._lock:
                self._failing += time.monotonic() - start
                self._last_error = _reason(error)
            return self._last_error
        return None


def _chunks(held: list[Held], sizes: dict[int, int]) -> list[list[Held]]:
    """Traces to be written together, bounded in spans and bytes."""
    chunks: list[list[Held]] = [[]]
    spans = size = 0
    for h in held:
        spans += len(h.trace.data.spans)
        size += sizes[id(h)]
        if chunks[-1] and (spans > _SPANS_A_WRITE or size > _BYTES_A_WRITE):
            chunks.append([])
            spans, size = len(h.trace.data.spans), sizes[id(h)]
        chunks[-1].append(h)
    return chunks


def _reason(error: Exception) -> str:
    """The error's first line, the same for every trace that it met."""
    first = (str(error).splitlines() or [""])[0]
    return re.sub(r"\btr-[0-9a-f]{8,}", "tr-…", f"{type(error).__name__}: {first}")[:300]
