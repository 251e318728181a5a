from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters import git
from pytest_genaiver.errors import GitError

if TYPE_CHECKING:
    from pathlib import Path


def import_history(repo, count: int) -> None:
    """`count` further empty commits on main, written in one go."""
    lines = []
    for number in range(count):
        date = f"Ada <ada@example.com> {1_800_000_000 + number} +0000"
        parent = "from refs/heads/main^0\n" if number == 0 else ""
        lines.append(f"commit refs/heads/main\ncommitter {date}\ndata 1\nc\n{parent}\n")
    stream = repo.path / ".git/stream"
    stream.write_text("".join(lines))
    repo.git("-c", "alias.load=!git fast-import --quiet < .git/stream", "load")


def test_a_commit_is_found_by_every_name_it_has(repo) -> None:
    sha = repo.sha()
    repo.git("tag", "light")
    repo.git("tag", "--annotate", "v1", "--message", "one")
    repo.git("branch", "feature/x")
    repo.git("update-ref", "refs/remotes/origin/topic", sha)
    for name in (sha, sha[:8], "HEAD", "main", "light", "v1", "feature/x", "origin/topic", "topic"):
        assert git.resolve(repo.path, name) == sha, name


def test_a_local_branch_comes_before_the_remote_one(repo) -> None:
    first = repo.sha()
    repo.git("update-ref", "refs/remotes/origin/main", first)
    second = repo.commit("second")
    assert git.resolve(repo.path, "main") == second
    assert git.resolve(repo.path, "origin/main") == first


@pytest.mark.parametrize(
    "ref",
    ["", "unknown", "f" * 40, "-", "--all", "--output=x", "^HEAD", "HEAD..HEAD", "HEAD:app.py", "a\0b", "a b", "\n"],
)
def test_what_names_no_commit_is_none(repo, ref: str) -> None:
    assert git.resolve(repo.path, ref) is None


def test_a_mistyped_name_has_near_ones(repo) -> None:
    for name in ("release-1", "release-2", "release-3", "release-4", "release-5", "release-6"):
        repo.git("branch", name)
    repo.git("tag", "v1.0")
    repo.git("update-ref", "refs/remotes/origin/topic", "HEAD")
    assert git.near_refs(repo.path, "mian") == ("main",)
    assert git.near_refs(repo.path, "v1.O") == ("v1.0",)
    assert git.near_refs(repo.path, "origin/topc") == ("origin/topic",)
    assert len(git.near_refs(repo.path, "release-")) == 5
    assert git.near_refs(repo.path, "zzz") == ()


def test_ancestors_come_nearest_first_in_batches_of_500(repo) -> None:
    first = repo.sha()
    import_history(repo, 1100)
    batches = list(git.ancestors(repo.path, "main"))
    assert [len(batch) for batch in batches] == [500, 500, 101]
    assert batches[0][:2] == [repo.sha("main"), repo.sha("main~1")]
    assert batches[2][-1] == first


def test_a_search_that_ends_early_ends_its_process(repo) -> None:
    import_history(repo, 600)
    search = git.ancestors(repo.path, "main")
    assert next(search)[0] == repo.sha("main")
    search.close()
    with pytest.raises(StopIteration):
        next(search)


def test_ancestors_follow_first_parents_unless_all_are_wanted(repo) -> None:
    first = repo.sha()
    repo.git("switch", "--quiet", "--create", "topic")
    topic = repo.commit("topic")
    repo.git("switch", "--quiet", "main")
    second = repo.commit("second")
    merge = repo.merge("topic")
    assert list(git.ancestors(repo.path, merge)) == [[merge, second, first]]
    assert list(git.ancestors(repo.path, merge, first_parent=False)) == [[merge, second, topic, first]]


def test_a_start_that_a_shallow_clone_lacks_comes_alone(repo, tmp_path: Path) -> None:
    first = repo.sha()
    repo.commit("second")
    clone = repo.clone(tmp_path / "clone", "--depth=1")
    assert list(git.ancestors(clone.path, first)) == [[first]]
    assert list(git.ancestors(clone.path, "HEAD")) == [[repo.sha()]]


def test_a_broken_history_is_an_error_and_not_an_end(repo) -> None:
    first = repo.sha()
    repo.commit("second")
    (repo.path / ".git/objects" / first[:2] / first[2:]).unlink()
    with pytest.raises(GitError, match="repair it, or clone it anew"):
        list(git.ancestors(repo.path, "HEAD"))


def test_distance_counts_the_commits_between(repo) -> None:
    first = repo.sha()
    repo.git("branch", "topic")
    repo.commit("second")
    third = repo.commit("third")
    assert git.distance(repo.path, first, third) == 2
    assert git.distance(repo.path, third, third) == 0
    assert git.distance(repo.path, third, first) is None
    assert git.distance(repo.path, "f" * 40, first) is None
    assert git.distance(repo.path, first, "f" * 40) is None


def test_the_date_of_a_commit_is_in_utc(repo) -> None:
    assert git.commit_date(repo.path, repo.sha()) == datetime(2023, 11, 14, 22, 13, 20, tzinfo=timezone.utc)
    assert git.commit_date(repo.path, "f" * 40) is None


def test_the_log_lists_what_is_new_newest_first(repo) -> None:
    first = repo.sha()
    second = repo.commit("größer\nbut still the subject\n\nand a body")
    third = repo.commit("third")
    assert git.log(repo.path, first, third) == [(third, "third"), (second, "größer but still the subject")]
    assert git.log(repo.path, first, third, limit=1) == [(third, "third")]
    assert git.log(repo.path, third, third) == []
    assert git.log(repo.path, "f" * 40, third) == []
    assert git.log(repo.path, first, "f" * 40) == []


def test_the_log_shows_no_signatures(repo, monkeypatch: pytest.MonkeyPatch) -> None:
    first = repo.sha()
    header, message = repo.git("cat-file", "commit", repo.commit("second")).split("\n\n", 1)
    signature = "gpgsig -----BEGIN SSH SIGNATURE-----\n AAAA\n -----END SSH SIGNATURE-----"
    raw = repo.write(".git/signed", f"{header}\n{signature}\n\n{message}\n")
    signed = repo.git("hash-object", "-t", "commit", "-w", str(raw))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "log.showSignature")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "true")
    assert repo.git("log", "--format=%H", f"{first}..{signed}") != signed
    assert git.log(repo.path, first, signed) == [(signed, "second")]


def test_first_parents_come_with_date_and_subject_in_batches(repo, monkeypatch):
    monkeypatch.setattr(git.history, "BATCH", 2)
    first = repo.sha()
    repo.git("checkout", "--quiet", "-b", "side")
    repo.commit("on the side")
    repo.git("checkout", "--quiet", "main")
    second = repo.commit("é  two \x1b[31m")
    merged = repo.merge("side", message="the merge")
    batches = list(git.first_parents(repo.path, "main"))
    assert [[c.sha for c in batch] for batch in batches] == [[merged, second], [first]]
    assert [c.subject for batch in batches for c in batch] == ["the merge", "é  two \x1b[31m", "first"]
    assert batches[1][0].committed == git.commit_date(repo.path, first)
    assert list(git.first_parents(repo.path, "0" * 40)) == []


def test_the_subject_of_a_commit(repo):
    sha = repo.commit("the subject\n\nthe body")
    assert git.subject(repo.path, sha) == "the subject"
    repo.git("commit", "--quiet", "--allow-empty", "--allow-empty-message", "--message", "")
    assert git.subject(repo.path, "HEAD") == ""
    assert git.subject(repo.path, "0" * 40) is None


def test_whether_a_commit_holds_a_file(repo):
    assert git.holds(repo.path, repo.sha(), "app.py")
    assert not git.holds(repo.path, repo.sha(), ".gitmodules")
