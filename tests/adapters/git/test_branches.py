"""Where branches end, and where they part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_genaiver.adapters import git

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Repo


def test_the_ends_of_local_and_remote_branches(repo: Repo, tmp_path: Path) -> None:
    first = repo.sha()
    repo.git("checkout", "--quiet", "-b", "feature/a b".replace(" ", "-"))
    second = repo.commit("second")
    assert git.tips(repo.path) == {"main": first, "feature/a-b": second}
    clone = repo.clone(tmp_path / "clone")
    assert git.tips(clone.path) == {"feature/a-b": second, "origin/feature/a-b": second, "origin/main": first}
    clone.git("checkout", "--quiet", "--detach")
    clone.git("branch", "--quiet", "-D", "feature/a-b")
    assert git.tips(clone.path) == {"origin/feature/a-b": second, "origin/main": first}


def test_no_branch_yet(make_repo) -> None:
    assert git.tips(make_repo().path) == {}


def test_where_two_part(repo: Repo) -> None:
    first = repo.sha()
    second = repo.commit("second")
    repo.git("checkout", "--quiet", "-b", "other", first)
    third = repo.commit("third")
    assert git.merge_base(repo.path, second, third) == first
    repo.git("checkout", "--quiet", "--orphan", "apart")
    assert git.merge_base(repo.path, second, repo.commit("apart")) is None
