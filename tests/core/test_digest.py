from __future__ import annotations

import enum
import hashlib
import json
import subprocess
import sys
from collections import namedtuple
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import attrs
import numpy as np
import pydantic
import pytest

from pytest_genaiver.core.digest import MAX_DEPTH, digest


def of(value: Any, **fallback: str) -> str:
    found, warnings = digest({"x": value}, {}, fallback)
    assert warnings == []
    return found


def same(one: Any, other: Any) -> bool:
    return of(one) == of(other)


@dataclass
class Question:
    text: str
    tries: int = 1
    cache: Any = field(default=None, compare=False)


@attrs.define
class Order:
    number: int
    seen: list[int] = attrs.field(factory=list, eq=False)


class Ticket(pydantic.BaseModel):
    title: str
    when: datetime | None = None


class Tone(enum.Enum):
    FORMAL = "formal"
    CASUAL = "casual"


class Call(enum.Enum):
    FIRST = SimpleNamespace(n=1)
    SECOND = SimpleNamespace(n=2)


class Right(enum.Flag):
    READ = 1
    WRITE = 2


class Opaque:
    def __repr__(self) -> str:
        raise AssertionError("a digest must never ask for a repr")


class Table(Mapping[str, int]):
    def __init__(self, **values: int) -> None:
        self.values_ = values

    def __getitem__(self, key: str) -> int:
        return self.values_[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_)

    def __len__(self) -> int:
        return len(self.values_)


def test_plain_values_are_the_sha256_of_their_canonical_json() -> None:
    inputs = {"q": "wie spät?", "n": [1, 2.5, None, True], "a": {"b": {}}}
    expectations = {"topic": "greeting"}
    text = json.dumps({"inputs": inputs, "expectations": expectations}, sort_keys=True, separators=(",", ":"))
    assert digest(inputs, expectations, {}) == (hashlib.sha256(text.encode()).hexdigest(), [])


def test_the_order_of_keys_and_of_sets_does_not_count() -> None:
    assert same({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert same({"a", "b", "c"}, frozenset(["c", "b", "a"]))
    assert same({1: "a", "1": "b"}, {"1": "b", 1: "a"})


def test_inputs_and_expectations_are_told_apart() -> None:
    assert digest({"a": 1}, {}, {}) != digest({}, {"a": 1}, {})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1, 2), [1, 2]),
        (namedtuple("Pair", "a b")(1, 2), [1, 2]),
        (Table(a=1), {"a": 1}),
        (float("nan"), -float("nan")),
        (np.int64(3), 3),
        (np.float64(0.1), 0.1),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.array([[1, 2]]), [[1, 2]]),
        (bytearray(b"a"), b"a"),
        (PurePosixPath("a/b"), PureWindowsPath("a\\b")),
        (Question("a", cache=Opaque()), Question("a")),
        (Order(1, seen=[2]), Order(1)),
        (Ticket(title="a"), Ticket(title="a", when=None)),
        (Right.READ | Right.WRITE, Right.WRITE | Right.READ),
    ],
)
def test_equal_values_have_one_digest(one: Any, other: Any) -> None:
    assert same(one, other)


DIFFERENT = [
    None, 0, 1, 1.0, True, False, 0.0, -0.0, "", "1", "nan", "NaN", float("nan"), float("inf"), -float("inf"),
    "é", "e\u0301", "\ud800", "\udfff", [], {}, [[]], {"1": 1}, {1: 1}, {None: 1}, {"a": 1}, {"$a": 1},
    {"$$a": 1}, {(1, 2): 1}, set(), {1}, [1], b"", b"1", Path("a"), {"$path": "a"}, {"$$path": "a"}, "a",
    date(2024, 1, 2), datetime(2024, 1, 2), datetime(2024, 1, 2, tzinfo=timezone.utc), "2024-01-02", time(1, 2),
    timedelta(1), timedelta(seconds=1), Decimal("1"), Decimal("1.0"), UUID(int=1), str(UUID(int=1)),
    Tone.FORMAL, Tone.CASUAL, "formal", Call.FIRST, Call.SECOND, Right.READ, Right.READ | Right.WRITE,
    Question("a"), Question("a", 2), Order(1), Order(2), Ticket(title="a"),
    Ticket(title="a", when=datetime(2024, 1, 2)), 10**5000, 10**5000 + 1, np.float32(0.1), 0.1,
]  # fmt: skip


def test_different_values_have_different_digests() -> None:
    digests = [of(value) for value in DIFFERENT]
    twins = [(one, other) for i, one in enumerate(DIFFERENT) for j, other in enumerate(DIFFERENT[:i])
             if digests[i] == digests[j]]  # fmt: skip
    assert twins == []


def test_a_digest_is_the_same_in_another_process_with_another_hash_seed() -> None:
    program = (
        "from pytest_genaiver.core.digest import digest; from pathlib import Path; from decimal import Decimal\n"
        "print(digest({'a': {'x', 'y', 'z'}, 'b': Path('p'), 'c': {3: Decimal('1.50')}}, {}, {})[0])"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    expected, _ = digest({"a": {"x", "y", "z"}, "b": Path("p"), "c": {3: Decimal("1.50")}}, {}, {})
    assert found == {expected}


def test_a_digest_recorded_once_stays() -> None:
    values = {"when": datetime(2024, 1, 2, 3), "who": Question("é"), "tags": {"b", "a"}, "raw": b"\x00"}
    assert (
        digest(values, {"tone": Tone.FORMAL}, {})[0]
        == "f0a908fd347b11a202e286f715aa604fe627b7c4aea2f1c02f2577db8d29891d"
    )


def test_paths_below_the_root_do_not_depend_on_where_it_is() -> None:
    one, _ = digest({"x": Path("/home/a/app/data.pdf")}, {}, {}, root=Path("/home/a/app"))
    other, _ = digest({"x": Path("/ci/app/data.pdf")}, {}, {}, root=Path("/ci/app"))
    outside, _ = digest({"x": Path("/home/a/app/data.pdf")}, {}, {}, root=Path("/ci/app"))
    assert one == other != outside


def test_a_value_without_a_json_form_counts_by_its_parameter_id() -> None:
    one, warnings = digest({"client": Opaque(), "n": 1}, {}, {"client": "gpt"})
    same_id, _ = digest({"client": Opaque(), "n": 1}, {}, {"client": "gpt"})
    other_id, _ = digest({"client": Opaque(), "n": 1}, {}, {"client": "claude"})
    assert one == same_id != other_id
    (warning,) = warnings
    assert warning.startswith(f"inputs 'client' holds {__name__}.Opaque without a JSON form: ")
    assert "it counts by the parameter id 'gpt', so a change inside it is not noticed" in warning


def test_without_a_parameter_id_a_value_counts_by_its_type() -> None:
    one, warnings = digest({}, {"judge": Opaque()}, {})
    again, _ = digest({}, {"judge": Opaque()}, {})
    other, _ = digest({}, {"judge": SimpleNamespace()}, {})
    assert one == again != other
    assert warnings[0].startswith("expectations 'judge' holds ")
    assert "it counts by its type" in warnings[0]


def test_what_surrounds_a_value_without_a_json_form_still_counts() -> None:
    one, warnings = digest({"x": {"tool": Opaque(), "other": [Opaque()], "n": 1}}, {}, {"x": "id"})
    other, _ = digest({"x": {"tool": Opaque(), "other": [Opaque()], "n": 2}}, {}, {"x": "id"})
    assert one != other
    assert len(warnings) == 1
    assert warnings[0].count("Opaque") == 1


def test_cycles_end_in_a_warning() -> None:
    def loop(n: int) -> Any:
        values: dict[str, Any] = {"n": n}
        values["self"] = [values]
        return values

    one, warnings = digest({"x": loop(1)}, {}, {"x": "id"})
    assert digest({"x": loop(1)}, {}, {"x": "id"})[0] == one
    assert digest({"x": loop(2)}, {}, {"x": "id"})[0] != one
    assert "builtins.dict without a JSON form" in warnings[0]


def test_the_same_object_twice_is_no_cycle() -> None:
    shared = [1]
    assert same([shared, shared], [[1], [1]])


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_nesting_counts_down_to_a_bound() -> None:
    assert of(nested(MAX_DEPTH)) != of(nested(MAX_DEPTH - 1))
    deep, warnings = digest({"x": nested(50_000)}, {}, {"x": "id"})
    assert deep == digest({"x": nested(60_000)}, {}, {"x": "id"})[0]
    assert len(warnings) == 1


def test_nested_objects_reach_the_bound_before_pythons_own() -> None:
    value = Question("end")
    for _ in range(5_000):
        value = Question("more", cache=None, tries=value)  # type: ignore[arg-type]
    found, warnings = digest({"x": value}, {}, {"x": "id"})
    assert "dict" in warnings[0] or "Question" in warnings[0]
    assert "RecursionError" not in warnings[0]
    assert found == digest({"x": value}, {}, {"x": "id"})[0]


class Broken(pydantic.BaseModel):
    def model_dump(self, **_: Any) -> dict[str, Any]:
        raise RuntimeError("no dump today")


class Endless:
    """Gives itself back, as numpy.longdouble does where it is wider than a float."""

    dtype = "wide"

    def tolist(self) -> Endless:
        return Endless()


class Unset:
    model_dump = "not callable"


@pytest.mark.parametrize("value", [Broken(), Unset(), Endless(), len, Question, 1j])
def test_values_that_cannot_be_converted_warn(value: Any) -> None:
    _, warnings = digest({"x": value}, {}, {"x": "id"})
    assert len(warnings) == 1
