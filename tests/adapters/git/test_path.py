from __future__ import annotations

from pytest_genaiver.adapters import git


def test_the_way_from_one_commit_to_another_oldest_first(repo) -> None:
    shas = [repo.sha(), *(repo.commit(f"change {i}") for i in range(3))]
    assert git.path_between(repo.path, shas[0], "main") == shas
    assert git.path_between(repo.path, shas[2], shas[3]) == shas[2:]
    assert git.path_between(repo.path, shas[2], shas[2]) == [shas[2]]


def test_of_a_merged_branch_only_the_merge_is_on_the_way(repo) -> None:
    first = repo.sha()
    repo.git("checkout", "--quiet", "-b", "topic")
    topic = repo.commit("topic", **{"topic.txt": "x"})
    repo.git("checkout", "--quiet", "main")
    second = repo.commit("second", **{"second.txt": "x"})
    merge = repo.merge("topic")
    assert git.path_between(repo.path, first, "main") == [first, second, merge]
    assert git.path_between(repo.path, topic, "main") is None


def test_there_is_no_way_back_aside_or_to_nowhere(repo) -> None:
    first, second = repo.sha(), repo.commit("second")
    assert git.path_between(repo.path, second, first) is None
    assert git.path_between(repo.path, "nothing", second) is None
    assert git.path_between(repo.path, first, "nothing") is None
    repo.git("checkout", "--quiet", "--orphan", "other")
    other = repo.commit("unrelated")
    assert git.path_between(repo.path, first, other) is None


def test_what_a_person_wants_to_know_of_a_commit(repo) -> None:
    first = repo.sha()
    sha = repo.commit("Shorter prompt: 5 % fewer tokens\n\nFor the price.")
    found = git.note(repo.path, sha)
    assert (found.sha, found.subject, found.author) == (sha, "Shorter prompt: 5 % fewer tokens", "Ada")
    assert found.authored.startswith("2023-11-14T22:14:20")
    assert found.parents == (first,)
    assert git.note(repo.path, first).parents == ()
