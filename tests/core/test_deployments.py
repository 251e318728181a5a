"""Deployments as tags, and what ran when."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from pytest_genaiver.core.deployments import (
    DEPLOYED,
    Deployment,
    deployments_in,
    environment_name,
    environment_tag,
    in_order,
    key_of,
    running_at,
    tags_of,
)
from pytest_genaiver.errors import ConfigError

NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


def deployment(env: str = "production", at: datetime = NOON, version: str = "app-1", **more) -> Deployment:
    facts = {"by": "ada", "recorded": NOON, "app": "app", **more}
    return Deployment(env=env, at=at, version=version, model_id=f"m-{version}", **facts)


def read(tags) -> list[Deployment]:
    return list(deployments_in({**tags, "genaiver.app": "app"}, version="app-1", model_id="m-app-1"))


@pytest.mark.parametrize("env", ["production", "eu-west_1.blue", "1", "A" * 100, "a.20260131T120000000000Z"])
def test_what_is_written_is_read_back(env) -> None:
    made = deployment(env)
    assert read(tags_of(made)) == [made]
    assert read({**tags_of(made), **tags_of(deployment("other"))}) == [made, deployment("other")]


def test_the_two_marks_are_no_deployments() -> None:
    tags = tags_of(deployment())
    assert tags[DEPLOYED] == tags[environment_tag("production")] == "true"
    assert read({name: tags[name] for name in (DEPLOYED, environment_tag("production"))}) == []


@pytest.mark.parametrize("env", ["", " ", "-x", ".", "..", "_a", "a b", "a/b", "a'b", "a`b", "ä", "a\n", "A" * 101])
def test_a_name_that_no_tag_can_hold_is_refused(env) -> None:
    with pytest.raises(ConfigError, match="is no name of an environment; allowed: letters, digits"):
        environment_name(env)


def test_a_name_is_taken_as_it_is() -> None:
    assert environment_name("eu-west_1.blue") == "eu-west_1.blue"


def test_keys_sort_by_time_whatever_the_zone() -> None:
    east = timezone(timedelta(hours=5))
    times = [NOON + timedelta(microseconds=i) for i in (0, 1, 999_999, 10**9)]
    keys = [
        key_of("production", at.astimezone(zone)) for at, zone in zip(times, [east, timezone.utc] * 2, strict=True)
    ]
    assert keys == sorted(keys)
    assert keys[0] == "genaiver.deployed.production.20260131T120000000000Z"
    assert len(key_of("e" * 100, NOON)) <= 250


@pytest.mark.parametrize(
    "value", ["", "nonsense", "[]", "null", "{}", json.dumps({"by": 7, "recorded": 7}), json.dumps({"recorded": "x"})]
)
def test_of_a_spoilt_value_the_key_says_where_and_when(value) -> None:
    assert read({key_of("production", NOON): value}) == [deployment(by=None)]


def test_a_time_without_a_zone_is_utc() -> None:
    value = json.dumps({"recorded": "2026-01-31T12:00:00"})
    assert read({key_of("production", NOON): value}) == [deployment(by=None)]


@pytest.mark.parametrize("stamp", ["20261331T120000000000Z", "2026", "", "20260131T120000000000"])
def test_a_tag_that_only_looks_like_one_is_none(stamp) -> None:
    assert read({f"{DEPLOYED}.production.{stamp}": "{}"}) == []


def test_what_ran_when() -> None:
    first, second = deployment(version="app-1"), deployment(version="app-2", at=NOON + timedelta(days=1))
    record = [second, first]
    assert running_at(record, NOON - timedelta(microseconds=1)) is None
    assert running_at(record, NOON) == running_at(record, NOON + timedelta(hours=23)) == first
    assert running_at(record, NOON + timedelta(days=1)) == second
    assert running_at([], NOON) is None


def test_of_two_at_the_same_time_the_one_recorded_later_counts() -> None:
    early, late = deployment(version="app-2"), deployment(version="app-1", recorded=NOON + timedelta(seconds=1))
    assert in_order([late, early]) == [early, late]
    assert running_at([late, early], NOON) == late


def test_json() -> None:
    assert deployment().to_json() == {
        "env": "production",
        "at": "2026-01-31T12:00:00+00:00",
        "version": "app-1",
        "model_id": "m-app-1",
        "by": "ada",
        "recorded": "2026-01-31T12:00:00+00:00",
    }
