"""The twin's side: a pytest that collects the tests of now and runs what it is told, one case at a time.

A plugin, for `python -m pytest -p pytest_genaiver.twin.child`; what it is ordered to do stands in a file.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver import opening
from pytest_genaiver.adapters.traces.surroundings import calm, prepare
from pytest_genaiver.collecting.collector import Collector
from pytest_genaiver.collecting.planned import PLANNED
from pytest_genaiver.core.judgements import Judgements, read
from pytest_genaiver.core.results import Version
from pytest_genaiver.options.table import EVERYWHERE
from pytest_genaiver.running.looks import by_case
from pytest_genaiver.running.pool import Limits
from pytest_genaiver.running.process import TestProcess, quieten
from pytest_genaiver.running.repeating import run_again, sibling_of
from pytest_genaiver.running.spending import SharedPurse
from pytest_genaiver.running.waiting import InAFile
from pytest_genaiver.twin.channel import Channel, Closed
from pytest_genaiver.twin.lockstep import imported
from pytest_genaiver.twin.places import strangers

if TYPE_CHECKING:
    from pytest_genaiver.twin.channel import Message

ORDER = "GENAIVER_TWIN"
"""The variable that names the file with the order."""

# What belongs to the session that the twin stands beside: to distribute, to report, to debug, to choose by an
# earlier run, to stop early; and our own options, for the twin is no session of its own.
_NOT_OURS: dict[str, Any] = {
    **dict.fromkeys(("numprocesses", "maxprocesses", "tx", "xmlpath", "basetemp", "htmlpath", "json_report_file")),
    **dict.fromkeys(("usepdb", "trace", "lf", "failedfirst", "newfirst", "stepwise", "stepwise_skip"), False),
    "dist": "no",
    "maxfail": 0,
    "no_cov": True,
    "cacheclear": False,
    "verbose": -2,
    "no_header": True,
    **dict.fromkeys(("genai_version", *(option.key for option in EVERYWHERE))),
}
_HEARTBEAT = 0.5


class Untold(TestProcess):
    """Nobody is told of the repeats: who listens to this session's cases hears of the session's own version."""

    told = staticmethod(lambda item, records: None)


class Child:
    """The plugin object of the twin."""

    def __init__(self, order: dict[str, Any], channel: Channel) -> None:
        self.order = order
        self.given: dict[str, Any] = order["session"]
        self.channel = channel
        self.top = Path(order["top"])
        self.failed: dict[str, str] = {}
        self.collector = Collector(
            self.top, self.given["least"], scorers=self.given["scorers"], soft=self.given["soft"]
        )
        self.process: TestProcess
        self.items: dict[str, pytest.Item] = {}
        self.last: pytest.Item | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        with calm():
            self._start(session.config)

    def _start(self, config: pytest.Config) -> None:
        given, folder = self.given, Path(self.given["folder"])
        config.add_cleanup(prepare())
        quieten(config)
        judgements = Judgements(reuse=given["reuse"])
        judgements.known.update(read(self.order["judgements"]))
        self.process = Untold(
            opening.worker_store(given),
            Version(**given["version"]),
            given["run_id"],
            autolog=given["autolog"],
            limits=Limits(concurrency=given["concurrency"], timeout=given["call_timeout"]),
            purse=SharedPurse(given["max_cost"], folder, self.order["name"]),
            shown=InAFile(folder, self.order["name"]),
            judgements=judgements,
        )
        config.add_cleanup(self.process.stop)
        self.process.start(config)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that the old app does not suit hides its cases: the session is told why."""
        if report.failed:
            lines = [line for line in str(report.longrepr).splitlines() if line.strip()]
            errors = [line.removeprefix("E").strip() for line in lines if line.startswith("E ")]
            self.failed[report.nodeid] = (errors or lines or ["it cannot be collected"])[-1]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        plan = self.collector.plan(session.config, session.items)
        self.items = by_case(session.items)
        for item in self.items.values():
            # Which repeats run, and when, the session says.
            item.stash[PLANNED] = replace(item.stash[PLANNED], repeats=1)
        self.channel.send(
            {
                "plan": plan.to_json(),
                "failed": self.failed,
                "strangers": strangers(imported(), Path(self.order["beside"]), self.top),
            }
        )
        while (message := self._next()) is not None:
            self._do(message)
        return True

    def _next(self) -> Message | None:
        """What to do next; None at the end, also where the session is gone."""
        try:
            message = self.channel.receive()
        except Closed:
            return None
        if message is None or message["do"] != "finish":
            return message
        self.channel.send({"finished": self.process.finish(interrupted=message["interrupted"])})
        return None

    def _do(self, message: Message) -> None:
        runner = self.process.runner
        if message["do"] == "plan":
            runner.plan([(self.items[c], n) for c, n in message["wanted"] if c in self.items])
        elif message["do"] == "settle":
            self.channel.send({"records": runner.settled()})
        else:
            self._run(self.items[message["case"]], message["repeat"], reported=message["reported"])
            self.channel.send({"records": runner.latest()})

    def _run(self, item: pytest.Item, repeat: int, *, reported: bool) -> None:
        """One repeat; wider fixtures stay up until a test that does not share them is run."""
        if self.last is not None and self.last is not item:
            run_again(sibling_of(self.last), item)
        self.last, runner = item, self.process.runner
        after = sibling_of(item)
        if reported:
            # With all that plugins do around a test: one that runs it again when it failed does so on both sides.
            runner.first = repeat
            item.ihook.pytest_runtest_protocol(item=item, nextitem=after)
        else:
            runner.once(item, repeat, after)


def _watch(parent: int, session: int, folder: str) -> None:
    """Nobody waits for a twin whose process was killed, and its calls cost money. Nor does anybody clean up behind a
    session that was; under xdist, other workers may still use the folder.
    """
    while os.getppid() == parent:
        time.sleep(_HEARTBEAT)
    try:
        os.kill(session, 0)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Before any other plugin acts on its options."""
    # Not for what the tests start.
    order = json.loads(Path(os.environ.pop(ORDER)).read_text(encoding="utf-8"))
    # Ctrl-C is for the session, which then ends its twin in order, and all that the twin started.
    os.setpgid(0, 0)
    for descriptor in order["pipes"]:
        os.set_inheritable(descriptor, False)
    watch = threading.Thread(target=_watch, args=(order["parent"], order["pid"], order["folder"]), daemon=True)
    watch.start()
    for name in vars(config.option).keys() & _NOT_OURS.keys():
        setattr(config.option, name, _NOT_OURS[name])
    child = Child(order, Channel(*order["pipes"]))
    config.pluginmanager.register(child.collector, "genaiver-collector")
    config.pluginmanager.register(child, "genaiver-twin")
