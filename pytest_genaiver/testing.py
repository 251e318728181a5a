"""Builders for tests of your own hooks: results, a comparison and the gate's decision, without a session.

::

    from pytest_genaiver.testing import compared, decided

    def test_a_bad_week_is_no_regression():
        before, now = {"a": [1, 1], "b": [1, 0]}, {"a": [0], "b": [0]}
        comparison = compared(baseline={"on_topic": before}, current={"on_topic": now})
        decision = conftest.pytest_genai_decide(config=None, comparison=comparison, decision=decided(comparison))
        assert decision.verdict == "pass"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_genaiver.core.compare import Comparison, compare
from pytest_genaiver.core.gate import decide
from pytest_genaiver.core.policy import parse_metric_line, policy_for
from pytest_genaiver.core.pooling import pool
from pytest_genaiver.core.results import CaseResult, SessionFacts, Version, VersionResults

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_genaiver.core.decision import Decision

    Scores = Mapping[str, Mapping[str, Sequence[float | None]]]
    """Metric -> case -> one value a repeat; None is a missing value."""

__all__ = ["case_result", "compared", "decided", "results"]

_STARTED = "2026-01-01T00:00:00+00:00"


def case_result(case: str, *, gate: str = "fail", **scores: Sequence[float | None]) -> CaseResult:
    """One case: ``case_result("test_a.py::test_topic[refund]", on_topic=[1, 0])``, one value a repeat."""
    return _case(case, scores, gate)


def _case(case: str, scores: Mapping[str, Sequence[float | None]], gate: str = "fail") -> CaseResult:
    return CaseResult(
        id=case,
        digest=f"digest of {case}",
        function=case.partition("[")[0],
        gate=gate,
        scores={name: list(values) for name, values in scores.items()},
        location="test_support.py:1",
    )


def results(scores: Scores, *, name: str = "app-11111111", branch: str | None = None, **facts: Any) -> VersionResults:
    """The results of one session of the version `name`. `facts` are its session's, such as ``complete=False``."""
    cases = list(dict.fromkeys(case for values in scores.values() for case in values))
    # What a pool takes of a session is as many values as every case has.
    repeats = min((len(found) for values in scores.values() for found in values.values()), default=1)
    facts = {"id": name, "started": _STARTED, "complete": True, "repeats": repeats, "verdict": "pass", **facts}
    return VersionResults(
        version=Version(name=name, app="app", commit=_commit(name), branch=branch),
        session=SessionFacts(**facts),
        policy=[policy_for(metric) for metric in scores],
        cases={
            case: _case(case, {m: values[case] for m, values in scores.items() if case in values}) for case in cases
        },
    )


def compared(*, current: Scores, baseline: Scores | None = None) -> Comparison:
    """A session beside its baseline; without `baseline` the first session of an app."""
    pooled = None if baseline is None else pool([results(baseline, name="app-00000000")])
    return compare(pooled, results(current))


def decided(comparison: Comparison, *lines: str, alpha: float = 0.05) -> Decision:
    """What the gate says about it, with nothing run again. `lines` are as in the ini key genai_metrics."""
    declared = [parse_metric_line(line) for line in lines]
    before, now = comparison.baseline_values(), comparison.current_values()
    repeats = max((len(v) for metric in now.values() for v in metric.values()), default=1)
    return decide(
        before,
        now,
        {metric: policy_for(metric, declared) for metric in {**before, **now}},
        alpha=alpha,
        repeats=(repeats, repeats),
        baseline_sessions=comparison.baseline_sessions(),
        final=True,
    )


def _commit(name: str) -> str:
    """A SHA of 40 digits that starts as the name ends."""
    return name.rpartition("-")[2].ljust(40, "0")
