"""What a baseline that runs now asks for, and what it proves when its process was lost."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_genaiver.baseline.choosing import fresh
from pytest_genaiver.baseline.fresh import Fresh
from pytest_genaiver.core.decision import Decision
from pytest_genaiver.core.records import RepeatRecord
from pytest_genaiver.core.results import Version
from pytest_genaiver.options.settings import Settings
from pytest_genaiver.running.pool import Limits
from pytest_genaiver.running.waiting import Nothing

SURE = Decision(verdict="pass", look=1, looks=(1, 2, 5), alpha=0.05)


def baseline(*records: RepeatRecord, troubles: tuple[str, ...] = (), **settings: Any) -> Fresh:
    opened: Any = SimpleNamespace()
    found = Fresh(
        opened=opened,
        settings=Settings(**settings),
        reference="main",
        sha="0" * 40,
        distance=1,
        folder=Path("/nowhere"),
        troubles=list(troubles),
    )
    found.ledger.add(record.to_json() for record in records)
    return found


def record(case: str, repeat: int = 0, outcome: Any = "passed", version: str | None = None) -> RepeatRecord:
    return RepeatRecord(case=case, repeat=repeat, outcome=outcome, version=version)


def test_a_case_whose_only_call_of_the_baseline_the_provider_failed_is_run_again_once() -> None:
    once = baseline(record("a"), record("b", outcome="provider"), record("c", outcome="provider"))
    assert once.asking(SURE).more == {"b": 1, "c": 1}
    assert once.asking(SURE).why_more == "they have no value of the baseline yet"
    twice = baseline(record("b", outcome="provider"), record("b", 1, outcome="provider"), record("c", 0, "provider"))
    assert twice.asking(SURE).more == {"c": 1}
    assert twice.asking(SURE).why_more == "it has no value of the baseline yet"
    mended = baseline(record("b", outcome="provider"), record("b", 1))
    assert mended.asking(SURE) is SURE


def test_what_the_gate_wants_comes_first_and_a_lost_twin_is_asked_nothing() -> None:
    wanted = Decision(verdict="pass", more={"a": 1}, look=1, looks=(1, 2, 5), alpha=0.05, next_look=2)
    assert baseline(record("b", outcome="provider")).asking(wanted) is wanted
    assert baseline(record("b", outcome="provider"), troubles=("it ended",)).asking(SURE) is SURE


@pytest.mark.parametrize("verdict", ["pass", "improved", "inconclusive"])
def test_a_lost_twin_proves_nothing_good(verdict: Any) -> None:
    found = baseline(record("a"), record("a", 1), record("b"), troubles=("it ended by signal 9",))
    decision = found.honest(Decision(verdict=verdict, look=1, looks=(1,), alpha=0.05))
    assert decision.verdict == "inconclusive"
    assert decision.reason == "the baseline ran only 2 of its cases: it ended by signal 9"


def test_a_regression_stands_and_a_whole_baseline_changes_nothing() -> None:
    regressed = Decision(verdict="regressed", look=1, looks=(1,), alpha=0.05)
    assert baseline(troubles=("it ended",)).honest(regressed) is regressed
    assert baseline().honest(SURE) is SURE


def test_it_keeps_the_records_of_its_own_version() -> None:
    found = baseline()
    own = record("a").to_json()
    theirs = record("a", version="app-00000000").to_json()
    assert found.take([own, theirs]) == [own, theirs]
    there: Any = SimpleNamespace(version=Version(name="app-00000000", app="app"))
    found._there = there
    assert found.take([own, theirs]) == [own]
    assert [r.case for r in found.ledger.of(None)] == ["a"]


def test_what_a_process_told_at_its_end_is_counted() -> None:
    found = baseline()
    finished = {
        "produced": {"t": "a"},
        "missing": {},
        "errors": [],
        "judgements": {},
        "records": ["old"],
        "unused": 0,
        "seen": {},
        "params": {},
    }
    found.count({"records": [record("a").to_json()], "finished": finished, "trouble": None})
    found.count({"records": [], "finished": None, "trouble": "it ended"})
    assert found.ledger.produced == {"t": "a"}
    assert found.troubles == ["it ended"]


def test_each_of_several_twins_tells_the_same_once() -> None:
    found = baseline()
    plan = {"cases": [], "collected": [], "whole": [], "lower": [], "files": []}
    for _ in range(2):
        found.met({"plan": plan, "notices": ["a file cannot be collected"]})
    assert found.notices == ["a file cannot be collected"]


def test_both_share_one_purse_and_call_half_at_once(tmp_path: Path) -> None:
    found = baseline(max_cost=1.0)
    found.folder = tmp_path
    limits, purse, _ = found.shared(Limits(concurrency=5, timeout=3.0), Nothing())
    assert limits == Limits(concurrency=2, timeout=3.0)
    assert found.shared(Limits(concurrency=1), Nothing())[0].concurrency == 1
    (tmp_path / "twin-spent.json").write_text("0.7")
    purse.pay(0.4)
    assert purse.refusal() is not None


def test_another_reference_is_no_such_baseline() -> None:
    opened: Any = SimpleNamespace()
    assert fresh("HEAD~1", opened, Settings(), lambda _: 1) is None
    assert fresh(None, opened, Settings(), lambda _: 1) is None
