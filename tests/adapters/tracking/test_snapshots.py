"""The snapshot on the version: its first session's stays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters.tracking import files, model_files, snapshots
from pytest_genaiver.core.snapshot import Snapshot
from pytest_genaiver.errors import ResultsError, StoreError

if TYPE_CHECKING:
    from pytest_genaiver.adapters.tracking.store import Store

FIRST = Snapshot(commit="a" * 40, dependencies={"openai": "1.2"}, python="3.11.9")
SECOND = Snapshot(commit="a" * 40, dependencies={"openai": "1.3"}, python="3.12.1")


def session(store: Store, model_id: str, snapshot: Snapshot | None) -> str:
    run_id = store.start_session("s", {}, model_id)
    more = {} if snapshot is None else {files.SNAPSHOT: json.dumps(snapshot.to_json())}
    store.save_results(run_id, "{}", {"case": []}, more)
    return run_id


def check(store: Store) -> None:
    model_id = store.version("app-1", {}, {})
    first, second = (session(store, model_id, s) for s in (FIRST, SECOND))
    assert snapshots.recorded(store, model_id, FIRST, first) is None
    tags = model_files.tags(store, model_id)
    assert snapshots.recorded(store, model_id, SECOND, second) == FIRST
    assert snapshots.recorded(store, model_id, FIRST, second) is None
    assert model_files.tags(store, model_id) == tags
    assert tags == {
        "genaiver.snapshot": FIRST.digest,
        "genaiver.snapshot_run": first,
        "genaiver.dependencies": FIRST.dependencies_digest,
        "genaiver.python": "3.11.9",
    }
    assert snapshots.of_run(store, second) == SECOND
    assert snapshots.of_run(store, session(store, model_id, None)) is None


def test_a_version_keeps_its_first_snapshot(store: Store) -> None:
    check(store)


def test_a_version_keeps_its_first_snapshot_behind_a_server(server_store: Store) -> None:
    check(server_store)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "x is not JSON: "),
        ("[" * 100_000, "x is not JSON: "),
        ("[]", "x cannot be read: the data must be an object, not a list"),
        ('{"schema": 9}', "x cannot be read: schema is 9, newer than 1"),
    ],
)
def test_what_is_no_snapshot_is_told(text: str, why: str) -> None:
    with pytest.raises(ResultsError, match=why):
        snapshots.parse(text, "x")


def test_a_version_that_is_not_there_is_one_sentence(store: Store) -> None:
    with pytest.raises(StoreError, match="cannot record the version's snapshot: "):
        snapshots.recorded(store, "m-none", FIRST, "run")
