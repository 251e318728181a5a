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
from pytest_genaiver.collecting.collector import Collector
from pytest_genaiver.core.judgements import Judgements, read
from pytest_genaiver.core.records import Plan
from pytest_genaiver.core.results import Version
from pytest_genaiver.errors import USAGE, TwinError
from pytest_genaiver.running.looks import ControllerLooks, WorkerLooks, stops
from pytest_genaiver.running.meeting import put
from pytest_genaiver.running.pool import Limits
from pytest_genaiver.running.process import TestProcess, quieten
from pytest_genaiver.running.spending import SharedPurse
from pytest_genaiver.running.waiting import InAFile, for_log, of_workers
from pytest_genaiver.twin.lockstep import lockstep

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_genaiver.session import Session

KEY = "genaiver"
_KNOWN = "judgements.json"
_ORDER = "twin.json"
_READY = "-twin-ready.json"
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
        # A twin calls as much as its worker.
        workers = node.workerinput["workercount"] * (1 if s.fresh is None else 2)
        node.workerinput[KEY] = opening.worker_input(s.opened, s.run_id, s.settings, str(self._folder), workers)
        self._live.add(node.gateway.id)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any) -> None:
        """All workers collect the same; the first one's plan serves."""
        path = self._folder / f"{node.gateway.id}-plan.json"
        if self._session.plan is None and path.exists():
            self._session.planned(Plan.from_json(json.loads(path.read_text(encoding="utf-8"))))
            put(self._folder / _KNOWN, self._session.judgements.known_to_json())
            if self._session.fresh is not None and self._session.fresh.order:
                put(self._folder / _ORDER, self._session.fresh.order)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """The gate is asked on a thread: xdist's loop holds this one."""
        if self._session.distributed:
            shown = for_log(session.config.pluginmanager.get_plugin("terminalreporter"))
            looks = ControllerLooks(
                folder=self._folder,
                live=lambda: set(self._live),
                ask=self._session.wanted,
                got=self._got,
                tick=lambda: shown.show(lambda: of_workers(self._folder)),
                stopped=lambda: self._ended.is_set() or stops(session),
            )
            self._thread = threading.Thread(target=looks.run, name="genaiver-looks", daemon=True)
            self._thread.start()

    def _got(self, records: Sequence[Mapping[str, Any]]) -> None:
        if self._session.fresh is not None:
            for path in sorted(self._folder.glob(f"*{_READY}")):
                self._session.fresh.met(json.loads(path.read_text(encoding="utf-8")))
        self._session.got(records)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        output: Mapping[str, Any] | None = getattr(node, "workeroutput", None)
        self._live.discard(node.gateway.id)
        self._left.add(node.gateway.id)
        if output is None:
            # A worker that crashed leaves no output.
            self._session.ledger.crashed.append(node.gateway.id)

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
                self._got(())
                self._session.count(json.loads(path.read_text(encoding="utf-8")))


class Worker:
    """A worker's side: runs tests, decides nothing."""

    def __init__(self, config: Any) -> None:
        self.config = config
        self.given = config.workerinput[KEY]
        self.name = config.workerinput["workerid"]
        self.folder = Path(self.given["folder"])
        self.collector = Collector(
            Path(self.given["root"]), self.given["least"], scorers=self.given["scorers"], soft=self.given["soft"]
        )
        self.judgements = Judgements(reuse=self.given["reuse"])
        self.process: TestProcess | None = None
        self.expected: set[pytest.Item] = set()
        self.planned: frozenset[str] = frozenset()
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
        self.process = TestProcess(
            store,
            Version(**given["version"]),
            given["run_id"],
            autolog=given["autolog"],
            limits=Limits(concurrency=given["concurrency"], timeout=given["call_timeout"]),
            purse=SharedPurse(given["max_cost"], self.folder, self.name),
            shown=InAFile(self.folder, self.name),
            judgements=self.judgements,
        )
        self.config.add_cleanup(self.process.stop)
        self.process.start(self.config)
        looks = WorkerLooks(self.process.runner, self.folder, self.name)
        self.config.pluginmanager.register(looks, "genaiver-looks")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if self.collector.error is not None:
            self.config.workeroutput[USAGE] = self.collector.error
            return
        plan = self.collector.plan(self.config, session.items)
        self.planned = frozenset(plan.cases)
        put(self.folder / f"{self.name}-plan.json", plan.to_json())

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """The controller hands out tests bit by bit: those that this worker has by now may be called ahead.

        None is run where there is a mistake of the user's to tell.
        """
        if not self.expected:
            self._before_the_first()
        if self.config.workeroutput.get(USAGE) is not None:
            return True
        if self.process is not None:
            known = [item, *([nextitem] if nextitem else []), *assigned(self.config, item.session)]
            new = [i for i in dict.fromkeys(known) if i not in self.expected]
            self.expected.update(new)
            self.process.runner.expect(new)
        return None

    def _before_the_first(self) -> None:
        """By now the controller has chosen the baseline, and knows what judges have said."""
        path = self.folder / _KNOWN
        if path.exists():
            self.judgements.known.update(read(json.loads(path.read_text(encoding="utf-8"))))
        path = self.folder / _ORDER
        if path.exists() and self.process is not None:
            try:
                self._accompany(self.process, json.loads(path.read_text(encoding="utf-8")))
            except TwinError as error:
                self.config.workeroutput[USAGE] = str(error)

    def _accompany(self, process: TestProcess, order: dict[str, Any]) -> None:
        """Start this worker's twin, which has the worker's share of calls and its purse."""
        order["session"] |= {"folder": self.given["folder"], "concurrency": self.given["concurrency"]}
        partner = lockstep(order, f"twin-{self.name}")
        self.config.add_cleanup(partner.twin.stop)
        put(self.folder / f"{self.name}{_READY}", partner.start(self.planned))
        process.runner.partner = partner

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, exitstatus: int | pytest.ExitCode) -> None:
        if self.process is not None:
            interrupted = int(exitstatus) == pytest.ExitCode.INTERRUPTED
            put(self.folder / f"{self.name}-count.json", self.process.finish(interrupted=interrupted))
            self.process.stop()


def assigned(config: pytest.Config, session: pytest.Session) -> list[pytest.Item]:
    """The tests that wait in this worker, in their order; none where xdist has moved the name that it uses for them.

    xdist has no public way to ask. A test that is not known here is called when its own turn comes.
    """
    for plugin in config.pluginmanager.get_plugins():
        queue = getattr(plugin, "torun", None)
        if queue is not None and hasattr(queue, "lock"):
            with queue.lock() as waiting:
                return [session.items[i] for i in waiting if isinstance(i, int)]
    return []
