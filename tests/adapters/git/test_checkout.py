from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters import git
from pytest_genaiver.adapters.git.checkout import GIVEN_UP_SECONDS, LOCK
from pytest_genaiver.errors import GitError

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of this test's own, so that what is left in it can be seen."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    return folder


def state(repo) -> dict[str, str]:
    """All that belongs to the user."""
    common = Path(repo.git("rev-parse", "--path-format=absolute", "--git-common-dir"))
    return {
        **{name: repo.git(*name.split()) for name in ("status --porcelain", "stash list", "worktree list", "reflog")},
        "refs": repo.git("for-each-ref"),
        "head": (common / "HEAD").read_text(),
        "index": (common / "index").read_bytes().hex(),
        "config": (common / "config").read_text(),
    }


@pytest.fixture
def busy(repo):
    """A repository whose user is in the middle of everything."""
    repo.commit("second", **{"prompt.txt": "You are brief.\n"})
    repo.write("prompt.txt", "stashed\n")
    repo.git("stash")
    repo.write("prompt.txt", "staged\n")
    repo.git("add", "prompt.txt")
    repo.write("prompt.txt", "edited\n")
    repo.write("notes.txt", "mine\n")
    return repo


def test_it_holds_the_commits_files_and_is_gone_afterwards(busy, temporary: Path) -> None:
    before = state(busy)
    with git.checkout(busy.path, "HEAD~1") as path:
        assert (path / "prompt.txt").read_text() == "You are kind.\n"
        assert not (path / "notes.txt").exists()
        assert git.resolve(path, "HEAD") == busy.sha("HEAD~1")
        assert temporary in path.parents
        (path / "left.txt").write_text("by a test")
    assert state(busy) == before
    assert not [*temporary.iterdir()]


def test_an_error_in_the_body_leaves_nothing(repo, temporary: Path) -> None:
    with pytest.raises(KeyboardInterrupt), git.checkout(repo.path, "HEAD"):
        raise KeyboardInterrupt
    assert len(repo.git("worktree", "list").splitlines()) == 1
    assert not [*temporary.iterdir()]


def test_two_of_one_commit_at_a_time(repo) -> None:
    with git.checkout(repo.path, "main") as one, git.checkout(repo.path, "main") as two:
        assert one != two
        assert (one / "app.py").read_text() == (two / "app.py").read_text()


def test_from_a_linked_work_tree(repo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "--quiet", "-b", "other", str(tmp_path / "linked"))
    with git.checkout(tmp_path / "linked", "other") as path:
        assert (path / "app.py").is_file()
    assert len(repo.git("worktree", "list").splitlines()) == 2


def test_hooks_of_the_user_do_not_run(repo) -> None:
    hook = repo.write(".git/hooks/post-checkout", "#!/bin/sh\ntouch ran\n")
    hook.chmod(0o755)
    with git.checkout(repo.path, "HEAD") as path:
        assert not (path / "ran").exists()


def test_a_commit_that_is_not_here(repo) -> None:
    with pytest.raises(GitError, match="'nothing' is no commit in this clone"), git.checkout(repo.path, "nothing"):
        pass


def test_a_commit_that_cannot_be_written(repo, temporary: Path) -> None:
    blob = repo.sha("HEAD:app.py")
    (repo.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(GitError, match="cannot check out"), git.checkout(repo.path, "HEAD"):
        pass
    assert not [*temporary.iterdir()]


def test_submodules_come_from_this_machine(repo, make_repo: Callable) -> None:
    inner, library = make_repo("inner"), make_repo("library")
    inner.commit("inner", **{"deep.py": "DEEP = 1\n"})
    library.git("submodule", "add", "--quiet", "--name", "odd name", str(inner.path), "nested")
    library.commit("library", **{"tool.py": "ONE = 1\n"})
    repo.git("submodule", "add", "--quiet", str(library.path), "libs/tool")
    repo.git("submodule", "update", "--quiet", "--init", "--recursive")
    repo.commit("with a library")
    library.path.rename(library.path.with_name("away"))
    before = state(repo)
    with git.checkout(repo.path, "HEAD") as path:
        assert (path / "libs/tool/tool.py").read_text() == "ONE = 1\n"
        assert (path / "libs/tool/nested/deep.py").read_text() == "DEEP = 1\n"
        assert subprocess.check_output(["git", "status", "--porcelain"], cwd=path) == b""
    assert state(repo) == before


def test_a_submodule_that_was_never_initialised_stays_empty(repo, make_repo: Callable, tmp_path: Path) -> None:
    library = make_repo("library")
    library.commit("library", **{"tool.py": "ONE = 1\n"})
    repo.git("submodule", "add", "--quiet", str(library.path), "tool")
    repo.commit("with a library")
    clone = repo.clone(tmp_path / "clone")
    with git.checkout(clone.path, "HEAD") as path:
        assert not [*(path / "tool").iterdir()]


def test_a_submodules_commit_that_is_not_here(repo, make_repo: Callable) -> None:
    library = make_repo("library")
    library.commit("library", **{"tool.py": "ONE = 1\n"})
    repo.git("submodule", "add", "--quiet", str(library.path), "tool")
    repo.git("update-index", "--cacheinfo", f"160000,{'1' * 40},tool")
    repo.git("commit", "--quiet", "--message", "ahead of what is fetched")
    with pytest.raises(GitError, match="submodule 'tool' is at 11111111"), git.checkout(repo.path, "HEAD"):
        pass
    assert len(repo.git("worktree", "list").splitlines()) == 1


HOLD = """
import sys, time
from pathlib import Path
from pytest_genaiver.adapters import git
with git.checkout(Path(sys.argv[1]), "HEAD") as path:
    print(path, flush=True)
    time.sleep(60)
"""


def holding(repo) -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(repo.path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def ended(process: subprocess.Popen[str], number: signal.Signals) -> int:
    process.send_signal(number)
    process.communicate(timeout=20)
    return process.returncode


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_that_ends_the_process_leaves_nothing(repo, temporary: Path, number: signal.Signals) -> None:
    process, path = holding(repo)
    assert path.is_dir()
    assert ended(process, number) != 0
    assert not [*temporary.iterdir()]
    assert len(repo.git("worktree", "list").splitlines()) == 1


def test_what_a_killed_process_left_goes_with_the_next_checkout(repo, temporary: Path) -> None:
    killed, left = holding(repo)
    alive, used = holding(repo)
    ended(killed, signal.SIGKILL)
    try:
        assert left.is_dir()
        with git.checkout(repo.path, "HEAD"):
            assert not left.exists()
            assert used.is_dir()
            assert str(used) in repo.git("worktree", "list")
    finally:
        ended(alive, signal.SIGTERM)
    assert not [*temporary.iterdir()]


@pytest.mark.parametrize(("age", "kept"), [(GIVEN_UP_SECONDS - 600, True), (GIVEN_UP_SECONDS + 600, False)])
def test_a_folder_that_is_not_here_may_be_anothers_for_a_day(repo, tmp_path: Path, age: int, kept: bool) -> None:
    far = tmp_path / "genaiver-x" / "genaiver-12345678"
    repo.git("worktree", "add", "--quiet", "--detach", str(far))
    far.parent.rename(tmp_path / "elsewhere")
    link = repo.path / ".git/worktrees/genaiver-12345678/gitdir"
    os.utime(link, (time.time() - age, time.time() - age))
    with git.checkout(repo.path, "HEAD"):
        assert link.exists() is kept


def test_the_users_own_work_trees_are_not_leftovers(repo, tmp_path: Path) -> None:
    for name in ("genaiver-notes", "genaiver-x/mine"):
        repo.git("worktree", "add", "--quiet", "--detach", str(tmp_path / name))
    with git.checkout(repo.path, "HEAD"):
        pass
    assert len(repo.git("worktree", "list").splitlines()) == 3


def test_another_thread_may_use_it_and_the_callers_own_handlers_stay(repo) -> None:
    seen: list[bool] = []

    def use() -> None:
        with git.checkout(repo.path, "HEAD") as path:
            seen.append((path / LOCK).exists() or (path.parent / LOCK).exists())

    mine = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        own = signal.getsignal(signal.SIGTERM)
        with git.checkout(repo.path, "HEAD"):
            assert signal.getsignal(signal.SIGTERM) is own
        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
    finally:
        signal.signal(signal.SIGTERM, mine)
    assert seen == [True]
