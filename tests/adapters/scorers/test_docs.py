"""What docs/evaluate-scorers.md promises is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pytest_genaiver.adapters.scorers.missing import REQUIREMENTS
from pytest_genaiver.adapters.scorers.named import named
from pytest_genaiver.adapters.scorers.resolve import resolve
from pytest_genaiver.adapters.scorers.targets import NAMES
from pytest_genaiver.core import scoring

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def page() -> str:
    return (ROOT / "docs" / "evaluate-scorers.md").read_text(encoding="utf-8")


def rows(page: str, heading: str) -> dict[str, str]:
    """The table under a heading: first cell -> second."""
    section = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    found = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return {cells[0]: cells[1] for cells in found[1:]}


def test_every_word_of_the_table_has_its_score_and_every_word_is_in_it(page: str) -> None:
    table = rows(page, "What is a number")
    for score in ("1", "0", "0.5"):
        (words,) = [w for w, s in table.items() if s == score]
        listed = set(words.split(", "))
        assert {scoring.rating("s", word) for word in listed} == {float(score)}
        known = {w for w, value in scoring._RATINGS.items() if value == float(score)}
        assert {w.replace("-", " ") for w in listed} == known


def test_every_install_line_is_the_one_that_a_session_prints(page: str) -> None:
    lines = {re.sub(r"^`pip install |`$", "", line) for line in rows(page, "When there is no value").values()}
    ours = {"'pytest-genaiver[scorers]'"}
    assert lines - ours <= set(REQUIREMENTS.values())


def test_the_names_of_expectations_are_listed_in_their_order(page: str) -> None:
    sentence = page.partition("is the expectation called ")[2].partition(", in this order")[0]
    assert tuple(re.findall(r"`(\w+)`", sentence)) == NAMES


def test_the_example_is_one(page: str) -> None:
    found: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0], found)
    assert [resolve(s).name for s in found["SCORERS"]] == ["brief", "correctness", "tone"]
    names = re.findall(r"```ini\n.*?genai_scorers =\n(.*?)```", page, re.DOTALL)[0].split()
    assert [resolve(named(n)).name for n in names[:2]] == ["correctness", "exact_match"]
