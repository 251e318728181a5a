"""The sessions of many versions at once, on sqlite and behind a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters.tracking import sessions as module
from pytest_genaiver.adapters.tracking.sessions import sessions_of

if TYPE_CHECKING:
    from pytest_genaiver.adapters.tracking.store import Store, VersionRef

SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(params=["sqlite", "http"])
def either(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue("store" if request.param == "sqlite" else "server_store")
    return found


def session(store: Store, name: str, *, metric: bool = True, complete: str = "true") -> str:
    model_id = store.version(name, {"genaiver.app": "app", "genaiver.commit": SHA, "genaiver.dirty": "false"}, {})
    run_id = store.start_session(name, {"genaiver.model_id": model_id, "genaiver.complete": "false"}, model_id)
    if metric:
        store.save_metrics(run_id, model_id, {"good": 1.0, "cost": 0.1})
    store.end_session(run_id, {"genaiver.complete": complete, "genaiver.verdict": "pass"}, ok=True)
    return run_id


def versions(store: Store) -> list[VersionRef]:
    return store.versions_of_commits([SHA], "app")


def test_as_each_alone_newest_first(either: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    runs = [session(either, "app-1"), session(either, "app-1", complete="false"), session(either, "app-1")]
    session(either, "app-2")
    refs = versions(either)
    assert set(refs[0].runs) == set(runs)
    found = sessions_of(either, refs)
    assert found == {ref.model_id: either.sessions(ref.model_id) for ref in refs}
    assert [s.complete for s in found[refs[0].model_id]] == [True, False, True]


def test_a_version_without_a_metric_is_asked_for_alone(store: Store) -> None:
    run = session(store, "app-1", metric=False)
    (ref,) = versions(store)
    assert ref.runs == ()
    assert [s.run_id for s in sessions_of(store, [ref])[ref.model_id]] == [run]


def test_no_versions(store: Store) -> None:
    assert sessions_of(store, []) == {}
