"""After the last test: ask the gate which cases it wants again, run them, ask again, until it is sure."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.collecting.planned import PLANNED
from pytest_genaiver.running.meeting import put

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from pytest_genaiver.running.runner import Runner

Wanted = Mapping[str, Sequence[int]]
"""Case id -> which repeats of it to run (the first repeat of a case is 0)."""

Got = Callable[[list[dict[str, Any]]], None]
"""Takes the records of repeats as plain JSON."""

_POLL = 0.05


class Look(pytest.Function):
    """Stands behind the last test, so that session fixtures stay up until the gate is sure. Never reported.

    A function, as other plugins that read a session's items expect.
    """


def _look() -> None:
    """Never called."""


class Looks:
    """The plugin object of a session without xdist."""

    def __init__(self, runner: Runner, *, ask: Callable[[], Wanted], got: Got) -> None:
        """`ask()` is what the gate wants next, empty when it is sure; `got` takes the records of each repeat."""
        self._runner = runner
        self._ask = ask
        self._got = got
        self._last: Look | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """After collection, so that pytest's counts and progress stay as they are."""
        if session.items and not session.config.option.collectonly:
            self._runner.expect(session.items)
            self._last = Look.from_parent(session, name="genaiver-look", callobj=_look)
            session.items.append(self._last)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        if self._last is None or item is not self._last:
            return None
        session, found = item.session, by_case(item.session.items)
        self._got(self._runner.settled())
        while not stops(session) and (wanted := self._ask()):
            for _ in self._runner.again(repeats_of(found, wanted), self._last):
                if stops(session):
                    break
            self._got(self._runner.settled())
        return True


class WorkerLooks:
    """The plugin object of an xdist worker: it runs its share of what the controller asks for.

    Worker and controller meet in a folder: the worker writes `WORKER-K.json` (all its records so far), the
    controller answers with `more-K.json` (case id -> repeats, by worker; null ends it). Both appear by renaming.
    """

    def __init__(self, runner: Runner, folder: Path, worker: str) -> None:
        self._runner = runner
        self._folder = folder
        self._worker = worker

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        result = yield
        found = by_case(session.items)
        for look in itertools.count():
            put(self._folder / f"{self._worker}-{look}.json", self._runner.settled())
            answer = self._answer(look)
            if answer is None:
                break
            for _ in self._runner.again(repeats_of(found, answer.get(self._worker, {})), None):
                continue
        return result

    def _answer(self, look: int) -> Mapping[str, Wanted] | None:
        """What the controller wants; None when it wants nothing, or is gone."""
        parent = os.getppid()
        path = self._folder / f"more-{look}.json"
        while self._folder.exists() and os.getppid() == parent:
            if path.exists():
                found: Mapping[str, Wanted] | None = json.loads(path.read_text(encoding="utf-8"))
                return found
            time.sleep(_POLL)
        return None


@dataclass(slots=True)
class ControllerLooks:
    """The controller's side, on a thread of its own beside xdist's loop."""

    folder: Path
    live: Callable[[], set[str]]
    ask: Callable[[], Wanted]
    got: Got
    tick: Callable[[], None]
    stopped: Callable[[], bool]

    def run(self) -> None:
        """Wait for all live workers, ask, share out, until the gate is sure or the session is stopped."""
        look = 0
        try:
            while wanted := self._next(look):
                put(self.folder / f"more-{look}.json", wanted)
                look += 1
        finally:
            # Whatever happened here, nobody is left waiting.
            put(self.folder / f"more-{look}.json", None)

    def _next(self, look: int) -> dict[str, dict[str, list[int]]]:
        workers = self._gather(look)
        wanted = self.ask() if workers and not self.stopped() else {}
        return shares(wanted, sorted(workers)) if wanted else {}

    def _gather(self, look: int) -> set[str]:
        """The workers that are still there once each of them has handed in its records."""
        done: set[str] = set()
        while not self.stopped():
            live = self.live()
            for worker in sorted(live - done):
                path = self.folder / f"{worker}-{look}.json"
                if path.exists():
                    self.got(json.loads(path.read_text(encoding="utf-8")))
                    done.add(worker)
            if live and live <= done:
                return live
            self.tick()
            time.sleep(_POLL)
        return set()


def stops(session: pytest.Session) -> bool:
    """Somebody, such as a plugin that limits the session's time, wants no test to run any more."""
    return bool(session.shouldstop or session.shouldfail)


def by_case(items: Sequence[pytest.Item]) -> dict[str, pytest.Item]:
    """Those that run for the session's own version: of others the gate asks nothing."""
    planned = ((item, item.stash.get(PLANNED, None)) for item in items)
    return {found.case.id: item for item, found in planned if found is not None and found.version is None}


def repeats_of(found: Mapping[str, pytest.Item], wanted: Wanted) -> list[tuple[pytest.Item, int]]:
    """The items to run and as which repeat, in the order of the suite, repeats of one case together."""
    return [(item, repeat) for case, item in found.items() for repeat in wanted.get(case, ())]


def shares(wanted: Wanted, workers: Sequence[str]) -> dict[str, dict[str, list[int]]]:
    """Deal the repeats out in turn, so that retries of one case run side by side."""
    dealt: dict[str, dict[str, list[int]]] = {worker: {} for worker in workers}
    turn = itertools.cycle(workers)
    for case, repeats in wanted.items():
        for repeat in repeats:
            dealt[next(turn)].setdefault(case, []).append(repeat)
    return dealt
