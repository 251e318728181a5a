from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters import git
from pytest_genaiver.adapters.git import command
from pytest_genaiver.core.ci import CiFacts
from pytest_genaiver.errors import GitError

if TYPE_CHECKING:
    from pathlib import Path

IMPORT_WITHOUT_GIT = """
import os, sys
from pathlib import Path
from pytest_genaiver.adapters import git
from pytest_genaiver.core.ci import CiFacts
assert "git" not in sys.modules
print(git.git_available(), git.read_head(Path.cwd(), CiFacts()), os.environ.get("GIT_PYTHON_REFRESH"))
"""


def test_git_is_found() -> None:
    assert git.git_available()


def test_without_git_there_is_no_head_and_asking_for_more_is_an_error(
    repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not git.git_available()
    assert git.read_head(repo.path, CiFacts()) is None
    with pytest.raises(GitError, match="git is not installed or not on PATH"):
        git.resolve(repo.path, "main")


def test_without_git_a_hooks_variables_change_nothing(repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = shutil.which("env")
    assert env is not None
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/env").symlink_to(env)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("GIT_DIR", ".git")
    assert git.read_head(repo.path, CiFacts()) is None


def test_gitpython_is_imported_without_a_git_executable_and_without_a_trace(tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "GIT_PYTHON_REFRESH"}
    result = subprocess.run(
        [sys.executable, "-c", IMPORT_WITHOUT_GIT],
        env={**environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.stdout, result.stderr) == ("False None None\n", "")


def test_the_users_setting_for_gitpython_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    command._gitpython.cache_clear()
    monkeypatch.setenv("GIT_PYTHON_REFRESH", "warn")
    assert git.git_available()
    assert os.environ["GIT_PYTHON_REFRESH"] == "warn"


def test_the_first_import_leaves_no_setting_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    command._gitpython.cache_clear()
    monkeypatch.delenv("GIT_PYTHON_REFRESH", raising=False)
    assert git.git_available()
    assert "GIT_PYTHON_REFRESH" not in os.environ
