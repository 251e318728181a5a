"""Which versions may go."""

from __future__ import annotations

import pytest

from pytest_genaiver.core.pruning import DAY_MS, VersionRecord, choose

NOW = 100 * DAY_MS


def version(name: str, *, days: float, **facts: bool) -> VersionRecord:
    return VersionRecord(model_id=f"m-{name}", name=name, last_ms=int(NOW - days * DAY_MS), **facts)


OLD = [version("b", days=20), version("a", days=30), version("c", days=10), version("d", days=1)]


def going(choice) -> list[str]:
    return [v.name for v in choice.going]


@pytest.mark.parametrize(("keep", "names"), [(0, "abcd"), (1, "abc"), (3, "a"), (4, ""), (99, "")])
def test_all_but_the_newest_go_oldest_first(keep, names) -> None:
    assert going(choose(OLD, {}, keep=keep)) == list(names)


@pytest.mark.parametrize(("days", "names"), [(0, "abcd"), (10, "ab"), (9, "abc"), (31, "")])
def test_those_without_a_session_in_so_many_days_go(days, names) -> None:
    assert going(choose(OLD, {}, older_than_days=days, now_ms=NOW)) == list(names)


def test_a_deployed_pinned_running_or_pooled_one_stays_and_takes_no_place() -> None:
    held = [
        version("deployed", days=50, deployed=True, pinned=True),
        version("pinned", days=50, pinned=True),
        version("running", days=50, running=True),
        version("pooled", days=50),
        version("new", days=0, pinned=True),
    ]
    choice = choose([*OLD, *held], {"m-pooled": "in a pool", "m-new": "in a pool"}, keep=2)
    assert going(choice) == ["a", "b", "c"]
    assert choice.spared == {
        "m-deployed": "deployed",
        "m-pinned": "pinned",
        "m-running": "being recorded",
        "m-pooled": "in a pool",
    }


def test_what_an_interrupted_prune_left_goes_unless_it_must_stay() -> None:
    half = [version("half", days=0, half=True), version("kept", days=0, half=True, pinned=True)]
    choice = choose([*OLD, *half], {}, keep=99)
    assert going(choice) == ["half"]
    assert choice.spared == {"m-kept": "pinned"}


def test_of_two_at_the_same_time_it_is_always_the_same_one() -> None:
    twins = [version("x", days=1), version("y", days=1)]
    assert going(choose(twins, {}, keep=1)) == going(choose(twins[::-1], {}, keep=1)) == ["x"]
