"""Which files are tests, and that they replace those of the other commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.twin.overlay import Overlay, existing, lay, overlay_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "folder", ["tests", "test", "evals", "eval", "unit_tests", "tests-slow", "llm_evals", "e2e_tests"]
)
def test_a_folder_that_is_named_after_tests_is_taken_whole(folder: str) -> None:
    found = overlay_of([f"{folder}/unit/test_a.py"])
    assert found.folders == (folder,)
    assert found.files == ("conftest.py",)


@pytest.mark.parametrize("folder", ["app", "evaluation", "contest", "latest", "attestation", "testable", "src"])
def test_of_any_other_folder_the_files_alone_are_taken(folder: str) -> None:
    found = overlay_of([f"{folder}/test_a.py"])
    assert not found.folders
    assert set(found.files) == {"conftest.py", f"{folder}/conftest.py", f"{folder}/test_a.py"}


def test_tests_within_a_package_leave_the_package_to_the_other_commit() -> None:
    found = overlay_of(["src/agent/tests/test_a.py", "pytest.ini", "data/rows.jsonl"])
    assert found.folders == ("src/agent/tests",)
    assert [f for f in found.files if not f.endswith("conftest.py")] == ["data/rows.jsonl", "pytest.ini"]
    assert {"conftest.py", "src/conftest.py", "src/agent/conftest.py"} <= set(found.files)
    assert not found.covers("src/agent/core.py")
    assert found.covers("src/agent/tests/helpers.py")
    assert found.covers("pytest.ini")
    assert not found.covers("src/agent/tests_of_mine.py")


def test_the_topmost_such_folder_is_taken() -> None:
    assert overlay_of(["tests/evals/test_a.py", "tests/test_b.py"]).folders == ("tests",)


def test_what_it_names_is_short() -> None:
    shown = Overlay(folders=("tests",), files=("a", "b", "c", "d"))
    assert shown.line() == "tests/, a, b, c and 1 more"
    assert Overlay(folders=(), files=("a",)).line() == "a"


def test_the_tests_of_now_replace_those_that_were(tmp_path: Path) -> None:
    now, then = tmp_path / "now", tmp_path / "then"
    for top, text in ((now, "now"), (then, "then")):
        for name in ("tests/test_a.py", "app.py", "test_flat.py"):
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            (top / name).write_text(text)
    (now / "tests" / "helper.py").write_text("now")
    (now / "tests" / "__pycache__").mkdir()
    (then / "tests" / "gone.py").write_text("then")
    (then / "conftest.py").write_text("then")
    (now / "data").mkdir()
    (now / "data" / "rows.jsonl").write_text("now")
    found = existing(overlay_of(["tests/test_a.py", "test_flat.py", "data/rows.jsonl"]), now, then)
    assert found.files == ("conftest.py", "data/rows.jsonl", "test_flat.py")
    lay(found, now, then)
    files = {str(f.relative_to(then)): f.read_text() for f in then.rglob("*") if f.is_file()}
    assert files == {
        "app.py": "then",
        "tests/test_a.py": "now",
        "tests/helper.py": "now",
        "test_flat.py": "now",
        "data/rows.jsonl": "now",
    }
