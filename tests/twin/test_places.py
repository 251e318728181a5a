"""The twin's paths, and the proof that it imports the other commit's app."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import pytest_genaiver
from pytest_genaiver.twin.places import moved, strangers, with_this_package

TOP, TO = Path("/home/me/app"), Path("/tmp/x/app")


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("/home/me/app", "/tmp/x/app"),
        ("/home/me/app/tests/test_a.py::test_b", "/tmp/x/app/tests/test_a.py::test_b"),
        ("--rootdir=/home/me/app", "--rootdir=/tmp/x/app"),
        ("--cov=/home/me/app/a,/home/me/app/b", "--cov=/tmp/x/app/a,/tmp/x/app/b"),
        ("/home/me/app2/tests", "/home/me/app2/tests"),
        ("/mnt/home/me/app/tests", "/mnt/home/me/app/tests"),
        ("tests", "tests"),
        ("-k", "-k"),
    ],
)
def test_paths_in_the_project_are_moved_and_no_others(argument: str, expected: str) -> None:
    assert moved(argument, TOP, TO) == expected


def test_a_place_within_the_project_is_not_moved_again() -> None:
    assert moved("/home/me/app/a", TOP, TOP / "x") == "/home/me/app/x/a"


def test_the_app_must_come_from_the_other_commit(tmp_path: Path) -> None:
    top, to = tmp_path / "app", tmp_path / "there"
    (to / "src" / "agent").mkdir(parents=True)
    (to / "src" / "agent" / "__init__.py").touch()
    (to / "tool.py").touch()
    modules = {
        "agent": str(to / "src" / "agent" / "__init__.py"),
        "mine": str(top / "mine.py"),
        "numpy": str(top / ".venv" / "lib" / "site-packages" / "numpy" / "__init__.py"),
    }
    assert strangers(modules, top, to) == ["mine"]
    site = "/usr/lib/python3/site-packages"
    assert strangers({"tool": f"{site}/tool.py", "agent": f"{site}/agent/__init__.py"}, top, to) == ["agent", "tool"]
    assert not strangers({"other": f"{site}/other.py", "pkg.tool": f"{site}/pkg/tool.py"}, top, to)
    assert not strangers({"agent": str(top / ".there" / "agent.py")}, top, top / ".there")


def test_this_package_is_found_where_it_is_not_installed() -> None:
    found = with_this_package({"PYTHONPATH": "/a", "PATH": "/bin"})
    own = str(Path(pytest_genaiver.__file__).resolve().parents[1])
    expected = ["/a"] if "site-packages" in own else ["/a", own]
    assert found == {"PYTHONPATH": os.pathsep.join(expected), "PATH": "/bin"}
