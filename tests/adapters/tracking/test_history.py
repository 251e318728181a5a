"""The history of the metrics: one question to the store, whatever it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters.tracking.history import metrics_of_commits
from pytest_genaiver.errors import StoreError

if TYPE_CHECKING:
    from pytest_genaiver.adapters.tracking.store import Store

SHAS = [f"{i:040x}" for i in range(1, 8)]


def record(store: Store, sha: str, *values: float, app: str = "app", **tags: str) -> str:
    name = f"{app}-{sha[-8:]}{tags.get('genaiver.variant', '')}{tags.get('genaiver.dirty', '')}"
    model_id = store.version(name, {"genaiver.app": app, "genaiver.commit": sha, **tags}, {})
    run_id = store.start_session(name, {}, model_id)
    for value in values:
        store.save_metrics(run_id, model_id, {"on topic!": value, "passed": 1.0})
    return name


def test_clean_versions_of_these_commits_come_in_their_order_with_their_newest_values(store: Store) -> None:
    third, first = record(store, SHAS[2], 0.5), record(store, SHAS[0], 0.9)
    record(store, SHAS[1], 0.1, app="other")
    record(store, SHAS[1], 0.1, **{"genaiver.variant": "eu"})
    record(store, SHAS[3], 0.1, **{"genaiver.dirty": "true"})
    empty = record(store, SHAS[4])
    record(store, SHAS[6], 0.1)

    assert metrics_of_commits(store, SHAS[:6], "app", None) == [
        (first, {"on topic_": 0.9, "passed": 1.0}),
        (third, {"on topic_": 0.5, "passed": 1.0}),
        (empty, {}),
    ]
    ((name, metrics),) = metrics_of_commits(store, SHAS[:6], "app", "eu")
    assert metrics["on topic_"] == 0.1
    assert name.endswith("eu")


def test_without_a_commit_nothing_is_asked(store: Store) -> None:
    store.experiment_id = "no such"
    assert metrics_of_commits(store, [], "app", None) == []


def test_a_store_that_fails_says_so(store: Store) -> None:
    with pytest.raises(StoreError, match=r"^cannot read the history of the metrics: "):
        metrics_of_commits(store, ["it's"], "app", None)
