"""pytest-xdist: the version goes down to the workers; plans, records and counts come up as JSON in a folder."""

from __future__ import annotations

import json
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver import opening
from pytest_genaiver.adapters.traces.surroundings import calm, prepare
from pytest_genaiver.collecting import Collector
from pytest_genaiver.core.records import Plan
from pytest_genaiver.core.results import Version
from pytest_genaiver.looks import ControllerLooks, WorkerLooks, put
from pytest_genaiver.process import RUNNER, TestProcess, quieten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_genaiver.session import Session

KEY = "genaiver"
USAGE = "genaiver_usage"
_LAST_WORDS = 10.0
"""Seconds that workers have to count their traces once the session ended."""


class Controller:
    """The controller's side, beside the session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        session.elsewhere = self
        made = tempfile.TemporaryDirectory(prefix="genaiver-")
        session.config.add_cleanup(made.cleanup)
        self._folder = Path(made.name)
        self._live: set[str] = set()
        self._left: set[str] = set()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        s = self._session
        node.workerinput[KEY] = opening.worker_input(s.opened, s.run_id, s.settings, str(self._folder))
        self._live.add(node.gateway.id)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any) -> None:
        """All workers collect the same; the first one's plan serves."""
        path = self._folder / f"{node.gateway.id}-plan.json"
        if self._session.plan is None and path.exists():
            self._session.planned(Plan.from_json(json.loads(path.read_text(encoding="utf-8"))))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """The gate is asked on a thread: xdist's loop holds this one."""
        if self._session.distributed:
            looks = ControllerLooks(
                folder=self._folder,
                live=lambda: set(self._live),
                ask=self._session.wanted,
                got=self._session.ledger.add,
                stopped=lambda: self._ended.is_set() or bool(session.shouldstop or session.shouldfail),
            )
            self._thread = threading.Thread(target=looks.run, name="genaiver-looks", daemon=True)
            self._thread.start()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        output: Mapping[str, Any] | None = getattr(node, "workeroutput", None)
        self._live.discard(node.gateway.id)
        self._left.add(node.gateway.id)
        if output is None:
            # A worker that crashed leaves no output.
            self._session.ledger.crashed.append(node.gateway.id)
        elif USAGE in output:
            raise pytest.UsageError(output[USAGE])

    def finish(self) -> None:
        """Let the workers go, and gather what they counted: those that crashed left nothing."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(_LAST_WORDS)
        deadline = time.monotonic() + _LAST_WORDS
        for worker in sorted(self._live | self._left):
            path = self._folder / f"{worker}-count.json"
            while worker in self._live and not path.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            if path.exists():
                self._session.ledger.count(json.loads(path.read_text(encoding="utf-8")))


class Worker:
    """A worker's side: runs tests, decides nothing."""

    def __init__(self, config: Any) -> None:
        self.config = config
        self.given = config.workerinput[KEY]
        self.name = config.workerinput["workerid"]
        self.folder = Path(self.given["folder"])
        self.collector = Collector(Path(self.given["root"]), self.given["least"], soft=self.given["soft"])
        self.process: TestProcess | None = None
        config.pluginmanager.register(self.collector, "genaiver-collector")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        try:
            with calm():
                self._start()
        except Exception as error:
            # Raised here it would be an internal error of the controller's.
            self.collector.error = f"xdist worker {self.name} cannot start: {error!r}"

    def _start(self) -> None:
        given = self.given
        self.config.add_cleanup(prepare())
        quieten(self.config)
        store = opening.worker_store(given)
        self.process = TestProcess(store, Version(**given["version"]), given["run_id"], given["autolog"])
        self.config.add_cleanup(self.process.stop)
        self.process.start()
        self.config.pluginmanager.register(self.process.runner, RUNNER)
        looks = WorkerLooks(self.process.runner, self.folder, self.name)
        self.config.pluginmanager.register(looks, "genaiver-looks")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if self.collector.error is not None:
            self.config.workeroutput[USAGE] = self.collector.error
            return
        plan = self.collector.plan(self.config, session.items)
        put(self.folder / f"{self.name}-plan.json", plan.to_json())

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        if self.process is not None:
            put(self.folder / f"{self.name}-count.json", self.process.finish())
            self.process.stop()
