"""`deployed:ENV`: the version that runs in an environment now, as the baseline."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from pytest_genaiver.adapters.tracking.deployments import deployments
from pytest_genaiver.core.deployments import environment_name, running_at
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from pytest_genaiver.adapters.tracking.store import Store
    from pytest_genaiver.core.deployments import Deployment
    from pytest_genaiver.core.pooling import BaselineFacts
    from pytest_genaiver.core.results import Version

PREFIX = "deployed:"


@dataclass(slots=True, kw_only=True)
class Running:
    """What runs where, looked up once: a session of `version` keeps to what ran when it began."""

    store: Store
    version: Version
    option: str
    _known: dict[str, Deployment] = field(default_factory=dict)

    def now(self, reference: str) -> Deployment | None:
        """What runs in the environment of `deployed:ENV`; None for a reference of another form.

        Raises ConfigError where nothing does.
        """
        if not reference.startswith(PREFIX):
            return None
        if reference not in self._known:
            self._known[reference] = self._look_up(reference)
        return self._known[reference]

    def itself(self, reference: str) -> bool:
        """Whether it names what runs somewhere, and the version under test does: no mistake of the user's."""
        running = self.now(reference)
        return running is not None and running.model_id == self.version.model_id

    def _look_up(self, reference: str) -> Deployment:
        try:
            env = environment_name(reference.removeprefix(PREFIX))
        except ConfigError as error:
            raise ConfigError(f"{self.option}: {error}") from error
        record = deployments(self.store, env, app=self.version.app)
        if found := running_at(record, datetime.now(timezone.utc)):
            return found
        raise ConfigError(f"{self.option}: {reference!r}: {self._nothing(env, record)}")

    def _nothing(self, env: str, record: list[Deployment]) -> str:
        if record:
            return f"nothing runs in {env} before {record[0].at.isoformat()}"
        known = ", ".join(sorted({d.env for d in deployments(self.store, app=self.version.app)}))
        where = f"environments on record: {known}" if known else "no deployment is on record"
        return f"nothing was deployed to {env}; {where} (record one with `genaiver deploy VERSION --env {env}`)"


def told(facts: BaselineFacts, running: Deployment | None) -> BaselineFacts:
    """The facts of a baseline, with where it runs."""
    if running is None:
        return facts
    ago = (datetime.now(timezone.utc) - running.at).total_seconds()
    return replace(facts, why=f"what runs in {running.env}", deployed_to=running.env, deployed_ago=max(0.0, ago))
