"""Whether a file is committed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_genaiver.adapters import git

if TYPE_CHECKING:
    from conftest import Repo


def test_a_committed_or_added_file_is_tracked(repo: Repo) -> None:
    other = repo.write("mlflow.db")
    assert git.is_tracked(repo.path, repo.path / "app.py")
    assert not git.is_tracked(repo.path, other)
    assert not git.is_tracked(repo.path, repo.path.parent / "elsewhere")
    repo.git("add", "mlflow.db")
    assert git.is_tracked(repo.path, other)
