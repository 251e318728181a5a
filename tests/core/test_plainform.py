from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pytest

from pytest_genaiver.core.plainform import MOST_CHARACTERS, MOST_ITEMS, MOST_LEVELS, plain


@dataclass
class Point:
    x: int
    inner: object = None


class Model:
    def model_dump(self) -> dict[str, Any]:
        return {"a": (1, 2)}


class Hostile:
    def __repr__(self) -> str:
        raise RuntimeError("never asked for")


class Addressed:
    def __repr__(self) -> str:
        return f"client at {id(self):#x}"


class HostileMapping(Mapping[str, int]):
    def __getitem__(self, key: str) -> int:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("no")

    def __len__(self) -> int:
        return 1


class Text(str):
    def __str__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (0.5, 0.5),
        (math.inf, "inf"),
        (math.nan, "nan"),
        (2**64 - 1, 2**64 - 1),
        (2**70, "<int of 71 bits>"),
        ("text", "text"),
        (Text("text"), "text"),
        (b"abc", "<bytes of 3 bytes>"),
        (memoryview(b"ab"), "<memoryview of 2 bytes>"),
        (Point(1, Point(2)), {"x": 1, "inner": {"x": 2, "inner": None}}),
        (Model(), {"a": [1, 2]}),
        ({1: {"a": ()}}, {"1": {"a": []}}),
        ({"one"}, ["one"]),
        (np.float64(0.5), 0.5),
        (np.array([[1, 2]]), [[1, 2]]),
        (Hostile(), "<Hostile>"),
        (HostileMapping(), "<HostileMapping>"),
        (Point, "<type>"),
        (plain, "<function>"),
        (Addressed(), "<Addressed>"),
        (Decimal("0.10"), "<Decimal: 0.10>"),
        (ValueError("two\nlines"), "<ValueError: two lines>"),
        (PurePosixPath("a" * 100), f"<PurePosixPath: {'a' * 80}…>"),
        (object(), "<object>"),
    ],
)
def test_every_value_has_a_form_that_json_can_hold(value: object, expected: object) -> None:
    assert plain(value) == expected
    json.dumps(plain(value), allow_nan=False)


def test_long_text_is_cut_and_says_by_how_much() -> None:
    whole = "x" * MOST_CHARACTERS
    assert plain(whole) == whole
    assert plain(whole + "x" * 1500) == whole + "… (1,500 more characters)"


def test_many_items_are_cut_and_counted() -> None:
    most = list(range(MOST_ITEMS))
    assert plain(most) == most
    assert plain([*most, 1, 2])[MOST_ITEMS:] == ["… 2 more"]
    assert plain(dict.fromkeys(most)) == {str(i): None for i in most}
    found = plain(dict.fromkeys(range(MOST_ITEMS + 5)))
    assert (len(found), found["…"]) == (MOST_ITEMS + 1, "5 more")


def test_a_loop_ends_at_a_depth() -> None:
    loop: list[Any] = []
    loop.append(loop)
    found, levels = plain(loop), 0
    while isinstance(found, list):
        found, levels = found[0], levels + 1
    assert (found, levels) == ("<list>", MOST_LEVELS)
