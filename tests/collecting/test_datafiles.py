from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.collecting.datafiles import KINDS, read_file
from pytest_genaiver.core.rows import Record
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Any:
    def written(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written


def test_the_kinds() -> None:
    assert KINDS == (".jsonl", ".json", ".csv")


BOM = b"\xef\xbb\xbf"


@pytest.mark.parametrize("start", [b"", BOM], ids=["plain", "BOM"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_jsonl_is_one_row_a_line(file: Any, start: bytes, end: str) -> None:
    text = end.join(['{"q": "é\u2028\x85", "n": 1}', "", '{"q": null}', ""])
    assert read_file(file("a.JSONL", start + text.encode())) == [
        Record("line 1", {"q": "é\u2028\x85", "n": 1}),
        Record("line 3", {"q": None}),
    ]


def test_json_is_a_list(file: Any) -> None:
    path = file("a.json", BOM + b'[{"q": 1},\n {"q": [2]}]')
    assert read_file(path) == [Record("row 1", {"q": 1}), Record("row 2", {"q": [2]})]


@pytest.mark.parametrize("start", [b"", BOM], ids=["plain", "BOM"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_cells_of_csv_are_the_strings_that_stand_there(file: Any, start: bytes, end: str) -> None:
    text = end.join(["q,n,empty", 'NULL,007,""', "", f'"two{end}lines, ""quoted""", 1.50,', "nan,true,", ""])
    assert read_file(file("a.csv", start + text.encode())) == [
        Record("line 2", {"q": "NULL", "n": "007", "empty": ""}),
        Record("line 4", {"q": f'two{end}lines, "quoted"', "n": " 1.50", "empty": ""}),
        Record("line 6", {"q": "nan", "n": "true", "empty": ""}),
    ]


def test_a_cell_may_be_larger_than_the_csv_modules_limit_which_stays(file: Any) -> None:
    before = csv.field_size_limit()
    (record,) = read_file(file("a.csv", "q\n" + "x" * (before + 1)))
    assert record.values == {"q": "x" * (before + 1)}
    with pytest.raises(ConfigError):
        read_file(file("b.csv", "q\n1,2"))
    assert csv.field_size_limit() == before


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_an_empty_file_holds_no_records(file: Any, name: str) -> None:
    assert read_file(file(name, "")) == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", '{"q": 1}\n{"q": 2', "line 2, character 8: no JSON: Expecting ',' delimiter"),
        ("a.jsonl", '{"q": 1}\n{"q": 2, "q": 3}', "line 2: the key 'q' stands twice in one object"),
        ("a.jsonl", b'{"q": 1}\n{"q": "\xff"}', "line 2 is not UTF-8; save the file as UTF-8"),
        ("a.csv", '"q"\n'.encode("utf-16"), "line 1 is not UTF-8; save the file as UTF-8"),
        ("a.json", '[{"q": 1},\n{"q" 2}]', "line 2, character 6: no JSON: Expecting ':' delimiter"),
        ("a.json", "", "line 1, character 1: no JSON: Expecting value"),
        ("a.json", '[{"q": {"a": 1, "a": 2}}]', "the key 'a' stands twice in one object"),
        ("a.json", '{"q": 1}', "is not a list of rows; write [{...}, {...}], or one row a line in a .jsonl file"),
        (
            "a.csv",
            "q,n\n1,2\n3",
            "line 3: number of cells: 1, columns in the header: 2; quote a cell that holds a comma",
        ),
        ("a.csv", "q,q\n1,2", "line 1: the column 'q' stands twice in the header"),
        ("a.csv", "\nq, \n1,2", "line 2: column 2 of the header has no name"),
        ("a.csv", "q;n\n1;2", "line 1: cells are separated by ';'; separate them by commas"),
        ("a.csv", "q\tn\n1\t2", "line 1: cells are separated by '\\t'; separate them by commas"),
        ("a.csv", 'q\n1\n"open', "line 3: no CSV: unexpected end of data"),
    ],
)
def test_a_file_that_is_not_what_its_suffix_says_is_refused(
    file: Any, name: str, content: str | bytes, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_file(file(name, content))
    assert str(caught.value) == message


def test_a_depth_that_cannot_be_read_is_one_sentence(file: Any) -> None:
    with pytest.raises(ConfigError, match=r"^line 1: maximum recursion depth"):
        read_file(file("a.jsonl", "[" * 100_000))


def test_a_file_that_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^cannot be read: Is a directory$"):
        read_file(tmp_path)
