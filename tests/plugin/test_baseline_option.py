"""--genai-baseline auto: which recorded version is compared with."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import History, Project

LOCAL_SUITE = """
import pytest

@pytest.mark.genai_eval
@pytest.mark.parametrize("question", [f"q{i}" for i in range(2)])
def test_answer(question, genai_case):
    genai_case.score("good", True)
"""


@pytest.fixture(autouse=True)
def no_calls(project: Project) -> None:
    """These sessions are about what is compared, not about calls."""
    project.commit("suite", **{"test_app.py": LOCAL_SUITE})


def baseline_line(result: pytest.RunResult) -> str:
    """What stands after the word baseline, on the one line that begins with it."""
    found = [line for line in result.outlines if line.startswith("baseline ")]
    assert len(found) == 1, result.outlines
    return found[0].removeprefix("baseline ")


def about(result: pytest.RunResult) -> str:
    """The indented line below the baseline: why this one, and how much of it there is."""
    lines = result.outlines
    place = next(i for i, line in enumerate(lines) if line.startswith("baseline "))
    return lines[place + 1].strip()


def test_the_parent_serves_where_it_is_recorded(project: Project, history: History) -> None:
    history.session()
    project.commit("older")
    parent = history.session()
    project.commit("newer")
    result, report = project.report()
    assert re.fullmatch(rf"{parent.name}, 1 commit back, \d+ seconds? old", baseline_line(result))
    assert about(result) == "parent on main; 1 session, with 100% of the cases"
    assert report["baseline"]["commit"] == project.repo.sha("HEAD~1")


def test_a_grandparent_serves_where_the_parent_is_not_recorded(project: Project, history: History) -> None:
    first = history.session()
    project.commit("not recorded")
    project.commit("now")
    assert baseline_line(project.run()).startswith(f"{first.name}, 2 commits back, ")


def test_a_topic_branch_is_compared_with_its_merge_base_not_with_its_own_commits(
    project: Project, history: History
) -> None:
    base = history.session()
    project.repo.git("switch", "-q", "-c", "topic")
    project.commit("on the topic")
    history.session()
    project.repo.git("switch", "-q", "main")
    project.commit("main went on")
    history.session()
    project.repo.git("switch", "-q", "topic")
    project.commit("on the topic too")
    result = project.run()
    assert baseline_line(result).startswith(f"{base.name}, 2 commits back, ")
    assert about(result).startswith("merge base with main; ")


def test_the_merge_that_tests_a_pull_request_is_the_version_of_its_head(
    project: Project, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    fork = history.session()
    project.repo.git("switch", "-q", "-c", "topic")
    head = project.commit("on the topic", **{"topic.txt": "x"})
    project.repo.git("switch", "-q", "main")
    project.commit("main went on", **{"main.txt": "x"})
    onto = history.session()
    project.repo.git("switch", "-q", "--detach")
    merge = project.repo.merge("topic")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_REF", "refs/pull/7/merge")
    monkeypatch.setenv("GITHUB_SHA", merge)
    monkeypatch.setenv("GITHUB_BASE_REF", "main")
    monkeypatch.setenv("GITHUB_HEAD_REF", "topic")
    result, report = project.report()
    assert report["version"]["name"] == f"app-{head[:8]}"
    assert (report["version"]["commit"], report["version"]["tested"]) == (head, merge)
    assert report["version"]["branch"] == "topic"
    assert baseline_line(result).startswith(f"{onto.name}, 1 commit back, ")
    assert about(result).startswith("the commit the pull request is merged onto; ")
    assert fork.name not in result.stdout.str()
    run = project.runs()[-1]
    assert run.data.tags["genaiver.tested_merge"] == merge
    assert run.data.tags["genaiver.tree"] == project.repo.sha("HEAD^{tree}")


def test_any_other_merge_is_a_version_of_its_own_compared_with_its_first_parent(
    project: Project, history: History
) -> None:
    project.repo.git("switch", "-q", "-c", "topic")
    project.commit("on the topic", **{"topic.txt": "x"})
    history.session()
    project.repo.git("switch", "-q", "main")
    project.commit("main went on", **{"main.txt": "x"})
    onto = history.session()
    merge = project.repo.merge("topic")
    result, report = project.report()
    assert report["version"]["name"] == f"app-{merge[:8]}"
    assert baseline_line(result).startswith(f"{onto.name}, 2 commits back, ")
    assert about(result).startswith("first parent of the merge commit; ")


def test_a_target_branch_that_is_not_in_the_clone_is_said_with_what_to_fetch(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_BASE_REF", "release/2.0")
    result = project.run("-q")
    assert baseline_line(result) == "none: no recorded ancestor (parent of HEAD)"
    fetch = "git fetch origin release/2.0"
    assert f"warning: baseline: target branch 'release/2.0' is not in this clone ({fetch})" in result.outlines


def test_where_no_first_parent_is_recorded_any_ancestor_serves_by_the_fewest_commits_between(
    project: Project, history: History
) -> None:
    project.repo.git("switch", "-q", "-c", "topic")
    project.commit("far", **{"topic.txt": "1"})
    history.session()
    project.commit("near", **{"topic.txt": "2"})
    near = history.session()
    project.repo.git("switch", "-q", "main")
    project.commit("main went on", **{"main.txt": "x"})
    project.repo.merge("topic")
    project.commit("after the merge")
    assert baseline_line(project.run()).startswith(f"{near.name}, 3 commits back, ")


def test_a_dirty_tree_is_compared_with_its_own_commit_first(project: Project, history: History) -> None:
    history.session()
    project.commit("now")
    clean = history.session()
    project.write("app.py", "# changed")
    result, report = project.report()
    assert report["version"]["dirty"] is True
    assert report["version"]["name"].startswith(f"{clean.name}-dirty-")
    assert baseline_line(result).startswith(f"{clean.name}, same commit, ")
    assert about(result).startswith("HEAD without its uncommitted changes; ")


def test_a_dirty_tree_whose_commit_is_not_recorded_is_compared_as_the_commit_would_be(
    project: Project, history: History
) -> None:
    base = history.session()
    project.repo.git("switch", "-q", "-c", "topic")
    project.commit("on the topic")
    history.session()
    project.commit("on the topic too")
    project.write("app.py", "# changed")
    result = project.run()
    assert baseline_line(result).startswith(f"{base.name}, 2 commits back, ")
    assert about(result).startswith("merge base with main; ")


def test_a_detached_head_is_compared_with_its_parent(project: Project, history: History) -> None:
    first = history.session()
    project.commit("now")
    project.repo.git("switch", "-q", "--detach")
    result, report = project.report()
    assert report["version"]["branch"] is None
    assert baseline_line(result).startswith(f"{first.name}, 1 commit back, ")


def test_a_shallow_clone_without_a_baseline_says_so_and_what_to_run(project: Project, empty_store: Path) -> None:
    project.commit("one")
    project.commit("two")
    clone = project.repo.clone(project.path.parent / "clone" / "app", "--depth=1")
    shutil.copy(empty_store, clone.path / "mlflow.db")
    result = project.pytester.runpytest_inprocess("--genai-version", f"--rootdir={clone.path}", str(clone.path))
    assert result.ret == 0
    assert baseline_line(result) == "none: no recorded ancestor (parent on main)"
    result.stdout.fnmatch_lines(["warning: shallow clone: *`git fetch --deepen=100`", "*`git fetch --unshallow`*"])


def test_a_shallow_clone_knows_the_name_of_the_parent_it_lacks(project: Project, history: History) -> None:
    parent = history.session()
    project.commit("now")
    clone = project.repo.clone(project.path.parent / "clone" / "app", "--depth=1")
    store = ("-o", f"genai_tracking_uri=sqlite:///{project.path / 'mlflow.db'}")
    at = (f"--rootdir={clone.path}", str(clone.path))
    result = project.pytester.runpytest_inprocess("--genai-version", *store, *at)
    assert baseline_line(result).startswith(f"{parent.name}, ")
    assert "shallow clone" not in result.stdout.str()


def test_outside_git_and_before_the_first_commit_there_is_none(
    project: Project, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.path / ".git").rename(project.path / "no.git")
    project.run()
    result = project.run()
    assert baseline_line(result) == "none: outside git there is no ancestor"
    result.stdout.fnmatch_lines(["next: *give one with --genai-baseline FILE.json*"])
    result.stdout.fnmatch_lines(["version app-local-dev"])
    project.repo.git("init", "-q")
    result = project.run()
    assert baseline_line(result) == "none: without a commit there is no ancestor"
    result.stdout.fnmatch_lines(["version app-local-dev"])
    assert len(project.models()) == 1


def test_a_version_is_never_its_own_baseline(project: Project) -> None:
    project.run()
    result = project.run()
    assert baseline_line(result) == "none: no recorded ancestor (parent on main)"
    assert len(project.models()) == 1
    assert len(project.runs()) == 2
