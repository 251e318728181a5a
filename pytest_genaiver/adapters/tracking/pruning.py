"""Dropping recorded versions: what there is of each, and its end in steps that may be interrupted."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING

from pytest_genaiver.adapters.tracking import files
from pytest_genaiver.adapters.tracking.deployments import PINNED
from pytest_genaiver.adapters.tracking.failures import translated
from pytest_genaiver.adapters.tracking.paging import PAGE, batches, pages
from pytest_genaiver.core.deployments import DEPLOYED
from pytest_genaiver.core.pruning import DAY_MS, VersionRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mlflow.entities import LoggedModel, Run, TraceInfo

    from pytest_genaiver.adapters.tracking.store import Store

PRUNED = "genaiver.pruned"
"""The tag of a version whose end has begun."""

TRACES_A_CALL = 100
"""MLflow deletes at most so many by id."""

_MODEL, _SIZE = "mlflow.modelId", "mlflow.trace.sizeBytes"


def inventory(store: Store, app: str) -> list[VersionRecord]:
    """Every version of this app with its sessions: two searches, however many there are."""
    with translated("list the recorded versions"):
        runs: dict[str, list[Run]] = defaultdict(list)
        for run in _runs(store):
            runs[run.data.tags["genaiver.model_id"]].append(run)
        return [
            _record(model, runs[model.model_id]) for model in _models(store) if model.tags.get("genaiver.app") == app
        ]


def traces_of(store: Store, version: VersionRecord) -> dict[str, int]:
    """Trace id -> bytes of all that belongs to a version: what is linked to it, wherever it was recorded, and what
    its own sessions recorded without a link; never what they recorded of another version.
    """
    with translated(f"list the traces of {version.name!r}"):
        linked = list(_traces(store, model_id=version.model_id))
        loose = [t for run in version.runs for t in _traces(store, run_id=run) if _MODEL not in t.trace_metadata]
    return {t.trace_id: _size(t) for t in [*linked, *loose]}


def artifact_bytes(store: Store, version: VersionRecord) -> int | None:
    """How much the files of a version take; None where they lie on a server."""
    folders = [files.folder(store.place, uri) for uri in version.artifacts]
    if None in folders:
        return None
    found = [path for folder in folders if folder for path in folder.rglob("*")]
    return sum(path.stat().st_size for path in found if path.is_file() and not path.is_symlink())


def still_free(store: Store, version: VersionRecord) -> bool:
    """Whether it was neither pinned nor deployed since it was looked at; False too where it is gone."""
    from mlflow.exceptions import MlflowException

    with translated(f"look up {version.name!r}"):
        try:
            tags = store.client().get_logged_model(version.model_id).tags
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return False
            raise
    return PINNED not in tags and DEPLOYED not in tags


def drop(store: Store, version: VersionRecord, traces: Sequence[str], told: Callable[[int], None]) -> None:
    """Mark the version and its sessions, so that none looks whole from here on; drop its traces, then its sessions,
    then itself. `told(n)` hears of every n traces that went. Done again after an interruption, it does what is left.
    """
    with translated(f"drop {version.name!r}"):
        client = store.client()
        client.set_logged_model_tags(version.model_id, {PRUNED: "true"})
        for run in version.runs:
            client.set_tag(run, "genaiver.complete", "pruned")
        for batch in batches(traces, TRACES_A_CALL):
            client.delete_traces(store.experiment_id, trace_ids=list(batch))
            told(len(batch))
        for run in version.runs:
            client.delete_run(run)
        client.delete_logged_model(version.model_id)


def _record(model: LoggedModel, runs: Sequence[Run]) -> VersionRecord:
    tags = model.tags
    return VersionRecord(
        model_id=model.model_id,
        name=model.name,
        last_ms=max((r.info.start_time for r in runs), default=model.creation_timestamp),
        runs=tuple(r.info.run_id for r in runs),
        artifacts=(*(str(r.info.artifact_uri) for r in runs), str(model.artifact_location)),
        commit=tags.get("genaiver.commit"),
        variant=tags.get("genaiver.variant"),
        deployed=DEPLOYED in tags,
        pinned=PINNED in tags,
        half=PRUNED in tags,
        running=any(r.info.status == "RUNNING" and r.info.start_time > _today() for r in runs),
    )


def _today() -> int:
    """A session that crashed says for ever that it runs; one that began within a day may do so."""
    return int(time.time() * 1000) - DAY_MS


def _models(store: Store) -> Iterator[LoggedModel]:
    client = store.client()
    return pages(lambda token: client.search_logged_models([store.experiment_id], max_results=PAGE, page_token=token))


def _runs(store: Store) -> Iterator[Run]:
    client = store.client()
    return pages(
        lambda token: client.search_runs(
            [store.experiment_id],
            filter_string="tags.`genaiver.model_id` != ''",
            max_results=PAGE,
            page_token=token,
        )
    )


def _traces(store: Store, **search: str) -> Iterable[TraceInfo]:
    client = store.client()
    found = pages(
        lambda token: client.search_traces(
            locations=[store.experiment_id], include_spans=False, max_results=PAGE, page_token=token, **search
        )
    )
    return (trace.info for trace in found)


def _size(trace: TraceInfo) -> int:
    text = trace.trace_metadata.get(_SIZE, "")
    return int(text) if text.isdecimal() else 0
