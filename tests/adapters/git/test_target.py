from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters import git
from pytest_genaiver.core.ci import CiFacts, read_ci

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MAIN = {"GITHUB_BASE_REF": "main"}


def target(repo, environ: dict[str, str] | None = None) -> git.Target:
    ci = read_ci(environ or {})
    head = git.read_head(repo.path, ci)
    assert head is not None
    return git.target(head.toplevel, head, ci)


@pytest.fixture
def topic(repo, tmp_path: Path):
    """A clone on the branch topic, two commits ahead of a main that has gone on; its merge base is `first`."""
    clone = repo.clone(tmp_path / "clone")
    clone.git("switch", "--quiet", "--create", "topic")
    clone.commit("topic one")
    clone.commit("topic two")
    repo.commit("main goes on")
    clone.git("fetch", "--quiet")
    return clone


def test_a_topic_is_compared_with_its_merge_base(topic) -> None:
    found = target(topic)
    assert found == git.Target(start=topic.sha("HEAD~2"), why="merge base with origin/main", branch="main")


def test_the_target_branch_that_ci_names_wins(topic) -> None:
    topic.git("update-ref", "refs/remotes/origin/release/1", "HEAD~1")
    found = target(topic, {"GITHUB_BASE_REF": "release/1"})
    assert found == git.Target(start=topic.sha("HEAD~1"), why="merge base with origin/release/1", branch="release/1")


def test_a_target_branch_may_be_a_local_one(topic) -> None:
    topic.git("branch", "release", "HEAD~1")
    assert target(topic, {"GITHUB_BASE_REF": "release"}).why == "merge base with release"


def test_a_target_branch_that_is_not_fetched_is_said_with_the_fix(topic) -> None:
    found = target(topic, {"GITHUB_BASE_REF": "it's;rm"})
    assert found.start == topic.sha("HEAD~1")
    assert found.branch == "it's;rm"
    assert "is not in this clone (git fetch origin 'it'\"'\"'s;rm')" in found.why


def test_an_option_like_target_branch_is_only_a_name(topic) -> None:
    assert target(topic, {"GITHUB_BASE_REF": "--output=x"}).start == topic.sha("HEAD~1")


def test_a_base_that_gitlab_names_stands_in_for_a_branch_that_is_not_fetched(topic) -> None:
    gitlab = {"GITLAB_CI": "true", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "trunk"}
    found = target(topic, {**gitlab, "CI_MERGE_REQUEST_DIFF_BASE_SHA": "f" * 40})
    assert found == git.Target(start="f" * 40, why="merge base with trunk, as gitlab names it", branch="trunk")
    known = target(topic, {**gitlab, "CI_MERGE_REQUEST_DIFF_BASE_SHA": topic.sha("origin/main")})
    assert known.start == topic.sha("HEAD~2")
    assert target(topic, {**gitlab, "CI_MERGE_REQUEST_DIFF_BASE_SHA": "fffffff"}).start == topic.sha("HEAD~1")
    itself = target(topic, {**gitlab, "CI_MERGE_REQUEST_DIFF_BASE_SHA": topic.sha()})
    assert itself.start == topic.sha("HEAD~1")


@pytest.mark.parametrize("name", ["main", "master"])
def test_the_default_branch_is_found_without_the_remotes_head(topic, name: str) -> None:
    topic.git("remote", "set-head", "origin", "--delete")
    topic.git("update-ref", f"refs/remotes/origin/{name}", "origin/main")
    if name == "master":
        topic.git("update-ref", "-d", "refs/remotes/origin/main")
    assert target(topic).why == f"merge base with origin/{name}"


def test_the_default_branch_that_ci_names_is_tried_first(topic) -> None:
    topic.git("remote", "set-head", "origin", "--delete")
    topic.git("update-ref", "refs/remotes/origin/trunk", "HEAD~1")
    found = target(topic, {"GITLAB_CI": "true", "CI_DEFAULT_BRANCH": "trunk"})
    assert (found.start, found.why) == (topic.sha("HEAD~1"), "merge base with origin/trunk")


def test_a_remote_head_that_points_nowhere_is_passed_over(topic) -> None:
    topic.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/gone")
    assert target(topic).why == "merge base with origin/main"


def test_a_remote_of_another_name_serves_where_there_is_no_origin(topic) -> None:
    topic.git("remote", "rename", "origin", "upstream")
    assert target(topic).why == "merge base with upstream/main"


def test_without_a_remote_the_local_main_is_the_target(repo) -> None:
    first = repo.sha()
    repo.git("switch", "--quiet", "--create", "topic")
    repo.commit("topic")
    assert target(repo) == git.Target(start=first, why="merge base with main", branch="main")


def test_an_empty_origin_leaves_the_local_main(repo, make_repo: Callable) -> None:
    repo.git("remote", "add", "origin", make_repo("empty").path.as_uri())
    first = repo.sha()
    repo.commit("second")
    assert target(repo) == git.Target(start=first, why="parent on main", branch="main")


def test_without_any_known_branch_it_is_the_parent(repo) -> None:
    repo.git("branch", "--move", "main", "trunk")
    first = repo.sha()
    repo.commit("second")
    assert target(repo) == git.Target(
        start=first, why="parent of HEAD: no remote branch, no main, no master", branch=None
    )


@pytest.mark.parametrize("detached", [True, False])
def test_on_the_target_branch_it_is_the_parent(repo, tmp_path: Path, detached: bool) -> None:
    first = repo.sha()
    repo.commit("second")
    clone = repo.clone(tmp_path / "clone")
    if detached:
        clone.git("switch", "--quiet", "--detach")
    assert target(clone) == git.Target(start=first, why="parent on main", branch="main")


def test_main_ahead_of_its_remote_is_compared_with_its_parent(repo, tmp_path: Path) -> None:
    clone = repo.clone(tmp_path / "clone")
    ahead = clone.commit("ahead")
    clone.commit("further ahead")
    assert target(clone).start == ahead


def test_a_fork_whose_branch_is_called_like_the_target_is_no_push_to_it(topic) -> None:
    topic.git("branch", "--force", "main", "topic")
    topic.git("switch", "--quiet", "main")
    assert target(topic, {**MAIN, "GITHUB_HEAD_REF": "main"}).why == "merge base with origin/main"


def test_the_first_commit_has_nothing_before_it(repo) -> None:
    assert target(repo) == git.Target(start=None, why="first commit of main", branch="main")
    repo.git("branch", "--move", "main", "trunk")
    assert target(repo) == git.Target(start=None, why="the first commit has no parent", branch=None)


def test_before_the_first_commit_there_is_no_target(make_repo: Callable) -> None:
    assert target(make_repo()) == git.Target(start=None, why="no commit yet", branch=None)


def test_histories_without_a_common_commit_have_no_merge_base(topic) -> None:
    topic.git("switch", "--quiet", "--orphan", "alone")
    alone = topic.commit("alone")
    assert target(topic).why == "the first commit has no parent"
    topic.commit("second")
    assert target(topic) == git.Target(
        start=alone, why="parent of HEAD: no merge base with origin/main in this clone", branch="main"
    )
    gitlab = {"GITLAB_CI": "true", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}
    assert target(topic, {**gitlab, "CI_MERGE_REQUEST_DIFF_BASE_SHA": topic.sha("main")}).start == alone


def test_a_clone_of_depth_one_knows_the_parent_of_main_by_name(repo, tmp_path: Path) -> None:
    first = repo.sha()
    repo.commit("second")
    clone = repo.clone(tmp_path / "clone", "--depth=1")
    assert target(clone) == git.Target(start=first, why="parent on main", branch="main")


def test_a_pull_request_is_compared_with_what_it_is_merged_onto(topic) -> None:
    topic.git("switch", "--quiet", "--detach", "origin/main")
    topic.merge("topic")
    found = target(topic, {**MAIN, "GITHUB_REF": "refs/pull/7/merge"})
    assert found == git.Target(
        start=topic.sha("HEAD^1"), why="the commit the pull request is merged onto", branch="main"
    )


def test_a_pull_request_that_the_target_was_merged_into_is_compared_with_that_side(topic) -> None:
    bitbucket = {
        "BITBUCKET_PR_ID": "7",
        "BITBUCKET_BRANCH": "topic",
        "BITBUCKET_COMMIT": topic.sha(),
        "BITBUCKET_PR_DESTINATION_BRANCH": "main",
    }
    topic.merge("origin/main")
    assert target(topic, bitbucket).start == topic.sha("origin/main")


def test_any_other_merge_is_compared_with_its_first_parent(topic) -> None:
    topic.git("switch", "--quiet", "--detach", "origin/main")
    topic.merge("topic")
    assert target(topic) == git.Target(
        start=topic.sha("HEAD^1"), why="first parent of the merge commit", branch="main"
    )


def test_a_topic_that_main_was_merged_into_is_compared_with_main_where_ci_names_it(topic) -> None:
    topic.merge("origin/main")
    assert target(topic).start == topic.sha("HEAD^1")
    assert target(topic, MAIN).start == topic.sha("origin/main")


@pytest.mark.parametrize("branch", ["main", "topic"])
def test_a_dirty_tree_is_compared_with_its_head_first(topic, branch: str) -> None:
    topic.git("switch", "--quiet", branch)
    clean = target(topic)
    topic.write("app.py", "print('edited')\n")
    assert target(topic) == git.Target(
        start=topic.sha(), why="HEAD without its uncommitted changes", branch="main", then=clean
    )


def test_a_linked_worktree_has_the_targets_of_its_repository(topic, tmp_path: Path) -> None:
    topic.git("worktree", "add", "--quiet", "-b", "other", str(tmp_path / "linked"), "topic")
    head = git.read_head(tmp_path / "linked", CiFacts())
    assert head is not None
    assert git.target(head.toplevel, head, CiFacts()).why == "merge base with origin/main"
