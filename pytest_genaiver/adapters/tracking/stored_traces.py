"""The traces that a store holds of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_genaiver.adapters.tracking.failures import translated
from pytest_genaiver.adapters.tracking.paging import PAGE, batches, pages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_genaiver.adapters.tracking.store import Store


def trace_ids(store: Store, run_id: str, among: Iterable[str] = ()) -> set[str]:
    """The ids of all traces that the store holds for a session, and of those `among` that it holds for another
    run: what `mlflow.genai.evaluate` stored within a test belongs to the run that it made.
    """
    with translated("count the stored traces"):
        ids = _found(store, run_id=run_id)
        for batch in batches([i for i in among if i not in ids], PAGE):
            quoted = ", ".join(f"'{i}'" for i in batch)
            ids |= _found(store, filter_string=f"trace.request_id IN ({quoted})")
    return ids


def _found(store: Store, **search: str) -> set[str]:
    client, place = store.client(), [store.experiment_id]
    found = pages(
        lambda token: client.search_traces(
            locations=place, include_spans=False, max_results=PAGE, page_token=token, **search
        )
    )
    return {t.info.trace_id for t in found}
