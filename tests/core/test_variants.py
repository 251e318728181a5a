from __future__ import annotations

import enum

import pytest

from pytest_genaiver.core.results import CaseResult
from pytest_genaiver.core.variants import LONGEST, bare_id, full_id, label, text_of, with_variant


class Model(str, enum.Enum):
    SMALL = "gpt-5-mini"


def ask():
    pass


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("gpt-5", "gpt-5"),
        (0.2, "0.2"),
        (None, "null"),
        (True, "true"),
        ({"b": 1, "a": ["x"]}, '{"a": ["x"], "b": 1}'),
        (Model.SMALL, "SMALL"),
        (ask, "ask"),
        (dict, "dict"),
        (object(), "model0"),
        ({1: 2, "a": 3}, "model0"),
    ],
)
def test_a_value_is_a_short_line_the_same_in_every_session(value, text):
    assert text_of(value, "model0") == text


def test_a_long_value_is_cut_and_told_from_others_like_it():
    one, other = (text_of(f"You are\nkind. {'x' * 500}{end}", "") for end in "ab")
    assert one != other
    assert one.startswith("You are kind. xxx")
    assert len(one) <= LONGEST
    assert text_of("\ud800", "").isprintable()


def test_an_id_is_the_same_whether_or_not_its_session_held_several_variants():
    variant = {"model": "a", "k": "1"}
    alone = CaseResult(id="t[q]", digest="", function="t", variant=variant)
    beside = CaseResult(id="t[q]{k=1, model=a}", digest="", function="t", variant=variant)
    assert label(variant) == "k=1, model=a"
    assert bare_id(alone) == bare_id(beside) == "t[q]"
    assert full_id(alone) == full_id(beside) == "t[q]{k=1, model=a}"


def test_without_a_variant_an_id_stays_as_it_is():
    case = CaseResult(id="t[{}]", digest="", function="t")
    assert bare_id(case) == full_id(case) == with_variant("t[{}]", {}) == "t[{}]"
