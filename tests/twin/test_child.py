"""The parts of the twin's own side that need no second process."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.twin import child

if TYPE_CHECKING:
    from pathlib import Path


class Ended(Exception):
    """In place of the end of the process."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The twins' folder, while the parent of this process goes away at the third look."""
    parents = iter([7, 7, 1])
    ended = SimpleNamespace(getppid=lambda: next(parents), kill=_kill, _exit=_exit)
    monkeypatch.setattr(child, "os", ended)
    monkeypatch.setattr(child, "time", SimpleNamespace(sleep=lambda seconds: None))
    made = tmp_path / "twins"
    made.mkdir()
    return made


def _kill(pid: int, sign: int) -> None:
    if pid == 99:
        raise ProcessLookupError


def _exit(code: int) -> None:
    raise Ended(code)


def test_a_twin_whose_session_was_killed_ends_and_puts_away_what_nobody_else_will(folder: Path) -> None:
    with pytest.raises(Ended, match="1"):
        child._watch(7, 99, str(folder))
    assert not folder.exists()


def test_a_twin_whose_worker_crashed_leaves_what_other_workers_use(folder: Path) -> None:
    with pytest.raises(Ended, match="1"):
        child._watch(7, 7, str(folder))
    assert folder.exists()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "tests/a.py:1: in <module>\n    import x\nE   ModuleNotFoundError: No module named 'x'\n",
            "ModuleNotFoundError: *",
        ),
        ("E   one\nE   two\n", "two"),
        ("(skipped in some way)\n\n", "(skipped in some way)"),
        ("", "it cannot be collected"),
    ],
)
def test_why_a_file_cannot_be_collected_is_one_line(text: str, why: str) -> None:
    order: dict[str, Any] = {"session": {"least": 1, "scorers": (), "soft": False}, "top": "/there"}
    one = child.Child(order, channel=None)  # type: ignore[arg-type]
    one.pytest_collectreport(SimpleNamespace(failed=True, longrepr=text, nodeid="tests/a.py"))  # type: ignore[arg-type]
    one.pytest_collectreport(SimpleNamespace(failed=False, nodeid="tests/b.py"))  # type: ignore[arg-type]
    assert list(one.failed) == ["tests/a.py"]
    pytest.LineMatcher([one.failed["tests/a.py"]]).fnmatch_lines([why])
