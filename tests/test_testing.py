"""Builders for users' own tests of hooks."""

from __future__ import annotations

from dataclasses import replace

import pytest

import pytest_genaiver
from pytest_genaiver.testing import case_result, compared, decided, results

GOOD = {"on_topic": {f"test_a.py::test_topic[q{i}]": [1.0] * 3 for i in range(20)}}
BAD = {"on_topic": {case: [0.0] * 3 for case in GOOD["on_topic"]}}


def test_a_comparison_and_its_decision_are_those_of_a_session() -> None:
    comparison = compared(baseline=GOOD, current=BAD)
    decision = decided(comparison)
    assert isinstance(comparison, pytest_genaiver.Comparison)
    assert isinstance(decision, pytest_genaiver.Decision)
    assert (len(comparison.pairs), decision.verdict) == (20, "regressed")
    assert decision.metrics["on_topic"].baseline == 1.0


def test_every_value_of_the_baseline_counts() -> None:
    scores = {f"t::q{i}": [1.0] * 9 for i in range(20)}
    comparison = compared(baseline={"ok": scores}, current={"ok": {**scores, "t::q3": [0.0] * 9}})
    assert [len(case.scores["ok"]) for case in comparison.baseline.cases.values()] == [9] * 20
    assert [found.case for found in decided(comparison).metrics["ok"].worst][:1] == ["t::q3"]


def test_policies_are_lines_of_the_ini_file() -> None:
    assert decided(compared(baseline=GOOD, current=BAD), "on_topic: higher, gate=warn").verdict == "pass"
    with pytest.raises(pytest_genaiver.ConfigError):
        decided(compared(current=GOOD), "on_topic: sideways")


def test_a_first_session_has_no_baseline() -> None:
    comparison = compared(current=GOOD)
    assert comparison.baseline is None
    assert decided(comparison).verdict == "pass"


def test_cases_may_lack_a_metric_and_values_may_be_missing() -> None:
    comparison = compared(current={"a": {"t::x": [1, None]}, "b": {"t::y": [0.5]}})
    assert comparison.current.cases["t::x"].scores == {"a": [1, None]}
    assert comparison.current.cases["t::y"].scores == {"b": [0.5]}


def test_results_serve_as_a_baseline_of_a_hook_and_survive_json() -> None:
    made = results(GOOD, name="app-abcdef12", complete=False, cut_short="interrupted")
    assert made.version.commit == "abcdef12".ljust(40, "0")
    assert pytest_genaiver.VersionResults.from_json(made.to_json()) == made


def test_one_case_for_hooks_that_are_told_of_it() -> None:
    case = case_result("test_a.py::test_topic[refund]", gate="warn", passed=[1, 0])
    assert (case.function, case.gate, case.scores) == ("test_a.py::test_topic", "warn", {"passed": [1, 0]})


def test_the_documented_example() -> None:
    def pytest_genai_decide(config, comparison, decision):
        return replace(decision, verdict="pass") if len(comparison.pairs) < 5 else None

    scores = {"on_topic": {"a": [1, 1], "b": [1, 0]}}
    comparison = compared(baseline=scores, current={"on_topic": {"a": [0], "b": [0]}})
    found = pytest_genai_decide(config=None, comparison=comparison, decision=decided(comparison))
    assert found is not None
    assert found.verdict == "pass"
