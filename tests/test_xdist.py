"""`assigned` reads a queue of xdist's that is not public: this is the canary of its names."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.errors import USAGE, TwinError
from pytest_genaiver.running.meeting import put
from pytest_genaiver.xdist import Worker, assigned

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAITING = """
import os
import pytest
from pytest_genaiver.xdist import assigned

class Look:
    def __init__(self, config):
        self.config = config

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item, nextitem):
        names = [i.name for i in assigned(self.config, item.session)]
        with open(os.environ["SEEN"], "a") as file:
            print(item.name, *names, file=file)

def pytest_configure(config):
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(Look(config))
"""


class Queue:
    def __init__(self, *waiting: object) -> None:
        self.waiting = waiting

    @contextlib.contextmanager
    def lock(self) -> Iterator[tuple[object, ...]]:
        yield self.waiting


def config_with(*plugins: Any) -> Any:
    return SimpleNamespace(pluginmanager=SimpleNamespace(get_plugins=lambda: plugins))


def test_the_tests_that_wait_in_their_order_without_marks_for_the_end() -> None:
    session: Any = SimpleNamespace(items=["a", "b", "c"])
    worker = SimpleNamespace(torun=Queue(2, 0, object()))
    assert assigned(config_with(SimpleNamespace(), worker), session) == ["c", "a"]


@pytest.mark.parametrize("plugin", [SimpleNamespace(), SimpleNamespace(torun=[1, 2])])
def test_nothing_where_xdist_has_moved_the_name(plugin: Any) -> None:
    session: Any = SimpleNamespace(items=["a", "b", "c"])
    assert assigned(config_with(plugin), session) == []


def test_a_worker_of_xdist_tells_what_waits_in_it(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("xdist")
    seen = pytester.path / "seen.txt"
    monkeypatch.setenv("SEEN", str(seen))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(WAITING)
    pytester.makepyfile(test_it="\n".join(f"def test_{i}(): pass" for i in range(40)))
    result = pytester.runpytest_subprocess("-p", "xdist", "-n1", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=40)
    lines = [line.split() for line in seen.read_text(encoding="utf-8").splitlines()]
    # This one and the next are out of the queue already; the rest of what was handed out waits, in its order.
    for number, (name, *waiting) in enumerate(lines):
        assert name == f"test_{number}"
        assert waiting == [f"test_{number + 2 + i}" for i in range(len(waiting))]
    assert max(map(len, lines)) > 2


def test_a_worker_whose_twin_cannot_start_runs_no_test_and_leaves_the_reason_to_the_controller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def started(order: Any, name: str) -> Any:
        assert (order["session"]["folder"], order["session"]["concurrency"], name) == (str(tmp_path), 2, "twin-gw0")
        return SimpleNamespace(start=no_twin, twin=SimpleNamespace(stop=lambda: None))

    def no_twin(cases: Any) -> None:
        raise TwinError("it cannot be started")

    monkeypatch.setattr("pytest_genaiver.xdist.lockstep", started)
    given = {"folder": str(tmp_path), "concurrency": 2, "root": "/", "least": 1, "scorers": (), "soft": False}
    config: Any = SimpleNamespace(
        workerinput={"genaiver": {**given, "reuse": True}, "workerid": "gw0"},
        workeroutput={},
        pluginmanager=SimpleNamespace(register=lambda *_: None),
        add_cleanup=lambda _: None,
    )
    worker = Worker(config)
    worker.process = SimpleNamespace()  # type: ignore[assignment]
    put(tmp_path / "twin.json", {"session": {"folder": "/other", "concurrency": 8}})
    assert worker.pytest_runtest_protocol(SimpleNamespace(), None) is True  # type: ignore[arg-type]
    assert config.workeroutput == {USAGE: "it cannot be started"}
