"""Which version ran where, and since when: one record of a deployment, and what a list of them says."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

DEPLOYED = "genaiver.deployed"
"""The tag of every version that was ever deployed; with an environment and a time behind it, one deployment."""

ENVIRONMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_STAMP = "%Y%m%dT%H%M%S%fZ"
_KEY = re.compile(rf"{re.escape(DEPLOYED)}\.(?P<env>{ENVIRONMENT.pattern})\.(?P<stamp>\d{{8}}T\d{{12}}Z)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A version runs in `env` from `at` on, until the next deployment there. Times are in UTC.

    `by` is who recorded it, `recorded` when: of two deployments at the same time the one recorded later counts.
    `app` keeps two apps apart that share an experiment.
    """

    env: str
    at: datetime
    version: str
    model_id: str
    by: str | None
    recorded: datetime
    app: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "env": self.env,
            "at": self.at.isoformat(),
            "version": self.version,
            "model_id": self.model_id,
            "by": self.by,
            "recorded": self.recorded.isoformat(),
        }


def environment_name(text: str) -> str:
    """The name of an environment, as a tag's key can hold it. Raises ConfigError."""
    if not ENVIRONMENT.fullmatch(text):
        raise ConfigError(
            f"{text!r} is no name of an environment; allowed: letters, digits, '.', '_' and '-', starting with a "
            "letter or digit, at most 100 characters, such as production"
        )
    return text


def environment_tag(env: str) -> str:
    """The tag of every version that was ever deployed to this environment: one search finds them."""
    return f"genaiver.environment.{env}"


def tags_of(deployment: Deployment) -> dict[str, str]:
    """What is written on the version: the deployment itself, and the two marks that it is found by."""
    value = {"at": deployment.at.isoformat(), "by": deployment.by, "recorded": deployment.recorded.isoformat()}
    return {
        key_of(deployment.env, deployment.at): json.dumps(value),
        environment_tag(deployment.env): "true",
        DEPLOYED: "true",
    }


def key_of(env: str, at: datetime) -> str:
    """`genaiver.deployed.production.20260131T093000000000Z`: sorts by time, and no later one has the same."""
    return f"{DEPLOYED}.{env}.{at.astimezone(timezone.utc).strftime(_STAMP)}"


def deployments_in(tags: Mapping[str, str], *, version: str, model_id: str) -> Iterator[Deployment]:
    """The deployments among a version's tags; the key alone says where and when, whatever became of the value."""
    for key, value in tags.items():
        if (found := _KEY.fullmatch(key)) and (at := _time(found["stamp"])):
            more = _read(value)
            by, recorded = more.get("by"), more.get("recorded")
            yield Deployment(
                env=found["env"],
                at=at,
                version=version,
                model_id=model_id,
                by=by if isinstance(by, str) else None,
                recorded=_iso(recorded) or at,
                app=tags.get("genaiver.app"),
            )


def in_order(deployments: Iterable[Deployment]) -> list[Deployment]:
    """Oldest first."""
    return sorted(deployments, key=lambda d: (d.at, d.recorded, d.model_id))


def running_at(deployments: Iterable[Deployment], moment: datetime) -> Deployment | None:
    """Of the deployments to one environment, the one that ran at that time; None before the first."""
    begun = [d for d in in_order(deployments) if d.at <= moment]
    return begun[-1] if begun else None


def _time(stamp: str) -> datetime | None:
    try:
        return datetime.strptime(stamp, _STAMP).replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def _read(value: str) -> dict[str, Any]:
    try:
        read = json.loads(value)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _iso(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=timezone.utc)
