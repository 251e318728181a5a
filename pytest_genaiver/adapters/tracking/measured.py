"""What MLflow's own table of versions knows: their means, without reading a file of any session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_genaiver.adapters.tracking.failures import translated
from pytest_genaiver.adapters.tracking.paging import PAGE, pages
from pytest_genaiver.adapters.tracking.store import ref_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow.entities import LoggedModel

    from pytest_genaiver.adapters.tracking.store import Store, VersionRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A version with its means: metric key -> run of a session -> value. `tags` are the version's."""

    ref: VersionRef
    means: dict[str, dict[str, float]]
    tags: dict[str, str]


def measured(store: Store, shas: Sequence[str], app: str) -> list[Measured]:
    """All versions of this app recorded for any of these commits (full SHAs), dirty ones too, oldest first."""
    with translated("look up recorded versions"):
        found = store.models_of_commits(shas)
    return [_measured(model) for model in found if model.tags.get("genaiver.app") == app]


def newest_measured(store: Store, app: str, limit: int, *, variant: str | None = None) -> list[Measured]:
    """The newest versions of this app and variant, newest first: for a project outside git."""
    client, found = store.client(), list[Measured]()
    with translated("look up recorded versions"):
        for model in pages(
            lambda token: client.search_logged_models(
                [store.experiment_id],
                max_results=min(limit + 1, PAGE),
                order_by=[{"field_name": "creation_timestamp", "ascending": False}],
                page_token=token,
            )
        ):
            if (model.tags.get("genaiver.app"), model.tags.get("genaiver.variant")) == (app, variant):
                found.append(_measured(model))
            if len(found) == limit:
                break
    return found


def facts_of(store: Store, model_id: str) -> Measured:
    """One version with its means and tags."""
    with translated(f"look up the model {model_id!r}"):
        return _measured(store.client().get_logged_model(model_id))


def unfinished_runs(store: Store) -> dict[str, str]:
    """Run -> model of every session that was cut short, or is not over yet."""
    client = store.client()
    with translated("look up the sessions that were cut short"):
        found = pages(
            lambda token: client.search_runs(
                [store.experiment_id],
                filter_string="tags.`genaiver.complete` = 'false'",
                max_results=PAGE,
                page_token=token,
            )
        )
        return {run.info.run_id: run.data.tags.get("genaiver.model_id", "") for run in found}


def _measured(model: LoggedModel) -> Measured:
    means: dict[str, dict[str, float]] = {}
    for metric in model.metrics or ():
        means.setdefault(metric.key, {})[metric.run_id or ""] = metric.value
    return Measured(ref=ref_of(model), means=means, tags=dict(model.tags))
