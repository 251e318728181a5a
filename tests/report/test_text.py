from __future__ import annotations

import pytest

from pytest_genaiver.report.text import columns, fit, fit_case, pad, printable, without_path, wrap


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain [a-b] \\ 'x'", "plain [a-b] \\ 'x'"),
        ("two\nlines\r\n", "two\\nlines\\r\\n"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x9b31m", "\\x9b31m"),
        ("\x1b]8;;http://evil\x07", "\\x1b]8;;http://evil\\x07"),
        ("a\u202eb\u2066c\u200f", "a\\u202eb\\u2066c\\u200f"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("line\u2028separator\x85", "line\\u2028separator\\x85"),
        ("\udcff\x00\x7f\t", "\\udcff\\x00\\x7f\\t"),
        ("\U000e0041", "\\U000e0041"),
        ("caf\xe9 \u4e2d\u6587 \U0001f600", "caf\xe9 \u4e2d\u6587 \U0001f600"),
        ("", ""),
    ],
)
def test_nothing_that_moves_the_cursor_or_hides_is_printed(text, shown):
    assert printable(text) == shown


def test_ascii_has_nothing_else():
    assert printable("caf\xe9 \u4e2d \U0001f600\n", ascii=True) == "caf\\xe9 \\u4e2d \\U0001f600\\n"


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("\u4e2d\u6587", 4), ("e\u0301", 1), ("\xe9", 1)])
def test_columns_count_wide_and_combining_characters(text, width):
    assert columns(text) == width


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("abcdefgh", 8, "abcdefgh"),
        ("abcdefgh", 7, "abc\u2026fgh"),
        ("abcdefgh", 6, "abc\u2026gh"),
        ("abcdefgh", 3, "a\u2026h"),
        ("abcdefgh", 2, "ab"),
        ("", -1, ""),
        ("\u4e2d\u6587\u4e2d\u6587\u4e2d", 7, "\u4e2d\u6587\u2026\u4e2d"),
    ],
)
def test_what_is_too_long_is_cut_in_the_middle(text, width, shown):
    assert fit(text, width) == shown
    assert columns(shown) <= max(width, 0)


def test_ascii_is_cut_with_dots():
    assert fit("abcdefghij", 8, ascii=True) == "abc...ij"


CASE = "tests/test_support.py::TestMoney::test_refund[how-do-I-get-it-back]"


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (80, CASE),
        (60, "\u2026::TestMoney::test_refund[how-do-I-get-it-back]"),
        (30, "\u2026[how-do-I-get-it-back]"),
        (12, "\u2026[how-\u2026back]"),
    ],
)
def test_a_case_id_loses_first_what_its_neighbours_share(width, shown):
    assert fit_case(CASE, width) == shown


def test_a_case_id_without_parameters_or_path_is_cut_in_the_middle():
    assert fit_case("tests/test_a.py::test_refund", 12) == "\u2026::tes\u2026efund"
    assert fit_case("nothing-of-the-kind", 12) == "nothin\u2026-kind"
    assert fit_case("tests/test_a.py::test_refund", 16, ascii=True) == "...::test_refund"


def test_parameters_are_not_taken_for_a_path():
    assert without_path("a.py::test[x::y/z]") == "\u2026::test[x::y/z]"
    assert without_path("test[x::y/z]") == "test[x::y/z]"


def test_padding_aligns_by_columns():
    assert pad("\u4e2d", 4) == "\u4e2d  "
    assert pad("1", 3, right=True) == "  1"


def test_words_are_wrapped_and_never_cut():
    words = ["one", "two", "three", "extraordinarily"]
    assert wrap(words, 9, indent="  ") == ["  one two", "  three", "  extraordinarily"]
    assert wrap([""], 9) == [""]
