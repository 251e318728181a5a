"""What one execution of a case comes to: its outcome, its scores, its feedback, its report."""

from __future__ import annotations

import hashlib
from statistics import fmean
from typing import TYPE_CHECKING, Any

from pytest_genaiver.cases import mean_scores
from pytest_genaiver.core.failures import is_provider_failure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pytest

    from pytest_genaiver.cases import Score
    from pytest_genaiver.core.records import Outcome, PlannedCase, RepeatRecord


def outcome_of(report: pytest.TestReport, call: pytest.CallInfo[None], before: Outcome | None) -> Outcome | None:
    """The outcome of an execution, from each of its reports in turn."""
    if report.when in {"teardown", "setup"}:
        if report.failed:
            return "error"
        return "skipped" if report.skipped else before
    if hasattr(report, "wasxfail"):
        return "passed" if report.passed else "failed"
    if report.passed or "[XPASS(strict)]" in str(report.longrepr):
        # Each failed subtest has a report of its own, before that of its test, which passes.
        return before if before in ("failed", "provider") else "passed"
    if report.skipped:
        return "skipped"
    return "provider" if is_provider_failure(call.excinfo.value if call.excinfo else None) else "failed"


def scores_of(given: Sequence[Score], outcome: Outcome, measured: Mapping[str, float]) -> dict[str, float | None]:
    """Metric -> value of one execution. A provider's failure leaves everything missing: it is never quality 0."""
    own = mean_scores(given)
    if outcome == "provider":
        return dict.fromkeys((*own, "passed"))
    if outcome == "skipped":
        return {}
    passed = {"passed": 1.0, "failed": 0.0}.get(outcome)
    return {"passed": passed, **own, **measured}


def feedback_for(scores: Sequence[Score], passed: float | None, why: str | None = None) -> list[Any]:
    """The scores of one execution as MLflow feedback; `why` is the rationale of `passed`."""
    from pytest_genaiver.adapters.traces.feedback import feedback_of

    given = [feedback_of(s.name, s.given, s.rationale) for s in scores]
    return given if passed is None else [feedback_of("passed", bool(passed), why), *given]


def request_id(case: PlannedCase, repeat: int) -> str:
    """Pairs repeat j of a case in one version with repeat j in another, in MLflow's own comparison."""
    return hashlib.sha256(f"{case.id}\0{case.digest}\0{repeat}".encode()).hexdigest()[:32]


def with_own_output(report: pytest.TestReport, seen: int, printed: Sequence[str]) -> int:
    """Leave the output of this execution in its report, with what its target `printed`; how much the item has by now.

    pytest keeps one list of captured output for all executions of an item: `seen` are those of earlier ones.
    """
    shown = len(report.sections)
    report.sections = report.sections[seen:]
    if report.when == "call" and printed:
        report.sections.append(("Captured output of the target", "".join(printed)))
    return shown


def score_properties(records: Sequence[RepeatRecord]) -> list[tuple[str, object]]:
    """The scores of an item as properties in JUnit XML: means over its repeats, of what is known by now."""
    known: dict[str, list[float]] = {}
    for record in records:
        for metric, value in record.scores.items():
            if value is not None:
                known.setdefault(metric, []).append(value)
    return [(f"genai_score:{metric}", f"{fmean(values):.6g}") for metric, values in known.items()]


def as_failed(report: pytest.TestReport, failed: Mapping[int, pytest.TestReport], repeats: int) -> pytest.TestReport:
    """The report of the last repeat, failing as the first failed one did: an item fails once."""
    if repeats > 1:
        first = failed[min(failed)]
        which = ", ".join(str(repeat + 1) for repeat in sorted(failed))
        report.outcome, report.longrepr = "failed", first.longrepr
        report.sections = [*first.sections, ("genaiver", f"repeat {which} of {repeats} failed")]
    return report
