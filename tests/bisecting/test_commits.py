from __future__ import annotations

import pytest

from pytest_genaiver.adapters import git
from pytest_genaiver.bisecting.commits import commits_between, inside_merge
from pytest_genaiver.errors import ConfigError


@pytest.fixture
def merged(repo) -> dict[str, str]:
    """first - second - merge - last, with topic merged."""
    found = {"first": repo.sha()}
    repo.git("checkout", "--quiet", "-b", "topic")
    found["topic"] = repo.commit("topic", **{"topic.txt": "x"})
    repo.git("checkout", "--quiet", "main")
    found["second"] = repo.commit("second", **{"second.txt": "x"})
    found["merge"] = repo.merge("topic")
    found["last"] = repo.commit("last")
    return found


def test_commits_along_first_parents(repo, merged) -> None:
    expected = [merged[name] for name in ("first", "second", "merge", "last")]
    assert commits_between(repo.path, merged["first"], merged["last"]) == expected


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ("last", "last", "GOOD and BAD are both"),
        ("last", "first", "comes after BAD .*; name them the other way round"),
        ("topic", "second", "is no ancestor of BAD .*; their merge base is"),
        ("topic", "last", "came into BAD's history by the merge"),
    ],
)
def test_ends_between_which_no_way_leads(repo, merged, good: str, bad: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as refused:
        commits_between(repo.path, merged[good], merged[bad])
    if "merge base" in message:
        assert merged["first"][:8] in str(refused.value)
    if "by the merge" in message:
        assert f"{merged['merge'][:8]}^" in str(refused.value)


def test_unrelated_histories(repo, merged) -> None:
    repo.git("checkout", "--quiet", "--orphan", "other")
    other = repo.commit("unrelated")
    with pytest.raises(ConfigError, match=r"no common ancestor in this clone; .* `git fetch --unshallow`"):
        commits_between(repo.path, other, merged["last"])


def test_the_ends_of_a_search_within_a_merge(repo, merged) -> None:
    assert inside_merge(repo.path, git.note(repo.path, merged["merge"])) == (merged["first"], merged["topic"])
    assert inside_merge(repo.path, git.note(repo.path, merged["last"])) is None
