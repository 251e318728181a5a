"""pytest-xdist: the version goes down to the workers, plans, records and counts come up, as plain JSON."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver import opening
from pytest_genaiver.adapters.traces.surroundings import calm, prepare
from pytest_genaiver.collecting import Collector
from pytest_genaiver.core.records import Plan
from pytest_genaiver.core.results import Version
from pytest_genaiver.process import RUNNER, TestProcess, quieten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_genaiver.session import Session

KEY = "genaiver"
USAGE = "genaiver_usage"


class Controller:
    """The controller's side, beside the session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._folder = tempfile.TemporaryDirectory(prefix="genaiver-")
        session.config.add_cleanup(self._folder.cleanup)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        s = self._session
        node.workerinput[KEY] = opening.worker_input(s.opened, s.run_id, s.settings, self._folder.name)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any) -> None:
        """All workers collect the same; the first one's plan serves."""
        path = Path(self._folder.name) / f"{node.gateway.id}.json"
        if self._session.plan is None and path.exists():
            self._session.planned(Plan.from_json(json.loads(path.read_text(encoding="utf-8"))))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        output: Mapping[str, Any] | None = getattr(node, "workeroutput", None)
        if output is None:
            # A worker that crashed leaves no output.
            self._session.ledger.crashed.append(node.gateway.id)
            return
        if USAGE in output:
            raise pytest.UsageError(output[USAGE])
        if KEY in output:
            self._session.ledger.count(output[KEY])


class Worker:
    """A worker's side: runs tests, decides nothing."""

    def __init__(self, config: Any) -> None:
        self.config = config
        self.given = config.workerinput[KEY]
        self.collector = Collector(Path(self.given["root"]), self.given["least"])
        self.process: TestProcess | None = None
        config.pluginmanager.register(self.collector, "genaiver-collector")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        try:
            with calm():
                self._start()
        except Exception as error:
            # Raised here it would be an internal error of the controller's.
            self.collector.error = f"xdist worker {self.config.workerinput['workerid']} cannot start: {error!r}"

    def _start(self) -> None:
        given = self.given
        self.config.add_cleanup(prepare())
        quieten(self.config)
        store = opening.worker_store(given)
        self.process = TestProcess(store, Version(**given["version"]), given["run_id"], given["autolog"])
        self.config.add_cleanup(self.process.stop)
        self.process.start()
        self.config.pluginmanager.register(self.process.runner, RUNNER)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if self.collector.error is not None:
            self.config.workeroutput[USAGE] = self.collector.error
            return
        plan = self.collector.plan(self.config, session.items)
        path = Path(self.given["folder"]) / f"{self.config.workerinput['workerid']}.json"
        path.write_text(json.dumps(plan.to_json()), encoding="utf-8")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        if self.process is not None:
            self.config.workeroutput[KEY] = self.process.finish()
            self.process.stop()
