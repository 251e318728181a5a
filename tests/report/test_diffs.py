from __future__ import annotations

import random

import pytest

from pytest_genaiver.report.diffs import cut, diff, fair_share


def sides(pieces):
    return "".join(t for k, t in pieces if k != 2), "".join(t for k, t in pieces if k != 1)


def test_words_that_differ_are_marked_on_their_side():
    assert diff("We open at nine.", "We open at ten, daily.") == [
        (0, "We open at "),
        (1, "nine"),
        (2, "ten, daily"),
        (0, "."),
    ]


@pytest.mark.parametrize(
    ("before", "now"), [("", ""), ("", "a"), ("a", ""), ("a b\nc", "a  b\nd"), ("same", "same"), ("x y z", "z y x")]
)
def test_both_texts_are_whole(before, now):
    assert sides(diff(before, now)) == (before, now)
    assert all(text for _, text in diff(before, now))


def test_long_texts_are_compared_by_lines_and_the_longest_not_at_all():
    rows = [f"line {i} of the text, which goes on" for i in range(600)]
    before, now = "\n".join(rows), "\n".join([*rows[:300], "another", *rows[301:]])
    pieces = diff(before, now)
    assert [kind for kind, _ in pieces] == [0, 1, 2, 0]
    assert sides(pieces) == (before, now)
    before, now = "\n".join(["a b"] * 2000), "\n".join(["a c"] * 2000)
    assert diff(before, now) == [(1, before), (2, now)]


def test_texts_of_a_paragraph_are_compared_whole():
    chance = random.Random(1)
    words = [chance.choice(["the", "of", "refund", "order", "page"]) for _ in range(150)]
    before, now = " ".join(words), " ".join([*words[:75], "now", *words[75:]])
    assert [text for kind, text in diff(before, now) if kind] == ["now "]


@pytest.mark.parametrize(
    ("sizes", "budget", "share"),
    [([], 5, 0), ([1, 2], 5, 2), ([1, 2, 10, 10], 13, 5), ([10, 10], 0, 0), ([4, 4, 4], 12, 4)],
)
def test_short_texts_leave_their_room_to_long_ones(sizes, budget, share):
    assert fair_share(sizes, budget) == share
    assert sum(min(size, share) for size in sizes) <= max(budget, 0)


def test_what_is_cut_says_by_how_much():
    assert cut("abc", 3, 3) == "abc"
    assert cut("a" * 3000, 3000, 1000) == "a" * 1000 + "\u2026 (2,000 more characters)"
    assert cut("\xe9" * 100, 200, 100) == "\xe9" * 50 + "\u2026 (50 more characters)"
