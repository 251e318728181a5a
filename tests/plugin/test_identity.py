"""What version a session is: its name, its tags, its model, in every situation that git can be in."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Project, Repo

SUITE = """
import pytest

@pytest.mark.genai_eval
def test_answer(genai_case, genai_version):
    genai_case.score("good", True)
    print("seen:", genai_version.name, genai_version.commit, genai_version.branch, genai_version.dirty)
"""
PLAIN_INI = "[pytest]\nasyncio_default_fixture_loop_scope = function\n"


@pytest.fixture
def seen(
    project: Project, monkeypatch: pytest.MonkeyPatch, empty_store: Path
) -> Callable[..., tuple[str, str, str, str]]:
    """Runs a session in a folder; name, commit, branch and dirty as the test saw them."""

    def run(folder: Path, *args: str) -> tuple[str, str, str, str]:
        if not (folder / "mlflow.db").exists():
            shutil.copy(empty_store, folder / "mlflow.db")
        monkeypatch.chdir(folder)
        result = project.run("-s", *args)
        assert result.ret == 0
        (line,) = (line for line in result.outlines if "seen: " in line)
        name, commit, branch, dirty = line.partition("seen: ")[2].split()
        assert f"version {name}" in result.outlines
        return name, commit, branch, dirty

    return run


@pytest.fixture
def plain(make_repo: Callable[..., Repo], project: Project) -> Repo:
    """A repository whose app nobody named."""
    repo = make_repo("support-agent")
    files = {"test_app.py": SUITE, "pytest.ini": PLAIN_INI, ".gitignore": "mlflow.db\n__pycache__/\n"}
    repo.commit("first", **files)
    return repo


Seen = Any


def test_a_version_is_named_after_the_folder_and_the_commit(plain: Repo, seen: Seen) -> None:
    sha = plain.sha()
    assert seen(plain.path) == (f"support-agent-{sha[:8]}", sha, "main", "False")
    plain.git("switch", "-q", "--detach")
    assert seen(plain.path) == (f"support-agent-{sha[:8]}", sha, "None", "False")


def test_a_version_is_named_after_origin_and_stores_its_url_without_credentials(
    plain: Repo, seen: Seen, project: Project
) -> None:
    plain.git("remote", "add", "origin", "https://ada:ghp_secret@example.com/team/help.desk.git?token=hidden")
    shutil.rmtree(project.path)
    project.repo = plain
    name, *_ = seen(plain.path)
    assert name == f"help-desk-{plain.sha()[:8]}"
    (experiment,) = (e for e in project.client.search_experiments() if e.name == "help-desk")
    (model,) = project.client.search_logged_models([experiment.experiment_id])
    (run,) = project.client.search_runs([experiment.experiment_id])
    for tags in (model.tags, run.data.tags):
        assert tags["mlflow.source.git.repoURL"] == "https://example.com/team/help.desk.git"
        assert "secret" not in str(tags)
        assert "hidden" not in str(tags)


def test_a_shallow_clone_and_a_worktree_are_the_same_version(plain: Repo, seen: Seen, tmp_path: Path) -> None:
    plain.commit("second")
    sha = plain.sha()
    clone = plain.clone(tmp_path / "clones" / "other-name", "--depth=1")
    assert seen(clone.path)[:2] == (f"support-agent-{sha[:8]}", sha)
    plain.git("worktree", "add", "-q", "-b", "topic", str(tmp_path / "elsewhere"))
    assert seen(tmp_path / "elsewhere") == (f"support-agent-{sha[:8]}", sha, "topic", "False")


def test_a_submodule_is_a_repository_of_its_own(plain: Repo, seen: Seen, make_repo: Callable[..., Repo]) -> None:
    outer = make_repo("outer")
    outer.commit("first")
    outer.git("submodule", "--quiet", "add", plain.path.as_uri(), "agent")
    sha = plain.sha()
    name, commit, _, dirty = seen(outer.path / "agent")
    assert (name, commit, dirty) == (f"support-agent-{sha[:8]}", sha, "False")


def test_two_edits_are_two_versions_and_the_same_edit_is_one(plain: Repo, seen: Seen) -> None:
    names = []
    for text in ("one", "two", "one"):
        plain.write("pytest.ini", PLAIN_INI + f"# {text}\n")
        name, commit, _, dirty = seen(plain.path)
        assert (commit, dirty) == (plain.sha(), "True")
        assert re.fullmatch(rf"support-agent-{commit[:8]}-dirty-[0-9a-f]{{6}}", name)
        names.append(name)
    assert names[0] == names[2] != names[1]


def test_untracked_files_make_no_tree_dirty_and_are_recorded(project: Project) -> None:
    project.write("notes.txt", "new")
    _, report = project.report("-k", "q1")
    assert report["version"]["dirty"] is False
    (model,) = project.models()
    assert model.tags["genaiver.untracked"] == "notes.txt"
    assert model.tags["genaiver.dirty"] == "false"


def test_one_model_a_version_and_one_run_a_session(project: Project) -> None:
    for _ in range(2):
        project.run("-k", "q1")
    (model,) = project.models()
    sha = project.repo.sha()
    assert model.name == f"app-{sha[:8]}"
    assert model.tags["genaiver.commit"] == model.tags["mlflow.source.git.commit"] == sha
    assert model.tags["mlflow.source.git.branch"] == "main"
    runs = project.runs()
    assert [run.data.tags["genaiver.complete"] for run in runs] == ["true", "true"]
    assert {run.data.tags["genaiver.model_id"] for run in runs} == {model.model_id}
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert {m.key for m in model.metrics} >= {"good", "passed", "latency"}


def test_a_folder_that_mlflow_would_refuse_as_a_name(make_repo: Callable[..., Repo], seen: Seen) -> None:
    repo = make_repo("v1.2: 100% 'my' app")
    repo.commit("first", **{"test_app.py": SUITE, "pytest.ini": PLAIN_INI, ".gitignore": "mlflow.db\n__pycache__/\n"})
    assert seen(repo.path)[0] == f"v1-2-100-my-app-{repo.sha()[:8]}"


def test_a_repository_of_another_user_is_refused_with_the_fix(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    result = project.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    fix = f"git config --global --add safe.directory {project.path}"
    assert [line for line in result.errlines if line] == [
        f"ERROR: git does not trust '{project.path}', which another user owns; if you trust it, run: {fix}"
    ]
    assert project.llm.requests == 0


def test_without_git_the_version_is_local_and_says_so(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    result = project.run("-q")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["version app-local-dev", "warning: git is not installed or not on PATH: *"])
