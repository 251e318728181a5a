from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest

from pytest_genaiver.core.digest import digest
from pytest_genaiver.core.rows import Record, Row, rows_of
from pytest_genaiver.errors import ConfigError


def rows(*values: object) -> tuple[Row, ...]:
    return rows_of([Record(f"row {number}", one) for number, one in enumerate(values, 1)])


def refusal(*values: object) -> str:
    with pytest.raises(ConfigError) as caught:
        rows(*values)
    return str(caught.value)


def parts(**values: Any) -> tuple[Any, Any, Any, bool]:
    (row,) = rows(values)
    return row.inputs, row.expectations, row.tags, row.scalar


def test_without_inputs_every_column_is_one_but_those_of_the_row_itself() -> None:
    inputs, expectations, tags, scalar = parts(
        id="a", question="why?", source="mail", expected_topic="reasons", expectations={"tone": "kind"}, tags={"n": 1}
    )
    assert inputs == {"question": "why?", "source": "mail"}
    assert expectations == {"tone": "kind", "expected_topic": "reasons"}
    assert (tags, scalar) == ({"n": "1"}, False)


def test_inputs_are_taken_as_they_are_and_what_mlflow_adds_is_ignored() -> None:
    inputs, expectations, tags, scalar = parts(
        inputs={"question": "why?", "id": 7},
        expectations={"topic": "reasons"},
        expected_response="so",
        tags={"mlflow.user": "ada", "genaiver.scope": "x", "area": "billing"},
        outputs={"answer": "an old one"},
        source={"trace": {}},
        dataset_record_id="dr-1",
        create_time=1,
    )
    assert inputs == {"question": "why?", "id": 7}
    assert expectations == {"topic": "reasons", "expected_response": "so"}
    assert (tags, scalar) == ({"area": "billing"}, False)


@pytest.mark.parametrize("value", ["why?", "", 7, 0.5, False, ["a", "b"]])
def test_inputs_of_one_value_are_named_input(value: object) -> None:
    inputs, expectations, _, scalar = parts(inputs=value)
    assert (inputs, expectations, scalar) == ({"input": value}, {}, True)


def test_expectations_of_one_value_are_named_as_mlflows_judges_read_them() -> None:
    assert parts(question="why?", expectations="so")[1] == {"expected_response": "so"}
    assert parts(question="why?", expectations=None)[1] == {}


@pytest.mark.parametrize(
    ("given", "tags"),
    [
        (None, {}),
        ("", {}),
        ("billing, smoke", {"billing": "true", "smoke": "true"}),
        (["billing"], {"billing": "true"}),
        ({"area": "billing", "level": 2}, {"area": "billing", "level": "2"}),
        ("mlflow.user, smoke", {"smoke": "true"}),
    ],
)
def test_tags_are_names_with_text(given: object, tags: dict[str, str]) -> None:
    assert parts(question="why?", tags=given)[2] == tags


class Seven:
    """As numpy's whole numbers: no int, but usable as one."""

    def __index__(self) -> int:
        return 7

    __int__ = __index__


@pytest.mark.parametrize(("given", "name"), [("a", "a"), (7, "7"), (7.0, "7"), (0, "0"), (Seven(), "7")])
def test_an_id_is_text_or_a_whole_number(given: object, name: str) -> None:
    assert rows({"id": given, "question": "why?"})[0].id == name


@pytest.mark.parametrize("given", [None, ""])
def test_without_an_id_the_content_names_a_row(given: object) -> None:
    (row,) = rows({"id": given, "question": "why?", "expected_topic": "reasons", "tags": ["smoke"]})
    assert row.id == digest({"question": "why?"}, {"expected_topic": "reasons"}, {})[0][:12]


def test_ids_from_content_are_stable_under_reordering_of_rows_and_columns() -> None:
    first = rows({"a": 1, "b": 2}, {"a": 2, "b": 2}, {"a": 3, "b": 2})
    again = rows({"b": 2, "a": 3}, {"b": 2, "a": 1}, {"b": 2, "a": 2})
    assert [row.id for row in again] == [first[2].id, first[0].id, first[1].id]
    assert len({row.id for row in first}) == 3


def test_paths_count_relative_to_the_root() -> None:
    def named(folder: str) -> str:
        values = {"file": PurePosixPath(folder) / "a.txt"}
        return rows_of([Record("row 1", values)], root=PurePosixPath(folder))[0].id

    assert named("/home/ada") == named("/ci/build")


def test_a_row_knows_the_columns_of_all_rows() -> None:
    found = rows({"question": "why?", "answer": "so"}, {"question": "when?", "expected_topic": "time"})
    assert {row.columns for row in found} == {frozenset({"question", "answer", "expected_topic"})}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["why?"], "row 1 is 'why?'; a row is an object: column names and their values"),
        ([[1]], "row 1 is a list; a row is an object: column names and their values"),
        ([{1: "why?"}], "row 1, column 1: the name of a column must be a string"),
        (
            [{"id": "a", "expected_x": 1}],
            "row 1 has no input; every column but id, tags, expectations and expected_* is one",
        ),
        ([{"inputs": None}], "row 1, column 'inputs': is null; give an object, or one value"),
        (
            [{"inputs": "a"}, {"expectations": "b"}],
            "row 2, column 'inputs': is missing here, but other rows have it; give an object, or one value",
        ),
        (
            [{"inputs": {}, "topic": "x"}],
            "row 1, column 'topic': unknown; "
            "beside 'inputs' a row has 'expectations', 'id', 'tags' and 'expected_*': move 'topic' into 'inputs'",
        ),
        ([{"inputs": {1: 2}}], "row 1, column 'inputs': the key 1 is no string"),
        ([{"q": 1, "expectations": {None: 2}}], "row 1, column 'expectations': the key null is no string"),
        (
            [{"q": 1, "expectations": {"expected_x": 1}, "expected_x": 2}],
            "row 1, column 'expected_x': stands in 'expectations' too; keep one of the two",
        ),
        ([{"q": 1, "id": [1]}], "row 1, column 'id': is a list; give a string or a whole number"),
        ([{"q": 1, "id": True}], "row 1, column 'id': is True; give a string or a whole number"),
        ([{"q": 1, "id": 1.5}], "row 1, column 'id': is 1.5; give a string or a whole number"),
        ([{"q": 1, "tags": 3}], "row 1, column 'tags': is 3; give an object, or a list of names"),
        ([{"q": 1, "tags": [3]}], "row 1, column 'tags': is a list; give an object, or a list of names"),
        ([{"q": 1, "tags": {3: 4}}], "row 1, column 'tags': the key 3 is no string"),
        ([], "holds no rows; give at least one"),
    ],
)
def test_a_bad_row_is_named_with_its_column(values: list[object], message: str) -> None:
    assert refusal(*values) == message


def test_all_bad_rows_make_one_sentence_that_lists_three() -> None:
    bad = {"q": 1, "id": []}
    assert refusal({"q": 1}, bad, bad) == (
        "row 2, column 'id': is a list; give a string or a whole number; "
        "row 3, column 'id': is a list; give a string or a whole number"
    )
    assert refusal(*[bad] * 5).endswith(
        "row 3, column 'id': is a list; give a string or a whole number; and 2 more of that kind"
    )


def test_rows_with_one_id_are_named() -> None:
    found = refusal({"id": "a", "q": 1}, {"id": "b", "q": 2}, {"id": "a", "q": 3})
    assert found == "row 1 and row 3 have the same id 'a'; an id names one row"


def test_an_id_that_another_rows_content_gives_is_named() -> None:
    (row,) = rows({"q": 1})
    assert refusal({"q": 1}, {"q": 2, "id": row.id}) == (
        f"row 1 and row 2 have the same id '{row.id}'; an id names one row"
    )


def test_rows_with_the_same_content_are_named_unless_ids_tell_them_apart() -> None:
    found = refusal(*[{"q": 1}] * 3, {"q": 2}, {"q": 2})
    assert found == (
        "row 1, row 2 and row 3 hold the same inputs and expectations; remove one, or give each an 'id' of its own; "
        "row 4 and row 5 hold the same inputs and expectations; remove one, or give each an 'id' of its own"
    )
    assert refusal(*[{"q": 1}] * 7).startswith("row 1, row 2, row 3, row 4, row 5 and 2 more hold the same inputs")
    assert [row.id for row in rows({"q": 1, "id": "a"}, {"q": 1, "id": "b"})] == ["a", "b"]
