"""The sessions of many versions at once."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from pytest_genaiver.adapters.tracking.failures import translated
from pytest_genaiver.adapters.tracking.paging import PAGE, batches
from pytest_genaiver.adapters.tracking.store import session_ref

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlflow.entities import Run

    from pytest_genaiver.adapters.tracking.store import SessionRef, Store, VersionRef


def sessions_of(store: Store, refs: Sequence[VersionRef]) -> dict[str, list[SessionRef]]:
    """Model id -> the sessions of each of these versions, newest first, in as many searches for one as for hundreds.

    MLflow finds many runs at once by their ids alone, and a version tells those of which it holds a metric. A session
    without one has no value to compare with; a version without any is asked for alone.
    """
    found: dict[str, list[SessionRef]] = {ref.model_id: [] for ref in refs}
    runs = list(dict.fromkeys(chain.from_iterable(ref.runs for ref in refs)))
    with translated("look up the sessions of versions"):
        for run in _runs(store, runs):
            if (model_id := run.data.tags.get("genaiver.model_id")) in found:
                found[model_id].append(session_ref(run))
    for sessions in found.values():
        sessions.sort(key=lambda s: s.started_ms, reverse=True)
    return {ref.model_id: found[ref.model_id] if ref.runs else store.sessions(ref.model_id) for ref in refs}


def _runs(store: Store, ids: Sequence[str]) -> Iterator[Run]:
    for batch in batches(ids, PAGE):
        quoted = ", ".join(f"'{run}'" for run in batch)
        yield from store.client().search_runs(
            [store.experiment_id],
            filter_string=f"attributes.run_id IN ({quoted}) AND tags.`genaiver.complete` != ''",
            max_results=PAGE,
        )
