"""What recorded versions measured: their aggregates, as MLflow's version table shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.tracking.failures import translated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlflow.entities import LoggedModel

    from pytest_genaiver.adapters.tracking.store import Store

_MOST_ASKED = 200
_MOST_FOUND = 100


def metrics_of_commits(
    store: Store, shas: Sequence[str], app: str, variant: str | None
) -> list[tuple[str, Mapping[str, float]]]:
    """(name, metric -> newest value) of the clean versions of these commits, in their order.

    One question to the store, whatever it holds; of the commits the first 200. Raises StoreError.
    """
    asked = {sha: place for place, sha in enumerate(shas[:_MOST_ASKED])}
    if not asked:
        return []
    quoted = ", ".join(f"'{sha}'" for sha in asked)
    with translated("read the history of the metrics"):
        found: Any = store.client().search_logged_models(
            [store.experiment_id],
            filter_string=f"tags.`genaiver.commit` IN ({quoted})",
            max_results=_MOST_FOUND,
            order_by=[{"field_name": "creation_timestamp", "ascending": False}],
        )
    ours = [m for m in found if _is_clean(m, app, variant)]
    ours.sort(key=lambda m: asked[m.tags["genaiver.commit"]])
    return [(m.name, _newest(m)) for m in ours]


def _is_clean(model: LoggedModel, app: str, variant: str | None) -> bool:
    tags = model.tags
    same = tags.get("genaiver.app") == app and tags.get("genaiver.variant") == variant
    return same and tags.get("genaiver.dirty") != "true"


def _newest(model: LoggedModel) -> dict[str, float]:
    values = sorted(model.metrics or (), key=lambda m: m.timestamp)
    return {m.key: m.value for m in values}
