from __future__ import annotations

import os
import shutil
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters import git
from pytest_genaiver.core.ci import CiFacts, read_ci
from pytest_genaiver.errors import GitError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NO_CI = CiFacts()
GITHUB_PR = {"GITHUB_REF": "refs/pull/7/merge", "GITHUB_BASE_REF": "main", "GITHUB_HEAD_REF": "topic"}


def head(path: Path, environ: dict[str, str] | None = None) -> git.Head:
    found = git.read_head(path, read_ci(environ or {}))
    assert found is not None
    return found


@pytest.fixture
def pull_request(repo):
    """main and topic have each gone on; HEAD is detached at the merge of topic into main."""
    repo.git("switch", "--quiet", "--create", "topic")
    repo.commit("topic", **{"prompt.txt": "You are terse.\n"})
    repo.git("switch", "--quiet", "main")
    repo.commit("main goes on", other="x")
    repo.git("switch", "--quiet", "--detach")
    repo.merge("topic")
    return repo


def test_a_clean_checkout_is_described(repo) -> None:
    repo.git("remote", "add", "origin", "https://ada:tok@github.com/acme/bot.git")
    found = head(repo.path)
    assert found == git.Head(
        toplevel=repo.path.resolve(),
        main_worktree=repo.path.resolve(),
        commit=repo.sha(),
        tested=None,
        parents=(),
        branch="main",
        tree=repo.sha("HEAD^{tree}"),
        dirty=None,
        untracked=(),
        shallow=False,
        remote="https://github.com/acme/bot.git",
        committed=datetime(2023, 11, 14, 22, 13, 20, tzinfo=timezone.utc),
    )


def test_a_subfolder_a_file_and_a_symlink_lead_to_the_same_toplevel(repo, tmp_path: Path) -> None:
    repo.write("tests/test_app.py")
    (tmp_path / "link").symlink_to(repo.path)
    for path in (repo.path / "tests", repo.path / "tests/test_app.py", tmp_path / "link" / "tests"):
        assert head(path).toplevel == repo.path.resolve()


def test_our_report_below_a_symlinked_path_never_counts(repo, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(repo.path)
    repo.write("reports/r.json")
    found = git.read_head(tmp_path / "link", NO_CI, ours=[str(tmp_path / "link/reports/r.json")])
    assert found is not None
    assert found.untracked == ()


def test_a_toplevel_may_hold_spaces_newlines_and_bytes_that_are_no_text(make_repo: Callable) -> None:
    repo = make_repo("a b\nc" + os.fsdecode(b"\xff"))
    repo.commit("first")
    assert head(repo.path).toplevel == repo.path.resolve()


def test_a_detached_head_takes_its_branch_from_ci(repo) -> None:
    repo.git("switch", "--quiet", "--detach")
    assert head(repo.path).branch is None
    assert head(repo.path, {"GITHUB_REF": "refs/heads/topic"}).branch == "topic"


def test_a_hostile_branch_name_is_only_a_name(repo) -> None:
    name = "$(touch${IFS}pwned);'\"--help"
    repo.git("branch", name)
    repo.git("switch", "--quiet", name)
    assert head(repo.path).branch == name
    assert not (repo.path / "pwned").exists()


def test_before_the_first_commit_there_is_no_version(make_repo: Callable) -> None:
    repo = make_repo()
    repo.write("app.py")
    found = head(repo.path)
    assert (found.commit, found.tree, found.committed, found.dirty) == (None, None, None, None)
    assert found.branch == "main"
    assert found.untracked == ("app.py",)


def test_outside_a_repository_there_is_no_head(tmp_path: Path) -> None:
    assert git.read_head(tmp_path, NO_CI) is None


def test_a_bare_repository_has_no_work_tree_and_no_head(repo, tmp_path: Path) -> None:
    bare = repo.clone(tmp_path / "bare.git", "--bare")
    assert git.read_head(bare.path, NO_CI) is None


def test_a_shallow_clone_knows_its_parents_by_name(repo, tmp_path: Path) -> None:
    first = repo.sha()
    repo.commit("second")
    clone = repo.clone(tmp_path / "clone", "--depth=1")
    found = head(clone.path)
    assert found.shallow
    assert found.parents == (first,)
    assert found.commit == repo.sha()


def test_a_linked_worktree_has_a_toplevel_of_its_own(repo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "--quiet", str(tmp_path / "linked"), "-b", "topic")
    found = head(tmp_path / "linked")
    assert found.toplevel == (tmp_path / "linked").resolve()
    assert found.main_worktree == repo.path.resolve()
    assert found.branch == "topic"


@pytest.mark.parametrize(("folder", "name"), [("bot.git", "bot"), ("bot/.bare", "bot")])
def test_a_worktree_of_a_bare_repository_is_named_after_that(repo, tmp_path: Path, folder: str, name: str) -> None:
    bare = repo.clone(tmp_path / folder, "--bare")
    bare.git("worktree", "add", "--quiet", str(tmp_path / "linked"), "main")
    assert head(tmp_path / "linked").main_worktree.name == name


def test_a_submodule_is_a_repository_of_its_own(repo, make_repo: Callable) -> None:
    outer = make_repo("shop")
    outer.git("submodule", "--quiet", "add", repo.path.as_uri(), "agents/support")
    outer.commit("add the agent")
    found = head(outer.path / "agents/support")
    assert found.toplevel == found.main_worktree == (outer.path / "agents/support").resolve()
    assert found.commit == repo.sha()
    assert found.remote == repo.path.as_uri()


def test_a_sparse_checkout_is_clean(repo, tmp_path: Path) -> None:
    repo.commit("more", **{"docs/index.md": "x"})
    clone = repo.clone(tmp_path / "clone", "--sparse")
    assert not (clone.path / "docs").exists()
    assert head(clone.path).dirty is None


def test_a_github_pull_request_is_named_after_its_head(pull_request) -> None:
    found = head(pull_request.path, GITHUB_PR)
    assert found.commit == pull_request.sha("topic")
    assert found.tested == pull_request.sha()
    assert found.parents == (pull_request.sha("main"), pull_request.sha("topic"))
    assert found.branch == "topic"
    assert found.tree == pull_request.sha("HEAD^{tree}")


def test_a_pull_request_is_known_in_a_clone_of_depth_one(pull_request, tmp_path: Path) -> None:
    pull_request.git("update-ref", "refs/pull/7/merge", "HEAD")
    pull_request.git("switch", "--quiet", "--force-create", "ci", "HEAD")
    clone = pull_request.clone(tmp_path / "clone", "--depth=1", "--branch=ci")
    found = head(clone.path, GITHUB_PR)
    assert found.commit == pull_request.sha("topic")
    assert found.tested == pull_request.sha()
    assert found.committed is None


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"GITHUB_REF": "refs/heads/main", "GITHUB_BASE_REF": "main"},
        {**GITHUB_PR, "GITHUB_SHA": "f" * 40},
    ],
    ids=["no ci", "a push", "another merge than github's"],
)
def test_any_other_merge_is_a_version_of_its_own(pull_request, environ: dict[str, str]) -> None:
    found = head(pull_request.path, environ)
    assert found.commit == pull_request.sha()
    assert found.tested is None


def test_a_pull_request_checked_out_without_merge_is_its_head(pull_request) -> None:
    pull_request.git("switch", "--quiet", "topic")
    assert head(pull_request.path, GITHUB_PR).commit == pull_request.sha("topic")


@pytest.mark.parametrize("name", ["PR-7", "PR-7-merge"])
def test_jenkins_merges_the_target_into_the_pull_request(repo, name: str) -> None:
    repo.git("switch", "--quiet", "--create", "topic")
    topic = repo.commit("topic")
    repo.git("update-ref", f"refs/remotes/origin/{name}", topic)
    repo.git("switch", "--quiet", "main")
    repo.commit("main goes on")
    repo.git("switch", "--quiet", "--detach", "topic")
    environ = {"CHANGE_TARGET": "main", "BRANCH_NAME": name, "CHANGE_BRANCH": "topic"}
    assert head(repo.path, environ).tested is None
    merge = repo.merge("main")
    found = head(repo.path, environ)
    assert (found.commit, found.tested) == (topic, merge)


def test_a_git_hooks_variables_do_not_mislead(repo, make_repo: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    other = make_repo("other")
    other.commit("another app")
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.path))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.path / ".git/index"))
    (repo.path / "tests").mkdir()
    found = head(repo.path / "tests")
    monkeypatch.undo()
    assert found.commit == repo.sha()
    assert found.dirty is None


def test_reading_writes_nothing(repo) -> None:
    # A newer time stamp with the same content is what makes git refresh, and write, its index.
    os.utime(repo.path / "app.py", (1, 1))
    before = {path: path.stat().st_mtime_ns for path in repo.path.rglob("*")}
    assert head(repo.path).dirty is None
    assert {path: path.stat().st_mtime_ns for path in repo.path.rglob("*")} == before


def test_dubious_ownership_is_an_error_that_holds_the_fix(repo, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:
        for path in (repo.path, *repo.path.rglob("*")):
            os.chown(path, 65534, 65534)
    else:
        monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(GitError, match="another user owns") as caught:
        git.read_head(repo.path, NO_CI)
    assert f"git config --global --add safe.directory {repo.path}" in str(caught.value)


def test_ownership_that_the_user_trusts_is_read(repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "safe.directory")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "*")
    assert head(repo.path).branch == "main"


def test_a_worktree_whose_repository_is_gone_is_an_error(repo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "--quiet", str(tmp_path / "linked"))
    shutil.rmtree(repo.path)
    with pytest.raises(GitError, match="cannot read the repository"):
        git.read_head(tmp_path / "linked", NO_CI)


def test_a_head_whose_commit_is_gone_is_an_error(repo) -> None:
    sha = repo.sha()
    (repo.path / ".git/objects" / sha[:2] / sha[2:]).unlink()
    with pytest.raises(GitError, match="repair it, or clone it anew"):
        git.read_head(repo.path, NO_CI)
