"""What a scorer said, as a number."""

from __future__ import annotations

import enum

import numpy as np
import pytest

from pytest_genaiver.core.scoring import Scored, number, one_line, rating
from pytest_genaiver.errors import ScoreError


class Grade(enum.Enum):
    YES = "yes"
    FOUR = 4


@pytest.mark.parametrize(
    ("said", "value"),
    [
        *(
            (word, 1.0)
            for word in ("yes", "Yes.", " YES ", "'yes'", "**yes**", "y", "true", "pass", "Passed", "correct")
        ),
        *((word, 1.0) for word in ("good", "safe", "relevant", "factual", "non-toxic", "NON_TOXIC", "grounded")),
        *(
            (word, 0.0)
            for word in ("no", "No!", "n", "false", "fail", "FAILED", "incorrect", "bad", "unsafe", "toxic")
        ),
        *((word, 0.0) for word in ("irrelevant", "unrelated", "hallucinated", "wrong")),
        *((word, 0.5) for word in ("partial", "partially correct", "Partially_Correct", "partly-correct")),
        *((True, 1.0), (False, 0.0), (3, 3.0), (0.25, 0.25), (-2, -2.0)),
        *((np.bool_(True), 1.0), (np.float32(0.5), 0.5), (np.int64(4), 4.0)),
        *((Grade.YES, 1.0), (Grade.FOUR, 4.0)),
        *(("4", 4.0), (" 4.5 ", 4.5), ("-1", -1.0), ("1e2", 100.0), (".5", 0.5), ("80%", 0.8), ("12.5 %", 0.125)),
    ],
)
def test_numbers_bools_and_words_are_numbers(said: object, value: float) -> None:
    assert rating("s", said) == pytest.approx(value)


@pytest.mark.parametrize("said", [None, "unknown", "Unknown.", "", "  ", "none", "N/A", "not applicable", "NaN"])
def test_not_to_know_is_no_number(said: object) -> None:
    assert rating("s", said) is None


@pytest.mark.parametrize(
    "said", ["A", "excellent", "4/5", "3 out of 5", "inf", "1e999", "1_000", "٣", "not parsable", "yes and no", "--1"]
)
def test_a_word_without_a_good_side_is_an_error_that_names_it(said: str) -> None:
    with pytest.raises(ScoreError) as error:
        rating("tone", said)
    assert "'tone'" in str(error.value)
    assert repr(said) in str(error.value)
    assert "yes, no, pass or fail" in str(error.value)


@pytest.mark.parametrize("said", [float("nan"), float("inf"), 10**400, [1], {"score": 1}, 1j, object()])
def test_what_is_no_rating_is_an_error(said: object) -> None:
    with pytest.raises(ScoreError, match=r"score 'tone' is .* a rating must be a finite number, a bool or a word"):
        rating("tone", said)


def test_a_long_answer_is_cut_in_the_error() -> None:
    with pytest.raises(ScoreError) as error:
        rating("tone", "blah " * 10_000)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize(("value", "found"), [(True, 1.0), (2, 2.0), (1e300, None), ("2", None), (None, None)])
def test_number_takes_numbers_only(value: object, found: float | None) -> None:
    assert number(value) == found


def test_hostile_text_becomes_one_short_line() -> None:
    assert one_line("  a\n\tb\x1b[31m\u2028c\ud800 ") == "a b [31m c?"
    assert one_line("x" * 10_000) == "x" * 299 + "…"
    assert one_line("") == ""


def test_a_score_is_a_value_or_an_error() -> None:
    assert Scored(name="s", value=1.0) == Scored(name="s", value=1.0, rationale=None, error=None)
