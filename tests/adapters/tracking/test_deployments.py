"""Deployments and pins on record, on sqlite and behind a real server."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters.tracking import deployments as record
from pytest_genaiver.adapters.tracking.place import place_of
from pytest_genaiver.adapters.tracking.store import Store
from pytest_genaiver.errors import ConfigError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_genaiver.adapters.tracking.store import VersionRef

NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


def version(store: Store, name: str = "app-1", *, app: str = "app") -> VersionRef:
    store.version(name, {"genaiver.app": app, "genaiver.commit": "0" * 40, "genaiver.dirty": "false"}, {})
    ref = store.version_named(name)
    assert ref is not None
    return ref


@pytest.fixture(params=["sqlite", "http"])
def either(request: pytest.FixtureRequest) -> Store:
    """A local store, and one behind a server."""
    found: Store = request.getfixturevalue("store" if request.param == "sqlite" else "server_store")
    return found


def test_deployments_are_kept_and_found(either: Store) -> None:
    old, new = version(either, "app-1"), version(either, "app-2")
    first = record.deploy(either, old, "production", NOON, by="ada")
    second = record.deploy(either, new, "production", NOON + timedelta(days=1))
    back = record.deploy(either, old, "production", NOON + timedelta(days=2))
    other = record.deploy(either, new, "eu-west_1.blue", NOON)
    assert (first.env, first.at, first.version, first.model_id, first.by) == (
        "production",
        NOON,
        "app-1",
        old.model_id,
        "ada",
    )
    assert record.deployments(either, "production") == [first, second, back]
    assert record.deployments(either, "eu-west_1.blue") == [other]
    assert record.deployments(either, "prod") == record.deployments(either, "Production") == []
    assert {d.env for d in record.deployments(either)} == set(record.environments(either))
    assert len(record.deployments(either)) == 4
    assert record.deployments_of(either, old.model_id) == [first, back]
    assert record.deployed_at(either, "production", NOON + timedelta(hours=30)) == second
    assert record.deployed_at(either, "production", NOON - timedelta(hours=1)) is None


def test_a_time_on_record_is_never_overwritten(either: Store) -> None:
    first = record.deploy(either, version(either), "production", NOON, by="ada")
    assert record.deploy(either, version(either), "production", NOON, by="bob") == first
    with pytest.raises(ConfigError, match=r"production at 2026-01-31T12:00:00\+00:00: app-1 is on record for that"):
        record.deploy(either, version(either, "app-2"), "production", NOON)
    assert record.deployments(either) == [first]


def test_two_apps_of_one_experiment_do_not_meet(store: Store) -> None:
    mine = record.deploy(store, version(store, "mine-1", app="mine"), "production", NOON)
    theirs = record.deploy(store, version(store, "theirs-1", app="theirs"), "production", NOON)
    record.deploy(store, version(store, "theirs-2", app="theirs"), "staging", NOON)
    assert record.deployments(store, "production", app="mine") == [mine]
    assert record.deployed_at(store, "production", NOON, app="theirs") == theirs
    assert record.environments(store, app="mine") == ["production"]


def test_a_pin_is_set_once_and_taken_off_once(either: Store) -> None:
    ref = version(either)
    assert record.pinned(either) == {}
    assert [record.pin(either, ref), record.pin(either, ref)] == [True, False]
    assert record.is_pinned(either, ref.model_id)
    assert record.pinned(either) == {ref.model_id: "app-1"}
    assert [record.unpin(either, ref), record.unpin(either, ref)] == [True, False]
    assert not record.is_pinned(either, ref.model_id)
    assert record.pinned(either) == {}


def test_eight_at_once_are_all_kept(new_store: Callable[[], Path]) -> None:
    database = new_store()
    errors: list[Exception] = []

    def opened() -> Store:
        made = Store(place_of(f"sqlite:///{database}", database.parent))
        made.open("app")
        return made

    ref = version(opened())

    def one(i: int) -> None:
        try:
            record.deploy(opened(), ref, f"env{i % 2}", NOON + timedelta(microseconds=i))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(record.deployments(opened(), "env0")) == len(record.deployments(opened(), "env1")) == 4


def test_more_than_a_page_of_deployed_versions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "PAGE", 2)
    for i in range(5):
        record.deploy(store, version(store, f"app-{i}"), "production", NOON + timedelta(hours=i))
    assert [d.version for d in record.deployments(store, "production")] == [f"app-{i}" for i in range(5)]


def test_a_version_that_is_gone_is_one_sentence(store: Store) -> None:
    ref = version(store)
    store.client().delete_logged_model(ref.model_id)
    with pytest.raises(StoreError, match="cannot look up the version's deployments: "):
        record.deployments_of(store, ref.model_id)
