"""What a report shows, decided once; terminal, JSON and the other reports only draw it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pytest_genaiver.core import numbers
from pytest_genaiver.core.compare import compare, means
from pytest_genaiver.core.policy import LOG_KINDS, policy_for
from pytest_genaiver.core.pooling import BaselineFacts
from pytest_genaiver.core.sample import kind_of
from pytest_genaiver.report import certainty, wording
from pytest_genaiver.report.parts import Counts, Fact, Link, Mark, Row, Summary, Tier, Tone, Versus, WorstCase

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_genaiver.core.compare import Comparison
    from pytest_genaiver.core.decision import CaseFinding, Decision, MetricDecision
    from pytest_genaiver.core.results import VersionResults

__all__ = [
    "BaselineFacts",
    "Counts",
    "Fact",
    "Link",
    "Row",
    "Summary",
    "Tier",
    "WorstCase",
    "metric_verdict",
    "summarise",
    "tier",
    "versus",
    "with_tiers",
]


def summarise(
    results: VersionResults,
    comparison: Comparison,
    decision: Decision | None,
    *,
    baseline: BaselineFacts,
    counts: Counts,
    gate: str = "fail",
    warnings: Sequence[str] = (),
    links: Sequence[Link] = (),
) -> Summary:
    """Decide what is shown. `decision` is None where the gate is off; `gate` is the session's gate mode."""
    rows = _rows(comparison, decision)
    verdict = "off" if decision is None else decision.verdict
    headline, tone = wording.headline(decision, rows, baseline=baseline, counts=counts, gate=gate)
    return Summary(
        verdict=verdict,
        tone=tone,
        headline=headline,
        version=results.version.name,
        baseline=wording.baseline_line(baseline),
        about_baseline=wording.about_baseline(baseline),
        rows=rows,
        worst=tuple(_worst(results, decision)),
        facts=tuple(wording.facts(comparison, counts)),
        warnings=(*warnings, *wording.own_warnings(comparison, rows)),
        links=tuple(links),
        next_step=wording.next_step(results)
        if baseline.name is None
        else wording.surer(decision, comparison, baseline),
        sure=tuple(certainty.sentences(decision, comparison, baseline)),
    )


def versus(results: VersionResults, comparison: Comparison | None, decision: Decision | None) -> Versus:
    """Another version of the session beside its reference; `comparison` is None for the reference itself."""
    if comparison is None or comparison.baseline is None:
        return Versus(version=results.version.name, reference="", rows=_rows(compare(None, results), None))
    rows = tuple(_decided_row(metric) for metric in decision.metrics.values()) if decision else ()
    return Versus(version=results.version.name, reference=comparison.baseline.version.name, rows=rows)


def with_tiers(summary: Summary, tiers: Sequence[Tier]) -> Summary:
    """And the cases that are tracked; what they show is warned of, and changes no verdict."""
    return replace(summary, tiers=tuple(tiers), warnings=(*summary.warnings, *wording.tracked_warnings(tiers)))


def tier(gate: str, comparison: Comparison, decision: Decision | None) -> Tier:
    """The cases of one gate mode. `decision` is what was found beside the gate; None where nothing was tested."""
    names = [name for name, case in comparison.current.cases.items() if case.gate == gate]
    metrics = dict.fromkeys(m for name in names for m in comparison.current.cases[name].scores)
    decided = {} if decision is None else decision.metrics
    return Tier(
        gate=gate,
        title=wording.tracked_title(gate, len(names), sum(name in comparison.pairs for name in names)),
        rows=tuple(
            _tracked(_decided_row(decided[m]), gate) if m in decided else _shown_row(m, comparison, (gate,))
            for m in metrics
        ),
    )


def _tracked(row: Row, gate: str) -> Row:
    """A row of the gate's own metrics as one that fails nothing."""
    word = row.verdict if row.verdict in ("pass", "new", "not gated", "advisory") else f"{row.verdict} ({gate})"
    return replace(row, gated=False, verdict=word, tone="warn" if row.tone == "bad" else row.tone)


def _rows(comparison: Comparison, decision: Decision | None) -> tuple[Row, ...]:
    decided = {} if decision is None else decision.metrics
    gating = [case.scores for case in comparison.current.cases.values() if case.gate == "fail"]
    names = dict.fromkeys((*(metric for scores in gating for metric in scores), *decided))
    rank = {"fail": 0, "warn": 1, "off": 2}
    ordered = sorted(names, key=lambda name: rank[decided[name].gate] if name in decided else 2)
    return tuple(_decided_row(decided[name]) if name in decided else _shown_row(name, comparison) for name in ordered)


def _decided_row(metric: MetricDecision) -> Row:
    verdict, tone = metric_verdict(metric)
    return Row(
        metric=metric.name,
        baseline=numbers.value(metric.kind, metric.baseline),
        current=numbers.value(metric.kind, metric.current),
        change=numbers.change(metric.kind, metric.baseline, metric.current),
        hides=numbers.hides(metric.kind, None if metric.new else metric.upper),
        verdict=verdict,
        tone=tone,
        gated=metric.gate == "fail",
        reason=metric.reason,
    )


def metric_verdict(metric: MetricDecision) -> tuple[str, Tone]:
    """The verdict's word as a table shows it, and its tone."""
    if metric.verdict == "pass":
        if metric.gate == "off":
            return "not gated", "plain"
        return ("new" if metric.new else "advisory" if metric.advisory else "pass"), "plain"
    if metric.advisory and metric.verdict == "inconclusive":
        return "advisory", "warn"
    tones: dict[str, Tone] = {"regressed": "bad", "inconclusive": "warn", "improved": "good"}
    tone = tones[metric.verdict]
    if metric.gate == "fail":
        return metric.verdict, tone
    return f"{metric.verdict} ({metric.gate})", "warn" if tone == "bad" else tone


def _shown_row(name: str, comparison: Comparison, gates: Sequence[str] = ("fail",)) -> Row:
    sides = comparison.of_metric(name, gates)
    values = [value for side in sides for case in side.values() for value in case]
    kind = kind_of(policy_for(name, comparison.current.policy), np.array(values, dtype=np.float64))
    baseline, current = means(*sides, ratio=kind in LOG_KINDS)
    return Row(
        metric=name,
        baseline=numbers.value(kind, baseline),
        current=numbers.value(kind, current),
        change=numbers.change(kind, baseline, current),
        hides=numbers.NOTHING,
        verdict="not gated",
        tone="plain",
        gated=False,
        reason="",
    )


def _worst(results: VersionResults, decision: Decision | None) -> Iterator[WorstCase]:
    metrics = () if decision is None else tuple(decision.metrics.values())
    seen: set[tuple[str, str]] = set()
    for metric, finding, mark in _findings(metrics):
        if (finding.case, metric.name) in seen:
            continue
        seen.add((finding.case, metric.name))
        case = results.cases.get(finding.case)
        yield WorstCase(
            case=finding.case,
            metric=metric.name,
            baseline=numbers.value(metric.kind, finding.baseline),
            current=numbers.value(metric.kind, finding.current),
            n_baseline=finding.n_baseline,
            n_current=finding.n_current,
            mark=mark,
            location=case.location if case else None,
            traces=tuple(case.traces) if case else (),
            notes=tuple(case.notes) if case else (),
        )


def _findings(metrics: Sequence[MetricDecision]) -> Iterator[tuple[MetricDecision, CaseFinding, Mark]]:
    """Broken cases of any metric, then suspects, then the worst of metrics in doubt: the clearest first, those of
    metrics that can fail before others.
    """
    yield from ((metric, finding, "broken") for metric in metrics for finding in metric.broken)
    yield from ((metric, finding, "suspect") for metric in metrics for finding in metric.suspect)
    doubtful = [metric for metric in metrics if metric.verdict in ("regressed", "inconclusive")]
    worst = [(metric, finding) for metric in doubtful for finding in metric.worst]
    worst.sort(key=lambda pair: (pair[0].gate != "fail", -(pair[1].z or 0.0)))
    yield from ((metric, finding, "") for metric, finding in worst)
