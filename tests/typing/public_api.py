"""Checked by mypy, never run: what users write is typed, and what they must not write is refused.

Each `type: ignore` marks a mistake that has to be found: mypy fails on one that hides nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from mlflow.entities import Trace
from typing_extensions import assert_type

from pytest_genaiver import (
    NO_BASELINE,
    CaseResult,
    Comparison,
    Decision,
    GenaiCase,
    GenaiVersion,
    MetricPolicy,
    Version,
    VersionResults,
    decide,
)
from pytest_genaiver.testing import case_result, compared, decided, results

if TYPE_CHECKING:
    import pytest


def test_case(genai_case: GenaiCase, genai_version: GenaiVersion) -> None:
    assert_type(genai_case.id, str)
    assert_type(genai_case.inputs, dict[str, Any])
    assert_type(genai_case.expectations, dict[str, Any])
    assert_type(genai_case.repeat, int)
    assert_type(genai_case.trace, Trace | None)
    genai_case.output = {"anything": 1}
    genai_case.score("on_topic", True, rationale="it is")
    genai_case.log(pages=[1, 2])
    with genai_case.judging():
        pass
    genai_case.score(1, True)  # type: ignore[arg-type]
    genai_case.score("on_topic")  # type: ignore[call-arg]
    genai_case.id = "mine"  # type: ignore[misc]

    assert_type(genai_version.name, str)
    assert_type(genai_version.commit, str | None)
    genai_version.log_params({"model": "gpt-5", "temperature": 0.2})
    with genai_version.use("agent-v2") as other:
        assert_type(other, GenaiVersion)
    genai_version.use(2)  # type: ignore[arg-type]


def hooks(config: pytest.Config, comparison: Comparison, decision: Decision, version: Version) -> None:
    assert_type(comparison.current, VersionResults)
    assert_type(comparison.pairs, dict[str, str])
    assert_type(comparison.current.cases, dict[str, CaseResult])
    assert_type(decision.verdict, Literal["pass", "regressed", "improved", "inconclusive"])
    assert_type(version.branch, str | None)
    decision.verdict = "pass"  # type: ignore[misc]
    _ = decision.nonsense  # type: ignore[attr-defined]
    _ = NO_BASELINE


def gate() -> None:
    policies = {"on_topic": MetricPolicy(name="on_topic", tolerance=0.05)}
    values = {"on_topic": {"a": [1.0, None]}}
    assert_type(decide(values, values, policies, alpha=0.05, repeats=(1, 5)), Decision)
    decide(values, values)  # type: ignore[call-arg]
    MetricPolicy(name="on_topic", direction="sideways")  # type: ignore[arg-type]


def builders() -> None:
    comparison = compared(baseline={"on_topic": {"a": [1, 0]}}, current={"on_topic": {"a": [None]}})
    assert_type(comparison, Comparison)
    assert_type(decided(comparison, "on_topic: higher"), Decision)
    assert_type(results({"on_topic": {"a": [1]}}), VersionResults)
    assert_type(case_result("a", on_topic=[1, 0]), CaseResult)
    compared({"on_topic": {"a": [1]}})  # type: ignore[call-arg]
