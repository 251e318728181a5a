from __future__ import annotations

import json
import math

import pytest

from pytest_genaiver.adapters.results_file import read, write
from pytest_genaiver.core.compare import compare
from pytest_genaiver.core.pooling import BaselineFacts, pool
from pytest_genaiver.report.json_report import payload

FACTS = BaselineFacts(
    name="app-1", commit="1" * 40, model_id="m-1", distance=2, age=60.0, why="w", coverage=0.5, sessions=1
)


@pytest.fixture
def comparison(build):
    old = build.session([build.case(n, n) for n in ("t[same]", "t[gone]", "t[edited]", "t[was]")], name="app-1")
    now = build.session(
        [
            build.case("t[same]", ok=[1.0, None]),
            build.case("t[edited]", "e"),
            build.case("t[is]", "t[was]"),
            build.case("t[n]"),
        ]
    )
    return compare(pool([old]), now)


def test_the_report_has_exactly_the_documented_keys(build, comparison):
    report = payload(comparison, build.decision("pass", build.metric("ok")), baseline=FACTS)
    assert list(report) == [
        "schema",
        "version",
        "session",
        "policy",
        "cases",
        "snapshot",
        "baseline",
        "since_baseline",
        "changes",
        "decision",
        "warnings",
    ]
    assert report["cases"]["t[same]"]["scores"] == {"ok": [1.0, None]}
    assert report["cases"]["t[same]"]["digest"] == "t[same]"
    assert report["baseline"] == {
        "name": "app-1",
        "commit": "1" * 40,
        "model_id": "m-1",
        "distance": 2,
        "age": 60.0,
        "why": "w",
        "coverage": 0.5,
        "sessions": 1,
        "ancestors": 0,
        "deployed_to": None,
        "deployed_ago": None,
        "fresh": False,
    }
    assert report["changes"] == {
        "new": ["t[n]"],
        "removed": ["t[gone]"],
        "changed": ["t[edited]"],
        "renamed": {"t[is]": "t[was]"},
        "variants": {},
    }
    assert report["decision"]["verdict"] == "pass"
    assert {"verdict", "drop", "upper", "p", "level"} <= report["decision"]["metrics"]["ok"].keys()


def test_without_baseline_and_gate_both_are_null(comparison):
    report = payload(comparison, None, baseline=BaselineFacts(why="none recorded"))
    assert report["baseline"] is None
    assert report["decision"] is None


def test_a_report_is_a_baseline(build, comparison, tmp_path):
    found = build.decision("pass", build.metric("ok", upper=math.inf, baseline=math.nan))
    write(tmp_path / "x.json", payload(comparison, found, baseline=FACTS))
    assert read(tmp_path / "x.json") == comparison.current
    decided = json.loads((tmp_path / "x.json").read_text())["decision"]["metrics"]["ok"]
    assert (decided["upper"], decided["baseline"]) == (None, None)
