from __future__ import annotations

from typing import Any

import pytest

from pytest_genaiver.core.records import RepeatRecord
from pytest_genaiver.core.spend import Spend, missing_lines, of_app, of_judges


def record(case: str = "a", **values: Any) -> RepeatRecord:
    return RepeatRecord(case=case, repeat=0, outcome="passed", **values)


@pytest.mark.parametrize(
    ("spend", "line"),
    [
        (Spend(), "app: 0 calls"),
        (Spend(calls=1, tokens=12, cost=0.001), "app: 1 call, 12 tokens, under $0.01"),
        (Spend(calls=1200, tokens=12_300, cost=1.234), "app: 1,200 calls, 12,300 tokens, $1.23"),
        (Spend(calls=2, unknown=1, reused=1), "app: 2 calls, cost unknown for 1 run, 1 earlier answer reused"),
        (Spend(calls=2, unknown=2, reused=3), "app: 2 calls, cost unknown for 2 runs, 3 earlier answers reused"),
    ],
)
def test_a_line_says_what_is_known_and_what_is_not(spend: Spend, line: str) -> None:
    assert spend.line("app") == line


def test_app_and_judges_are_told_apart() -> None:
    records = [
        record(calls=2, scores={"total_tokens": 10.0, "cost": 0.5}, judged={"calls": 1, "tokens": 7, "cost": 0.25}),
        record(calls=1, scores={"total_tokens": None}, judged={"calls": 2, "reused": 3}),
        record(),
    ]
    assert of_app(records) == Spend(calls=3, tokens=10, cost=0.5, unknown=1)
    assert of_judges(records) == Spend(calls=3, tokens=7, cost=0.25, unknown=1, reused=3)


def test_scorers_that_lack_a_value_for_one_reason_share_a_line() -> None:
    early = {"brief": "failed early", "tone": "failed early"}
    scorers = {"brief": "1", "tone": "2"}
    records = [
        record("a", details={"errors": early}, scorers=scorers),
        record("b", details={"errors": {"tone": "KeyError: 'x'"}}, scorers=scorers),
        record("c", scorers=scorers),
    ]
    assert missing_lines(records) == [
        "brief, tone: 1 of 3 values missing: failed early",
        "tone: 1 of 3 values missing: KeyError: 'x'",
    ]
    assert missing_lines(records[2:]) == []
