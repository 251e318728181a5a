"""The child process: started, asked, ended. A shell script stands for Python."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.errors import TwinError
from pytest_genaiver.twin.handle import Twin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Make = Callable[[str], Twin]

# Says that it is ready on the descriptor that the order names, and then does what the test wants.
START = """#!/usr/bin/env python3
import json, os, signal, sys, time
os.setpgid(0, 0)
order = json.load(open(os.environ["GENAIVER_TWIN"]))
reading, writing = order["pipes"]
def say(message):
    os.write(writing, json.dumps(message).encode() + b"\\n")
"""


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Twin] = []

    def twin(does: str) -> Twin:
        script = tmp_path / "python"
        script.write_text(START + does)
        script.chmod(0o755)
        order = {
            "python": str(script),
            "args": ["-q"],
            "cwd": str(tmp_path),
            "env": {"A": "1"},
            "folder": str(tmp_path),
        }
        made.append(Twin(order=order, name="twin"))
        return made[-1]

    yield twin
    for one in made:
        one.stop(0.0)


def test_it_starts_says_what_it_collected_and_answers(make: Make) -> None:
    twin = make(
        "say({'ready': [sys.argv[1:], os.environ['A'], order['parent']]})\n"
        "say({'got': os.read(reading, 99).decode()})"
    )
    args = ["-m", "pytest", "-p", "pytest_genaiver.twin.child", "-q"]
    assert twin.start() == {"ready": [args, "1", os.getpid()]}
    twin.tell({"do": "it"})
    assert twin.answer(10) == {"got": '{"do": "it"}\n'}


def test_one_that_ends_before_it_is_ready_is_told_with_what_it_printed_last(make: Make) -> None:
    twin = make("print('one\\ntwo\\n=====\\nE   ImportError: no tools\\n...F [ 10%]\\nlast')\nsys.exit(4)")
    with pytest.raises(TwinError) as caught:
        twin.start()
    assert str(caught.value) == "it ended with exit code 4; its last output: two | E   ImportError: no tools | last"


def test_one_that_is_killed_says_the_signal_and_nothing_of_its_start(make: Make) -> None:
    twin = make("print('at the start', flush=True)\nsay({})\nos.read(reading, 99)\nos.kill(os.getpid(), 9)")
    twin.start()
    twin.tell({"do": "it"})
    with pytest.raises(TwinError, match=r"^it ended by signal 9 and printed nothing$"):
        twin.answer(10)


def test_one_that_does_not_answer_is_given_up_and_ticks_meanwhile(make: Make) -> None:
    twin, ticks = make("say({})\ntime.sleep(60)"), []
    twin.start()
    with pytest.raises(TwinError, match=r"^it did not answer within 0 s"):
        twin.answer(0.3, lambda: ticks.append(1))
    assert ticks


def test_the_end_takes_all_that_it_started(make: Make) -> None:
    twin = make("child = os.fork()\nif not child: time.sleep(60)\nsay({'child': child})\ntime.sleep(60)")
    child = twin.start()["child"]
    twin.stop(0.0)
    twin.stop()
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            break
        time.sleep(0.02)
    else:
        os.kill(child, signal.SIGKILL)
        pytest.fail("the child of the twin is still there")
    with pytest.raises(TwinError, match=r"^it was ended"):
        twin.tell({"do": "it"})


@pytest.mark.parametrize(
    ("does", "log"),
    [
        ("os.read(reading, 1)\nprint('put away')", "put away"),
        ("try: time.sleep(60)\nexcept KeyboardInterrupt: print('put away')", "put away"),
        ("signal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('stubborn', flush=True)\ntime.sleep(60)", "stubborn"),
    ],
    ids=["by itself", "interrupted", "killed"],
)
def test_it_may_put_its_fixtures_away(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str, log: str
) -> None:
    monkeypatch.setattr("pytest_genaiver.twin.handle._GRACE", 0.5)
    twin = make(f"say({{}})\n{does}")
    twin.start()
    twin.stop(0.5)
    assert (tmp_path / "twin.log").read_text() == f"{log}\n"


def test_what_cannot_be_run_is_said(make: Make, tmp_path: Path) -> None:
    twin = make("")
    twin.order = {**twin.order, "python": str(tmp_path / "nowhere")}
    with pytest.raises(TwinError, match=r"^it cannot be run: .*nowhere"):
        twin.start()
