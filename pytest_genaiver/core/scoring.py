"""What a scorer said, as a number: the table of ratings, and one score with its reason."""

from __future__ import annotations

import enum
import math
import re
import unicodedata
from dataclasses import dataclass

from pytest_genaiver.errors import ScoreError

LONGEST_LINE = 300

# Words that have a good side and a bad side whatever the question was. Grades such as "good" of "fair, good,
# excellent", letters such as the "A" of a comparison, and labels of one's own have none: they are errors.
_GOOD = (
    *("yes", "y", "true", "t", "pass", "passed", "correct", "success", "accurate", "valid", "accepted", "approved"),
    *("good", "safe", "relevant", "grounded", "faithful", "factual", "supported", "non toxic", "unbiased"),
)
_BAD = (
    *(
        "no",
        "n",
        "false",
        "f",
        "fail",
        "failed",
        "incorrect",
        "failure",
        "inaccurate",
        "invalid",
        "rejected",
        "denied",
    ),
    *("bad", "unsafe", "irrelevant", "ungrounded", "unfaithful", "hallucinated", "unsupported", "toxic", "biased"),
    *("unrelated", "wrong"),
)
_HALF = ("partial", "partially", "partly", "partially correct", "partly correct")
_RATINGS = {**dict.fromkeys(_GOOD, 1.0), **dict.fromkeys(_BAD, 0.0), **dict.fromkeys(_HALF, 0.5)}

# A scorer's way to say that it cannot tell.
_UNKNOWN = {"", "unknown", "none", "null", "nan", "n/a", "na", "not applicable", "undecided", "undetermined"}

# Control characters, separators of lines and paragraphs, lone surrogates.
_TAKEN_OUT = {"Cc": " ", "Zl": " ", "Zp": " ", "Cs": "?"}

_PERCENT = re.compile(r"([+-]?[0-9]+(?:\.[0-9]+)?) ?%")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]{1,3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One score of one repeat. Where `value` is None it is missing, and `error` says in one line why."""

    name: str
    value: float | None
    rationale: str | None = None
    error: str | None = None


def rating(name: str, value: object) -> float | None:
    """A scorer's answer as a number; None where it says that it does not know.

    Numbers stand for themselves, bools are 1 and 0, an enum member is its value. Words, without regard to case,
    quotes and a full stop: yes, pass, correct, ... are 1; no, fail, incorrect, ... are 0; partially correct is 0.5;
    `4` and `0.5` are numbers, `80%` is 0.8. Raises ScoreError for all else, naming the score and the answer.
    """
    __tracebackhide__ = True
    value = plain(value)
    if isinstance(value, str):
        return _word(name, value)
    if value is None:
        return None
    found = number(value)
    if found is None:
        raise ScoreError(f"score {name!r} is {shown(value)}, but a rating must be a finite number, a bool or a word")
    return found


def _word(name: str, text: str) -> float | None:
    word = " ".join(re.sub(r"[\s_-]+", " ", text).strip(" \"'`*.!").casefold().split())
    if word in _RATINGS:
        return _RATINGS[word]
    if word in _UNKNOWN:
        return None
    # A minus sign is not a hyphen between words.
    written = text.strip(" \t\r\n\"'`*").casefold()
    if percent := _PERCENT.fullmatch(written):
        return number(float(percent[1]) / 100)
    found = number(float(written)) if _NUMBER.fullmatch(written) else None
    if found is None:
        raise ScoreError(
            f"score {name!r} is {shown(text)}, which is neither a number nor a rating such as yes, no, pass or fail; "
            f"make the scorer answer with one of these"
        )
    return found


def number(value: object) -> float | None:
    """A bool, or a number that is finite and of a sane size, as a float; None for all else."""
    if not isinstance(value, (bool, int, float)):
        return None
    found = float(value) if abs(value) < 1e300 else math.inf
    return found if math.isfinite(found) else None


def plain(value: object) -> object:
    """A numpy scalar, or a member of an enum, as the plain value that it holds."""
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if type(value).__module__ == "numpy" and getattr(value, "shape", None) == () and hasattr(value, "item"):
        return value.item()
    return value


def shown(value: object) -> str:
    """A value and its type for an error message, cut short."""
    text = repr(value)
    return f"{text if len(text) <= 80 else text[:77] + '...'} ({type(value).__name__})"


def one_line(text: str) -> str:
    """Text of unknown origin as one line of at most 300 characters, without what no terminal or store can take."""
    line = " ".join("".join(_TAKEN_OUT.get(unicodedata.category(c), c) for c in text[: 20 * LONGEST_LINE]).split())
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"
