from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from pytest_genaiver.adapters.results_file import read, write
from pytest_genaiver.core.results import CaseResult, SessionFacts, Version, VersionResults
from pytest_genaiver.errors import ResultsError


def results(case_id="t.py::test[a]"):
    case = CaseResult(id=case_id, digest="d", function="t.py::test", scores={"ok": [1.0, None]})
    return VersionResults(
        version=Version(name="app-11111111", app="app"),
        session=SessionFacts(id="s", started="2025-06-01T10:00:00Z", complete=True, repeats=2),
        cases={case_id: case},
    )


@pytest.fixture
def umask():
    before = os.umask(0o027)
    yield 0o027
    os.umask(before)


def test_what_was_written_is_read_back(tmp_path):
    write(tmp_path / "x.json", results().to_json())
    assert read(tmp_path / "x.json") == results()


def test_ids_that_are_no_text_survive(tmp_path):
    strange = results("t.py::test[\udcff\u202e\x1b[31m\n\u4e2d]")
    write(tmp_path / "x.json", strange.to_json())
    assert read(tmp_path / "x.json") == strange


def test_missing_folders_are_made_and_nothing_else_is_left(tmp_path):
    target = tmp_path / "reports" / "today" / "x.json"
    write(str(target), {"schema": 1})
    write(str(target), {"schema": 2})
    assert json.loads(target.read_text()) == {"schema": 2}
    assert [path.name for path in target.parent.iterdir()] == ["x.json"]


def test_the_umask_decides_who_may_read_it(tmp_path, umask):
    write(tmp_path / "x.json", {})
    assert stat.S_IMODE((tmp_path / "x.json").stat().st_mode) == 0o666 & ~umask


def test_a_link_stays_one(tmp_path):
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    write(tmp_path / "link.json", {"schema": 1})
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "real.json").read_text()) == {"schema": 1}


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    target = tmp_path / "x.json"
    write(target, {"schema": 1})

    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ResultsError, match=r"cannot write '.*x\.json': No space left on device"):
        write(target, {"schema": 2})
    assert json.loads(target.read_text()) == {"schema": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_a_folder_that_is_a_file_cannot_be_written_into(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ResultsError, match="cannot write"):
        write(tmp_path / "file" / "x.json", {})


def test_nan_is_never_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write(tmp_path / "x.json", {"score": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_a_byte_order_mark_is_no_fault(tmp_path):
    (tmp_path / "x.json").write_text("\ufeff" + json.dumps(results().to_json()), encoding="utf-8")
    assert read(tmp_path / "x.json") == results()


def refusal(path):
    with pytest.raises(ResultsError) as caught:
        read(path)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400
    return message.replace(str(path.parent), "DIR")


def test_a_missing_file_is_told_with_what_is_near(tmp_path):
    for name in ("base-main.json", "other.json", "third.json", "fourth.json", "note.txt"):
        (tmp_path / name).touch()
    assert refusal(tmp_path / "base_main.json") == (
        "there is no results file 'DIR/base_main.json'; the folder 'DIR' holds 'base-main.json' and 3 more"
    )


def test_a_missing_file_unlike_any_other_is_told_with_some(tmp_path):
    for name in ("b.json", "a.json"):
        (tmp_path / name).touch()
    assert refusal(tmp_path / "zzzzzzzz.json").endswith("the folder 'DIR' holds 'a.json', 'b.json'")


def test_a_missing_file_in_an_empty_folder(tmp_path):
    assert refusal(tmp_path / "x.json").endswith("; the folder 'DIR' holds no *.json")


def test_a_missing_file_in_a_missing_folder(tmp_path):
    assert refusal(tmp_path / "gone" / "x.json").endswith("; the folder 'DIR' does not exist either")


def test_a_folder_that_cannot_be_listed_is_no_second_error(tmp_path, monkeypatch):
    def denied(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", denied)
    assert refusal(tmp_path / "x.json").endswith("the folder 'DIR' cannot be listed: Permission denied")


def test_a_folder_is_no_results_file(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x.json").touch()
    assert refusal(tmp_path / "sub") == (
        "'DIR/sub' is a folder, not a results file; the folder 'DIR/sub' holds 'x.json'"
    )


def test_a_path_that_no_system_takes_is_told(tmp_path):
    assert "cannot read" in refusal(tmp_path / "x\0.json")


def test_a_path_through_a_file_is_told(tmp_path):
    (tmp_path / "file").touch()
    assert refusal(tmp_path / "file" / "x.json") == "cannot read 'DIR/x.json': Not a directory"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "'DIR/x.json' is not JSON: Expecting value at line 1 column 1"),
        (b"schema: 1", "'DIR/x.json' is not JSON: Expecting value at line 1 column 1"),
        (b'{"schema": 1', "'DIR/x.json' is not JSON: Expecting ',' delimiter at line 1 column 13"),
        (b"\xff\xfe\x00", "'DIR/x.json' is not a results file: not UTF-8 text (invalid start byte)"),
        (b'{"schema": NaN}', "it holds NaN, which is not JSON; a missing value is null"),
        (b'{"schema": -Infinity}', "it holds -Infinity, which is not JSON; a missing value is null"),
        (b"[" * 200_000, "'DIR/x.json' is not a results file: its JSON is nested too deeply"),
        (b'{"schema": ' + b"9" * 5000 + b"}", "'DIR/x.json' is not a results file: "),
        (b'{"schema": ' + b"9" * 400 + b"}", "'DIR/x.json' is not a results file: schema is 9999"),
        (b'{"schema": 1e999}', "schema must be a whole number, not inf"),
        (b"[]", "'DIR/x.json' is not a results file: the data must be an object, not a list"),
        (b'{"version": 1}', "'DIR/x.json' is not a results file: the data has no 'schema'"),
        (b'{"schema": 2}', "'DIR/x.json' is not a results file: schema is 2, newer than 1"),
    ],
)
def test_a_file_that_holds_something_else_is_told_in_one_sentence(tmp_path, content, message):
    (tmp_path / "x.json").write_bytes(content)
    assert message in refusal(tmp_path / "x.json")
