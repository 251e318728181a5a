from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters import git
from pytest_genaiver.core.ci import CiFacts

if TYPE_CHECKING:
    from collections.abc import Callable


def dirty(repo, *ours: str) -> str | None:
    found = git.read_head(repo.path, CiFacts(), ours=ours)
    assert found is not None
    return found.dirty


def edit(repo) -> None:
    repo.write("app.py", "print('edited')\n")


def delete(repo) -> None:
    (repo.path / "app.py").unlink()


def rename(repo) -> None:
    (repo.path / "app.py").rename(repo.path / "main.py")


def make_executable(repo) -> None:
    (repo.path / "app.py").chmod(0o755)


def make_binary(repo) -> None:
    repo.write("app.py", b"\x00\xff\x00")


def make_symlink(repo) -> None:
    delete(repo)
    (repo.path / "app.py").symlink_to("prompt.txt")


def make_pipe(repo) -> None:
    delete(repo)
    os.mkfifo(repo.path / "app.py")


def empty(repo) -> None:
    repo.write("app.py")


def odd_names(repo) -> None:
    edit(repo)
    repo.write("a b\nc.txt")
    (repo.path / os.fsdecode(b"\xff.txt")).touch()


CHANGES = [edit, delete, rename, make_executable, make_binary, make_symlink, empty, odd_names]


@pytest.mark.parametrize("change", CHANGES)
def test_the_same_change_has_the_same_hash_staged_or_not(repo, change: Callable) -> None:
    change(repo)
    unstaged = dirty(repo)
    assert unstaged is not None
    assert len(unstaged) == 6
    assert dirty(repo) == unstaged
    repo.git("add", "--all")
    assert dirty(repo) == unstaged


def test_different_changes_have_different_hashes(repo) -> None:
    seen = set()
    for change in [*CHANGES, make_pipe]:
        change(repo)
        seen.add(dirty(repo))
        repo.git("reset", "--quiet", "--hard")
        repo.git("clean", "--quiet", "--force")
    assert len(seen) == len(CHANGES) + 1
    assert dirty(repo) is None


def test_another_edit_of_the_same_length_has_another_hash(repo) -> None:
    repo.write("app.py", "print('one..')\n")
    one = dirty(repo)
    repo.write("app.py", "print('two..')\n")
    assert dirty(repo) != one


def test_an_edited_file_made_executable_has_another_hash(repo) -> None:
    edit(repo)
    before = dirty(repo)
    make_executable(repo)
    assert dirty(repo) != before


def test_a_symlink_to_another_file_has_another_hash(repo) -> None:
    make_symlink(repo)
    before = dirty(repo)
    delete(repo)
    (repo.path / "app.py").symlink_to("elsewhere")
    assert dirty(repo) != before


def test_an_edit_that_is_undone_leaves_the_tree_clean(repo) -> None:
    repo.write("app.py", "print('edited')\n")
    repo.write("app.py", "print('hello')\n")
    assert dirty(repo) is None


def test_new_files_are_told_and_count_only_in_a_dirty_tree(repo) -> None:
    repo.write("notes.txt", "one")
    found = git.read_head(repo.path, CiFacts())
    assert found is not None
    assert (found.dirty, found.untracked) == (None, ("notes.txt",))
    edit(repo)
    one = dirty(repo)
    repo.write("notes.txt", "two")
    assert dirty(repo) != one


def test_ignored_files_never_count(repo) -> None:
    repo.commit("ignore", **{".gitignore": "*.log\n"})
    edit(repo)
    before = dirty(repo)
    repo.write("run.log", "x")
    assert dirty(repo) == before


def test_our_store_and_reports_never_count(repo) -> None:
    edit(repo)
    before = dirty(repo)
    for name in ("mlflow.db", "mlflow.db-wal", "mlflow.db-shm", "mlruns/1/meta.yaml", ".genaiver/spool/1"):
        repo.write(name, "x")
    own = (repo.write("reports/r.json"), repo.write("store/x.db"), repo.path.parent / "elsewhere.json")
    ours = (str(own[0]), str(own[1].parent), str(own[2]))
    assert dirty(repo, *ours) == before
    found = git.read_head(repo.path, CiFacts(), ours=ours)
    assert found is not None
    assert found.untracked == ()
    assert dirty(repo) != before


def test_a_tracked_report_that_we_write_leaves_the_tree_clean(repo) -> None:
    report = repo.write("report.json", "{}")
    repo.commit("track the report")
    repo.write("report.json", "{1}")
    assert dirty(repo, str(report)) is None
    assert dirty(repo) is not None


def test_names_that_are_no_text_are_told_in_text(repo) -> None:
    odd_names(repo)
    found = git.read_head(repo.path, CiFacts())
    assert found is not None
    assert found.untracked == ("a b\nc.txt", "\\xff.txt")


def test_the_users_configuration_does_not_change_the_hash(repo, tmp_path, monkeypatch) -> None:
    repo.commit("attributes", **{".gitattributes": "*.txt diff=odd\n"})
    rename(repo)
    repo.write("prompt.txt", "You are terse.\n")
    plain = dirty(repo)
    (tmp_path / "config").write_text(
        "[diff]\nexternal = false\nnoprefix = true\nrenames = copies\nignoreSubmodules = all\n"
        '[diff "odd"]\ntextconv = false\n[status]\nshowUntrackedFiles = no\nrelativePaths = true\nbranch = true\n'
        "[core]\nquotePath = false\nfsmonitor = false\n[color]\nui = always\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    assert dirty(repo) == plain


def test_a_file_that_cannot_be_read_is_a_change_all_the_same(repo, monkeypatch) -> None:
    edit(repo)
    readable = dirty(repo)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pytest_genaiver.adapters.git.worktree._hash", refuse)
    unreadable = dirty(repo)
    assert unreadable is not None
    assert unreadable != readable


@pytest.fixture
def outer(repo, make_repo: Callable):
    """A repository that holds `repo` as its submodule `lib`."""
    made = make_repo("outer")
    made.git("submodule", "--quiet", "add", repo.path.as_uri(), "lib")
    made.commit("add lib")
    return made


def test_a_submodule_counts_by_its_commit_and_its_edits(outer) -> None:
    assert dirty(outer) is None
    outer.write("lib/app.py", "one")
    one = dirty(outer)
    outer.write("lib/app.py", "two")
    two = dirty(outer)
    outer.git("-C", "lib", "commit", "--quiet", "--all", "--message", "two")
    three = dirty(outer)
    outer.git("-C", "lib", "commit", "--quiet", "--allow-empty", "--message", "nothing new")
    four = dirty(outer)
    assert None not in (one, two, three, four)
    assert len({one, two, three, four}) == 4
    outer.git("add", "lib")
    assert dirty(outer) == four


def test_a_new_file_in_a_submodule_leaves_the_tree_clean(outer) -> None:
    outer.write("lib/notes.txt")
    assert dirty(outer) is None


def test_a_submodule_whose_folder_is_gone_is_a_change(outer) -> None:
    shutil.rmtree(outer.path / "lib")
    assert dirty(outer) is not None


def test_what_differs_from_a_commit_are_tracked_and_untracked_files_but_nothing_ignored_and_nothing_of_ours(
    repo,
) -> None:
    assert git.changed(repo.path) == []
    repo.commit("second", **{".gitignore": "*.log\n", "new.py": ""})
    assert git.changed(repo.path, "HEAD~1") == [".gitignore", "new.py"]
    edit(repo)
    for name in ("more.py", "x.log", "mlflow.db", "mlflow.db-wal", ".genaiver/report.json", "mlruns/1/meta"):
        repo.write(name, "x")
    assert git.changed(repo.path) == ["app.py", "more.py"]
    assert git.changed(repo.path, "HEAD~1") == [".gitignore", "app.py", "more.py", "new.py"]
