"""The exchange between controller and workers, without processes."""

from __future__ import annotations

import json
import threading

import pytest

from pytest_genaiver.running.looks import ControllerLooks, shares
from pytest_genaiver.running.meeting import put


def looks(folder, live, ask, got=lambda records: None, stopped=lambda: False):
    return ControllerLooks(folder=folder, live=live, ask=ask, got=got, tick=lambda: None, stopped=stopped)


def answers(folder):
    return [json.loads(path.read_text()) for path in sorted(folder.glob("more-*.json"))]


def test_repeats_are_dealt_out_in_turn():
    assert shares({"a": [1, 2, 3], "b": [1]}, ["gw0", "gw1"]) == {"gw0": {"a": [1, 3]}, "gw1": {"a": [2], "b": [1]}}


def test_every_live_workers_records_are_in_before_the_gate_is_asked(tmp_path):
    seen = []
    wanted = [{"a": [1]}, {}]
    put(tmp_path / "gw0-0.json", ["r0"])
    put(tmp_path / "gw1-0.json", ["r1"])
    put(tmp_path / "gw0-1.json", ["r2"])
    put(tmp_path / "gw1-1.json", [])

    def ask():
        seen.append("asked")
        return wanted.pop(0)

    looks(tmp_path, lambda: {"gw0", "gw1"}, ask, seen.extend).run()
    assert seen == ["r0", "r1", "asked", "r2", "asked"]
    assert answers(tmp_path) == [{"gw0": {"a": [1]}, "gw1": {}}, None]


def test_a_worker_that_is_gone_is_not_waited_for(tmp_path):
    live = {"gw0", "gw1"}
    put(tmp_path / "gw0-0.json", [])
    thread = threading.Thread(target=looks(tmp_path, lambda: set(live), dict).run)
    thread.start()
    live.discard("gw1")
    thread.join(5)
    assert answers(tmp_path) == [None]


def test_a_session_that_stops_lets_the_workers_go_unasked(tmp_path):
    looks(tmp_path, lambda: {"gw0"}, pytest.fail, stopped=lambda: True).run()
    assert answers(tmp_path) == [None]


def test_an_error_of_the_gate_leaves_nobody_waiting(tmp_path):
    put(tmp_path / "gw0-0.json", [])

    def broken():
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        looks(tmp_path, lambda: {"gw0"}, broken).run()
    assert answers(tmp_path) == [None]
