"""What MLflow's own table of versions knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters.tracking.measured import facts_of, measured, newest_measured, unfinished_runs
from pytest_genaiver.errors import StoreError

if TYPE_CHECKING:
    from pytest_genaiver.adapters.tracking.store import Store

SHAS = ["a" * 40, "b" * 40]


def record(store: Store, name: str, sha: str, *, app: str = "app", dirty: bool = False, complete: bool = True) -> str:
    tags = {"genaiver.app": app, "genaiver.commit": sha, "genaiver.dirty": str(dirty).lower()}
    model_id = store.version(name, tags, {})
    run_id = store.start_session(name, {"genaiver.model_id": model_id, "genaiver.complete": "false"}, model_id)
    store.save_metrics(run_id, model_id, {"good": 0.5, "Größe": 2.0})
    if complete:
        store.end_session(run_id, {"genaiver.complete": "true"}, ok=True)
    return run_id


def test_versions_of_commits_with_their_means_by_session(store: Store) -> None:
    first = record(store, "app-a", SHAS[0])
    record(store, "app-a-dirty", SHAS[0], dirty=True)
    record(store, "other-a", SHAS[0], app="other")
    second = record(store, "app-a", SHAS[0])
    found = measured(store, SHAS, "app")
    assert [(m.ref.name, m.ref.dirty) for m in found] == [("app-a", False), ("app-a-dirty", True)]
    assert found[0].means["good"] == {first: 0.5, second: 0.5}
    assert measured(store, SHAS[1:], "app") == []
    assert measured(store, [], "app") == []


def test_one_version_with_its_tags(store: Store) -> None:
    record(store, "app-a", SHAS[0])
    [found] = measured(store, SHAS, "app")
    facts = facts_of(store, found.ref.model_id)
    assert (facts.ref, facts.means, facts.tags["genaiver.commit"]) == (found.ref, found.means, SHAS[0])
    with pytest.raises(StoreError, match="cannot look up the model 'm-nope'"):
        facts_of(store, "m-nope")


def test_the_newest_of_an_app_whatever_lies_between(store: Store) -> None:
    for i in range(3):
        record(store, f"app-{i}", SHAS[0])
        record(store, f"other-{i}", SHAS[0], app="other")
    assert [m.ref.name for m in newest_measured(store, "app", 2)] == ["app-2", "app-1"]
    assert len(newest_measured(store, "app", 100)) == 3
    assert newest_measured(store, "app", 100, variant="eu") == []


def test_sessions_that_did_not_end(store: Store) -> None:
    record(store, "app-a", SHAS[0])
    cut = record(store, "app-a", SHAS[0], complete=False)
    assert list(unfinished_runs(store)) == [cut]


def test_a_server_says_the_same(server_store: Store) -> None:
    run = record(server_store, "app-a", SHAS[0])
    assert measured(server_store, SHAS, "app")[0].means["good"] == {run: 0.5}
    assert [m.ref.name for m in newest_measured(server_store, "app", 5)] == ["app-a"]
    assert unfinished_runs(server_store) == {}
