"""`deployed:ENV` as a baseline: what runs there now, looked up once."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.baseline import deployed
from pytest_genaiver.baseline.deployed import Running, told
from pytest_genaiver.core.deployments import Deployment
from pytest_genaiver.core.pooling import BaselineFacts
from pytest_genaiver.core.results import Version
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime.now(timezone.utc)


def deployment(version: str, *, hours: float, env: str = "production") -> Deployment:
    at = NOW - timedelta(hours=hours)
    return Deployment(env=env, at=at, version=version, model_id=f"m-{version}", by=None, recorded=at, app="app")


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Running]:
    def of(*record: Deployment) -> Running:
        asked: list[str | None] = []

        def deployments(store: Any, env: str | None = None, *, app: str) -> list[Deployment]:
            assert app == "app"
            asked.append(env)
            return [d for d in record if env in (None, d.env)]

        monkeypatch.setattr(deployed, "deployments", deployments)
        return Running(
            store=asked,  # type: ignore[arg-type]  # asked is what the test looks at
            version=Version(name="app-9", app="app", model_id="m-app-9"),
            option="--genai-baseline",
        )

    return of


def test_what_runs_there_now(running: Callable[..., Running]) -> None:
    record = [deployment("app-1", hours=9), deployment("app-2", hours=3), deployment("app-3", hours=-3)]
    found = running(*record, deployment("app-9", hours=1, env="staging"))
    assert found.now("deployed:production") == record[1]
    assert found.now("main") is None
    assert found.itself("deployed:staging")
    assert not found.itself("deployed:production")
    assert not found.itself("main")


def test_it_is_asked_once(running: Callable[..., Running]) -> None:
    found = running(deployment("app-1", hours=9))
    for _ in range(3):
        assert found.now("deployed:production")
    assert found.store == ["production"]


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("deployed:a b", "'a b' is no name of an environment; allowed: "),
        ("deployed:", "'' is no name of an environment; allowed: "),
        ("deployed:prod", "'deployed:prod': nothing was deployed to prod; environments on record: eu, production "),
        ("deployed:eu", r"'deployed:eu': nothing runs in eu before 20.*\+00:00"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(running: Callable[..., Running], reference: str, sentence: str) -> None:
    found = running(deployment("app-1", hours=9), deployment("app-1", hours=-1, env="eu"))
    with pytest.raises(ConfigError, match=f"^--genai-baseline: {sentence}"):
        found.now(reference)


def test_the_facts_say_where_it_runs_and_since_when() -> None:
    facts = BaselineFacts(why="named", name="app-1")
    assert told(facts, None) is facts
    found = told(facts, deployment("app-1", hours=2))
    assert (found.why, found.deployed_to) == ("what runs in production", "production")
    assert 7200 <= (found.deployed_ago or 0) < 9000  # the rest of the tests' time
    assert told(facts, deployment("app-1", hours=-2)).deployed_ago == 0
