"""The installed distributions: none is left out, and each is told apart as pip tells it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from importlib.metadata import distributions, version
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.adapters.snapshot.distributions import dependencies, installed, requirements

if TYPE_CHECKING:
    from pathlib import Path

COMMIT = "c" * 40


def install(folder: Path, name: str, version: str = "1.0", origin: Any = None) -> None:
    """What pip leaves of a distribution, as far as it counts here."""
    made = folder / f"{name}-{version}.dist-info"
    made.mkdir(parents=True)
    (made / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: x\n\nVersion: 9 is better\n",
        encoding="utf-8",
    )
    if origin is not None:
        (made / "direct_url.json").write_text(origin if isinstance(origin, str) else json.dumps(origin))


def found(*folders: Path) -> dict[str, str]:
    return dependencies(installed(distributions(path=list(map(str, folders)))))


def test_this_interpreters_distributions_are_those_that_are_imported() -> None:
    here = dependencies(installed())
    assert here["pytest"] == version("pytest")
    assert here["mlflow"] == version("mlflow")
    assert len(here) > 50


def test_names_are_normalised_and_the_first_on_the_path_counts(tmp_path: Path) -> None:
    install(tmp_path / "a", "Py_YAML", "6.0")
    install(tmp_path / "b", "py.yaml", "5.0")
    install(tmp_path / "b", "openai", "1.2")
    assert found(tmp_path / "a", tmp_path / "b") == {"openai": "1.2", "py-yaml": "6.0"}


@pytest.mark.parametrize(
    ("origin", "resolved", "line"),
    [
        (None, "1.0", "app==1.0"),
        ({"url": "file:///home/ada/app", "dir_info": {"editable": True}}, "editable", None),
        ({"url": "file:///home/ada/app", "dir_info": {}}, "1.0 (local)", None),
        ({"url": "file:///tmp/app-1.0.whl", "archive_info": {"hashes": {"sha256": "ab"}}}, "1.0 (local)", None),
        (
            {"url": "https://ada:secret@example.org/app.git", "vcs_info": {"vcs": "git", "commit_id": COMMIT}},
            f"1.0 (git+https://example.org/app.git@{COMMIT})",
            f"app @ git+https://example.org/app.git@{COMMIT}",
        ),
        (
            {"url": "https://example.org/app.whl", "archive_info": {"hashes": {"sha256": "ab12"}}},
            "1.0 (https://example.org/app.whl#sha256=ab12)",
            "app @ https://example.org/app.whl#sha256=ab12",
        ),
        (
            {"url": "https://example.org/app.whl", "archive_info": {}},
            "1.0 (https://example.org/app.whl)",
            "app @ https://example.org/app.whl",
        ),
        ("no json", "1.0", "app==1.0"),
        ([], "1.0", "app==1.0"),
        ({"url": "https://example.org/app.whl", "archive_info": {"hashes": 7}}, "1.0", "app==1.0"),
    ],
)
def test_where_it_came_from_counts(tmp_path: Path, origin: Any, resolved: str, line: str | None) -> None:
    install(tmp_path, "app", origin=origin)
    assert found(tmp_path) == {"app": resolved}
    (_, written, end) = requirements(installed(distributions(path=[str(tmp_path)])), "3.11.9").split("\n")
    assert end == ""
    assert written == (line or f"# app: {resolved}, not from a package index")


def test_what_has_no_readable_metadata_is_named_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "~ip-24.0.dist-info").mkdir()
    (tmp_path / "latin-1.0.dist-info").mkdir()
    (tmp_path / "latin-1.0.dist-info" / "METADATA").write_bytes(b"Name: latin\nAuthor: J\xf6rg\nVersion: 1.0\n\n")
    assert found(tmp_path) == {"latin-1-0": "unknown", "~ip-24-0": "unknown"}
    text = requirements(installed(distributions(path=[str(tmp_path)])), "3.11.9")
    assert "# latin-1.0: its metadata cannot be read" in text


def test_an_egg_is_read_too(tmp_path: Path) -> None:
    egg = tmp_path / "old.egg-info"
    egg.mkdir()
    (egg / "PKG-INFO").write_text("Name: old\nVersion: 0.3\n")
    (tmp_path / "older-0.2.egg-info").write_text("Name: older\nVersion: 0.2\n")
    assert found(tmp_path) == {"old": "0.3", "older": "0.2"}


def test_pip_takes_the_requirements(tmp_path: Path) -> None:
    pytest.importorskip("pip")
    for name, origin in (
        ("pip", None),
        ("pytest", None),
        ("app", {"url": "file:///a", "dir_info": {"editable": True}}),
    ):
        install(tmp_path / "site", name, version("pytest") if name == "pytest" else "1.0", origin)
    file = tmp_path / "requirements.txt"
    file.write_text(requirements(installed(distributions(path=[str(tmp_path / "site")])), "3.11.9"))
    assert "pip" not in file.read_text().replace("pip could", "").split()
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--no-index", "-r", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"Requirement already satisfied: pytest=={version('pytest')}" in done.stdout, done.stderr


def test_four_hundred_are_read_in_a_moment(tmp_path: Path) -> None:
    for number in range(400):
        install(tmp_path, f"package-{number}")
    start = time.perf_counter()
    assert len(found(tmp_path)) == 400
    assert time.perf_counter() - start < 1
