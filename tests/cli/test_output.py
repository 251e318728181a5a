"""What commands print."""

from __future__ import annotations

import io
import json
import sys

from pytest_genaiver.cli import output


def test_a_table_is_aligned_and_escaped() -> None:
    assert output.table(["metric", "a"], [["on_topic", "0.9"], ["x\x1b", "10.25"]]) == [
        "metric        a",
        "on_topic    0.9",
        "x\\x1b     10.25",
    ]


def test_json_has_no_nan(capsys) -> None:
    output.show_json({"a": float("nan"), "b": [1.5]})
    assert json.loads(capsys.readouterr().out) == {"a": None, "b": [1.5]}


def test_ascii_only_where_the_terminal_takes_no_more(monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="latin-1"))
    assert (output.is_unicode(), output.shown("é")) == (False, "\\xe9")


def test_a_line_may_have_colour_and_progress_goes_to_stderr(capsys) -> None:
    output.say("hello", colour="green")
    output.say()
    output.progress("1 of 2")
    out, err = capsys.readouterr()
    assert (out, err) == ("hello\n\n", "1 of 2\n")


def test_the_width_is_that_of_the_terminal(monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "123")
    assert output.width() == 123
