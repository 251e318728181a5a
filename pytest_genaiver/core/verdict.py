"""From one metric's tests to its verdict: the first condition that holds, with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_genaiver.core import words
from pytest_genaiver.core.assess import ROUNDING, case_finding, raw_means, worst_cases
from pytest_genaiver.core.decision import MetricDecision
from pytest_genaiver.core.latency import is_advisory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_genaiver.core.assess import Assessed
    from pytest_genaiver.core.decision import Verdict
    from pytest_genaiver.core.sample import Metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """What p-values are held against: this look's and the last look's level over all `metrics` that can fail.

    `holm` and `rejected` are Holm's shares and rejections at this look.
    """

    look: float
    last: float
    metrics: int
    holm: Mapping[str, float]
    rejected: set[str]

    def of(self, found: Assessed) -> float:
        """This metric's level: Holm's share, or the whole where it is tested alone."""
        return self.holm.get(found.name, self.look)

    def single(self, found: Assessed) -> float:
        """The level of one of several tests that are not stepped down."""
        return self.look / self.metrics if found.in_holm else self.look

    def last_single(self, found: Assessed) -> float:
        return self.last / self.metrics if found.in_holm else self.last

    def rejects(self, found: Assessed) -> bool:
        if found.in_holm:
            return found.name in self.rejected
        return found.test is not None and found.test.p <= self.look


def judge(found: Assessed, levels: Levels) -> MetricDecision:
    """The metric's decision at this look."""
    metric, test = found.metric, found.test
    advisory = is_advisory(metric) and not metric.new
    verdict, reason = _verdict(found, levels)
    if advisory and found.limits.state != "broken" and verdict in ("regressed", "improved"):
        verdict, reason = "inconclusive", words.advisory(found)
    before, now = raw_means(found)
    return MetricDecision(
        name=found.name,
        kind=metric.kind,
        direction=metric.direction,
        gate=metric.policy.gate,
        verdict=verdict,
        baseline=before,
        current=now,
        drop=test.drop if test else None,
        upper=test.upper if test else None,
        p=None if metric.new else test.p if test else 1.0,
        p_improved=test.p_improved if test else None,
        level=None if metric.new else levels.of(found),
        cases=len(found.pairs.rows),
        values_missing=found.values_missing,
        cases_missing=0 if metric.new else found.cases_missing,
        new=metric.new,
        advisory=advisory,
        tolerance=metric.tolerance,
        broken=tuple(case_finding(found, row, p=p, retried=True) for row, p in found.per_case.broken.items()),
        suspect=tuple(case_finding(found, row, p=p, retried=True) for row, p in found.per_case.suspect.items()),
        worst=worst_cases(found),
        reason=reason,
    )


def untested(metric: Metric, reason: str) -> MetricDecision:
    """A metric's provisional decision before the first look."""
    return MetricDecision(
        name=metric.policy.name,
        kind=metric.kind,
        direction=metric.direction,
        gate=metric.policy.gate,
        verdict="inconclusive",
        new=metric.new,
        tolerance=metric.tolerance,
        reason=reason,
    )


def _verdict(found: Assessed, levels: Levels) -> tuple[Verdict, str]:
    if found.limits.state == "broken":
        return "regressed", words.limits_broken(found)
    if found.per_case.broken:
        return "regressed", words.cases_broke(found)
    return _new_verdict(found) if found.metric.new else _tested_verdict(found, levels)


def _new_verdict(found: Assessed) -> tuple[Verdict, str]:
    if found.limits.state == "unknown":
        return "inconclusive", words.limits_unknown(found)
    return "pass", "new: the baseline holds no value of it"


def _tested_verdict(found: Assessed, levels: Levels) -> tuple[Verdict, str]:
    test = found.test
    why_not = _undecidable(found, levels)
    if test is None or why_not:
        return "inconclusive", why_not
    rejected = levels.rejects(found)
    if rejected and found.dropped:
        return "regressed", words.regressed(found, test.p, levels.of(found))
    if found.limits.state == "unknown":
        return "inconclusive", words.limits_unknown(found)
    if _improved(found, levels):
        return "improved", words.improved(found, test.p_improved or 0.0)
    if found.could_hide_too_much:
        return "inconclusive", words.hides_too_much(found)
    return "pass", words.passed(found, rejected, levels.of(found))


def _undecidable(found: Assessed, levels: Levels) -> str:
    """Why these values cannot show a regression, however bad; empty where they can."""
    if found.test is None or found.too_much_missing:
        return words.values_missing(found)
    if found.functions is not None:
        return words.too_few_functions(found)
    if found.last_floor > levels.last_single(found):
        return words.too_few_values(found, levels.last_single(found))
    return ""


def _improved(found: Assessed, levels: Levels) -> bool:
    test = found.test
    if test is None or test.p_improved is None:
        return False
    return test.p_improved <= levels.single(found) and test.drop < -found.metric.tolerance - ROUNDING
