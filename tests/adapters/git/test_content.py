"""What a commit holds, and the patch of a dirty tree."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters.git import contents, patch, tracked
from pytest_genaiver.errors import GitError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Repo


def held(repo: Repo, commit: str = "HEAD") -> dict[str, bytes]:
    files = [file for file in tracked(repo.path, commit) if not file.is_submodule]
    return dict(zip([file.path for file in files], contents(repo.path, files), strict=True))


def test_every_file_of_the_commit_is_there_as_it_was_recorded(repo: Repo) -> None:
    repo.write(".gitattributes", "secret export-ignore\n*.txt text eol=crlf\n$Id export-subst\n")
    repo.write("secret", b"\0\xff\n\n")
    repo.write("empty")
    repo.write("f\u00f6lder/n\ud83d\ude00\n.txt".encode("utf-16", "surrogatepass").decode("utf-16"), "a\nb\n")
    (repo.path / "link").symlink_to("app.py")
    repo.commit("more")
    repo.write("app.py", "changed later")
    found = held(repo)
    assert found["app.py"] == b"print('hello')\n"
    assert found["secret"] == b"\0\xff\n\n"
    assert found["empty"] == b""
    assert found["link"] == b"app.py"
    assert found["f\u00f6lder/n\U0001f600\n.txt"] == b"a\nb\n"
    modes = {file.path: file.mode for file in tracked(repo.path, "HEAD")}
    assert modes["link"] == 0o120000
    assert modes["app.py"] == 0o100644


def test_a_commit_without_files_holds_none(make_repo: Callable[..., Repo]) -> None:
    repo = make_repo()
    repo.commit("empty")
    assert held(repo) == {}


def test_of_a_submodule_its_commit_is_known(repo: Repo, make_repo: Callable[..., Repo]) -> None:
    inner = make_repo("inner")
    sha = inner.commit("first", **{"a.py": "1"})
    repo.git("submodule", "--quiet", "add", str(inner.path), "vendored")
    repo.commit("submodule")
    (found,) = [file for file in tracked(repo.path, "HEAD") if file.is_submodule]
    assert (found.path, found.sha, found.size) == ("vendored", sha, 0)


def test_what_a_partial_clone_lacks_is_told(repo: Repo, tmp_path: Path) -> None:
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.write("big", "x" * 5000)
    repo.commit("big")
    clone = repo.clone(tmp_path / "partial", "--filter=blob:none", "--no-checkout")
    clone.git("config", "remote.origin.promisor", "false")
    with pytest.raises(GitError):
        held(clone)


def test_the_patch_makes_the_dirty_tree_of_the_commit(repo: Repo, tmp_path: Path) -> None:
    repo.write("logo.png", bytes(range(256)))
    repo.commit("logo")
    for name, value in (("diff.noprefix", "true"), ("color.ui", "always"), ("diff.external", "false")):
        repo.git("config", name, value)
    clone = repo.clone(tmp_path / "clone")
    repo.write("app.py", "print('dirty')")
    repo.write("logo.png", bytes(range(255, -1, -1)))
    repo.write("staged.py", "new")
    repo.write("mlflow.db", "ours")
    repo.git("add", "staged.py", "mlflow.db")
    repo.git("rm", "--quiet", "prompt.txt")
    repo.write("untracked.py", "not in it")
    subprocess.run(["git", "apply", "--binary"], cwd=clone.path, input=patch(repo.path), check=True)
    for name in ("app.py", "logo.png", "staged.py"):
        assert (clone.path / name).read_bytes() == (repo.path / name).read_bytes()
    assert not (clone.path / "prompt.txt").exists()
    assert not (clone.path / "untracked.py").exists()
    assert not (clone.path / "mlflow.db").exists()


def test_a_clean_tree_has_no_patch(repo: Repo) -> None:
    assert patch(repo.path) == b""


def test_an_object_that_is_gone_is_told(repo: Repo) -> None:
    gone = replace(tracked(repo.path, "HEAD")[0], sha="1" * 40)
    with pytest.raises(GitError, match=r"this clone lacks the content of 'app\.py'"):
        list(contents(repo.path, [gone]))
