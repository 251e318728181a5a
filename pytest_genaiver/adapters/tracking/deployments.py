"""The record of deployments and pins: tags on the versions, which nothing here ever overwrites."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from pytest_genaiver.adapters.tracking.failures import translated
from pytest_genaiver.adapters.tracking.paging import PAGE, pages
from pytest_genaiver.adapters.tracking.place import locked
from pytest_genaiver.core.deployments import (
    DEPLOYED,
    Deployment,
    deployments_in,
    environment_tag,
    in_order,
    running_at,
    tags_of,
)
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlflow.entities import LoggedModel

    from pytest_genaiver.adapters.tracking.store import Store, VersionRef

PINNED = "genaiver.pinned"


def deploy(store: Store, ref: VersionRef, env: str, at: datetime, *, by: str | None = None) -> Deployment:
    """Record that this version runs in `env` from `at` on. Said twice, it is on record once.

    Raises ConfigError where another version is on record for that very time, StoreError.
    """
    with translated(f"record the deployment of {ref.name!r}"), locked(store.place):
        client = store.client()
        made = Deployment(
            env=env,
            at=at.astimezone(timezone.utc),
            version=ref.name,
            model_id=ref.model_id,
            by=by,
            recorded=datetime.now(timezone.utc),
            app=client.get_logged_model(ref.model_id).tags.get("genaiver.app"),
        )
        same = [d for d in _deployments(store, env, made.app) if d.at == made.at]
        if not same:
            client.set_logged_model_tags(ref.model_id, tags_of(made))
            return made
    for known in same:
        if known.model_id == ref.model_id:
            return known
    raise ConfigError(
        f"{env} at {made.at.isoformat()}: {same[0].version} is on record for that very time, and a record is never "
        "overwritten; give another time with --at"
    )


def deployments(store: Store, env: str | None = None, *, app: str | None = None) -> list[Deployment]:
    """All that is on record, or what is of one environment and one app, oldest first: one search."""
    with translated("look up the deployments"):
        return _deployments(store, env, app)


def deployments_of(store: Store, model_id: str) -> list[Deployment]:
    """The deployments of one version, oldest first."""
    with translated("look up the version's deployments"):
        return in_order(_deployments_in(store.client().get_logged_model(model_id)))


def deployed_at(store: Store, env: str, at: datetime, *, app: str | None = None) -> Deployment | None:
    """What ran in an environment at that time; None where nothing did, or nothing is on record."""
    return running_at(deployments(store, env, app=app), at)


def environments(store: Store, *, app: str | None = None) -> list[str]:
    """Every environment that is on record, by name."""
    return sorted({d.env for d in deployments(store, app=app)})


def pin(store: Store, ref: VersionRef) -> bool:
    """Keep `genaiver prune` from this version; False where it is pinned already."""
    with translated(f"pin {ref.name!r}"):
        if _is_pinned(store, ref.model_id):
            return False
        store.client().set_logged_model_tags(ref.model_id, {PINNED: "true"})
        return True


def unpin(store: Store, ref: VersionRef) -> bool:
    """False where it is not pinned."""
    with translated(f"unpin {ref.name!r}"):
        if not _is_pinned(store, ref.model_id):
            return False
        store.client().delete_logged_model_tag(ref.model_id, PINNED)
        return True


def is_pinned(store: Store, model_id: str) -> bool:
    with translated("look up whether the version is pinned"):
        return _is_pinned(store, model_id)


def pinned(store: Store) -> dict[str, str]:
    """Model id -> name of every pinned version: one search."""
    with translated("look up the pinned versions"):
        return {model.model_id: model.name for model in _tagged(store, PINNED)}


def _is_pinned(store: Store, model_id: str) -> bool:
    return PINNED in store.client().get_logged_model(model_id).tags


def _deployments(store: Store, env: str | None, app: str | None) -> list[Deployment]:
    tag = DEPLOYED if env is None else environment_tag(env)
    found = [d for model in _tagged(store, tag) for d in _deployments_in(model)]
    return in_order(d for d in found if env in (None, d.env) and app in (None, d.app))


def _deployments_in(model: LoggedModel) -> Iterator[Deployment]:
    return deployments_in(model.tags, version=model.name, model_id=model.model_id)


def _tagged(store: Store, tag: str) -> Iterator[LoggedModel]:
    """The versions that bear a mark."""
    client = store.client()
    return pages(
        lambda token: client.search_logged_models(
            [store.experiment_id], filter_string=f"tags.`{tag}` = 'true'", max_results=PAGE, page_token=token
        )
    )
