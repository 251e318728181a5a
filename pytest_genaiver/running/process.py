"""The process that holds the tests: pytest itself, or each xdist worker."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.traces.autolog import Autolog
from pytest_genaiver.adapters.traces.scope import Count, Destination
from pytest_genaiver.adapters.traces.surroundings import Surroundings, calm, linked_to
from pytest_genaiver.adapters.traces.tracer import Tracer
from pytest_genaiver.cases import GenaiVersion
from pytest_genaiver.collecting.planned import PLANNED
from pytest_genaiver.core.identity import sanitise
from pytest_genaiver.core.records import RepeatRecord, assemble
from pytest_genaiver.errors import GenaiverError, StoreError, warn
from pytest_genaiver.running.gatekeeper import Gatekeeper
from pytest_genaiver.running.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pytest

    from pytest_genaiver.adapters.tracking.store import Store
    from pytest_genaiver.core.judgements import Judgements
    from pytest_genaiver.core.results import Version
    from pytest_genaiver.running.execution import Told
    from pytest_genaiver.running.pool import Limits
    from pytest_genaiver.running.spending import Purse
    from pytest_genaiver.running.waiting import Shown

RUNNER = "genaiver-runner"


def quieten(config: pytest.Config) -> None:
    """Warnings that MLflow raises within itself are not about the tests, and must not fail them."""
    config.addinivalue_line("filterwarnings", r"ignore:::mlflow\b")


def tell(item: pytest.Item, records: list[RepeatRecord]) -> None:
    """Tell `pytest_genai_case_scored` of a repeat. An error in a hook is a warning and changes nothing."""
    planned = item.stash[PLANNED].case
    for case in assemble({planned.id: planned}, records).values():
        try:
            item.ihook.pytest_genai_case_scored(item=item, case=case)
        except Exception as error:
            warn(f"pytest_genai_case_scored failed: {error!r}")


class TestProcess:
    """Tracing and running in this process, from before the first test until after the last."""

    __test__ = False
    told: Told = staticmethod(tell)

    def __init__(
        self,
        store: Store,
        version: Version,
        run_id: str,
        *,
        autolog: Sequence[str] | None,
        limits: Limits,
        purse: Purse,
        shown: Shown,
        judgements: Judgements,
    ) -> None:
        self._store = store
        self._version = version
        self._others: dict[str, str] = {}
        self._params: dict[str, dict[str, str]] = {}
        self._to = Destination(
            tracking_uri=store.place.uri,
            experiment_id=store.experiment_id,
            model_id=version.model_id,
            run_id=run_id,
        )
        self._autolog = Autolog(autolog)
        self._tracer = Tracer(self._to, surroundings=Surroundings(self._to), paid=purse.pay)
        self.runner = Runner(
            self._tracer,
            told=self.told,
            version=GenaiVersion(version, self),
            limits=limits,
            purse=purse,
            shown=shown,
            judgements=judgements,
            others=self._others,
        )
        self._judgements = judgements
        self._running = False

    def start(self, config: pytest.Config) -> None:
        self._running = True
        config.pluginmanager.register(self.runner, RUNNER)
        config.pluginmanager.register(Gatekeeper(self.runner), "genaiver-gatekeeper")
        with calm():
            self._tracer.start()
            self._autolog.enable()

    def finish(self, *, interrupted: bool) -> dict[str, Any]:
        """Write what is left; what was produced here, as plain JSON for the session.

        `interrupted`: the user waits for the prompt, and for no scorer.
        """
        self.runner.partner.stopping(interrupted=interrupted)
        self.runner.stop("the session has ended", interrupted=interrupted)
        with calm():
            count: Count = self._tracer.finish()
        return {
            **asdict(count),
            "produced": self._tracer.produced,
            "params": self._params,
            "judgements": self._judgements.to_json(),
            "records": self.runner.recorded(),
            "unused": self.runner.ahead.unused(),
            "partner": self.runner.partner.finish(),
        }

    def stop(self) -> None:
        """Put MLflow back as it was; safe to call again."""
        if self._running:
            self._running = False
            with calm():
                self._autolog.disable()
                self._tracer.stop()

    @contextlib.contextmanager
    def switch(self, name: str) -> Iterator[None]:
        """Link what is traced within to another version of this app."""
        with linked_to(self.id_of(name)):
            yield

    def id_of(self, name: str) -> str:
        """The model id of another version of this app, which is made when it is new."""
        if name not in self._others:
            model = sanitise(name)
            tags = {"genaiver.app": self._version.app, "genaiver.dirty": "true", "genaiver.version": model}
            self._others[name] = self._store.version(model, tags, {})
        return self._others[name]

    def log_params(self, params: Mapping[str, str], name: str | None) -> None:
        """Write each parameter of the session's own version, or of another one, once.

        Raises GenaiverError for one that is recorded with another value.
        """
        model_id = self._version.model_id if name is None else self.id_of(name)
        if model_id is None:
            return
        shown = name or self._version.name
        if new := self._new(params, model_id, shown):
            try:
                self._store.log_params(model_id, new)
            except StoreError:
                # Another worker may have written them meanwhile: a store takes each once.
                if self._new(new, model_id, shown):
                    raise
        self._params.setdefault(model_id, {}).update(params)

    def _new(self, params: Mapping[str, str], model_id: str, version: str) -> dict[str, str]:
        """Those that are not recorded yet."""
        known = self._store.params(model_id)
        params = self._to.mask.plain(dict(params))
        for name, value in params.items():
            if known.get(name, value) != value:
                raise GenaiverError(
                    f"parameter {name!r} of version {version} is recorded as {known[name]!r} and cannot "
                    f"become {value!r}: a version is one configuration; use genai_variant for another"
                )
        return {name: value for name, value in params.items() if name not in known}
