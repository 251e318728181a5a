"""The gate: is this version worse than its baseline, and which repeats would tell.

Cases are compared with themselves; a metric fails only when its mean dropped by more than its tolerance and
beyond chance (a stratified permutation test, Holm over the metrics, alpha spent over a few looks), or when a case
that failed keeps failing. Everything here is a pure function of the values: same data, same verdict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_genaiver.core import words
from pytest_genaiver.core.assess import assess
from pytest_genaiver.core.decision import Decision
from pytest_genaiver.core.inputs import build_metrics
from pytest_genaiver.core.latency import is_advisory
from pytest_genaiver.core.looks import holm, make_plan
from pytest_genaiver.core.percase import CaseTest, case_test
from pytest_genaiver.core.progress import NOTHING, Progress
from pytest_genaiver.core.verdict import Levels, judge, untested

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_genaiver.core.assess import Assessed
    from pytest_genaiver.core.decision import MetricDecision, Verdict
    from pytest_genaiver.core.inputs import Labels
    from pytest_genaiver.core.looks import Plan
    from pytest_genaiver.core.policy import MetricPolicy
    from pytest_genaiver.core.sample import Metric, Scores

SEVERITY: tuple[Verdict, ...] = ("regressed", "inconclusive", "improved", "pass")


def decide(  # noqa: PLR0913 - the inputs of the decision, all but three by keyword
    baseline: Scores | None,
    current: Scores,
    policies: Mapping[str, MetricPolicy],
    *,
    alpha: float = 0.05,
    repeats: int | tuple[int, int] = (1, 5),
    baseline_sessions: Labels | None = None,
    final: bool = False,
    own_repeats: Mapping[str, int] | None = None,
    inference: str = "calls",
) -> Decision:
    """Compare `current` with `baseline` (metric -> case id -> values) under `policies` (metric -> policy).

    `current[m][c][j]` is repeat j, None where it is missing; the balanced first values of each case enter the mean
    tests, retries only the per-case test. Only cases known on both sides are compared. `repeats` is N (fixed) or
    (MIN, MAX); `own_repeats` names cases that run a number of times of their own and are never asked for more.
    `baseline_sessions` labels the session of each baseline value (`"interleaved"`: measured in this session);
    None: all of one session. `final`: no further repeats can be had. `inference`: `"calls"` asks whether this code
    changed on these cases, `"population"` tests over test functions. `alpha` is the chance that an unchanged session
    fails, over all metrics.

    While `Decision.more` is not empty the verdict is provisional: run those repeats, append their values, ask again.
    Raises `ConfigError` for an alpha, repeats or inference that cannot be used.
    """
    plan = make_plan(alpha, repeats, final=final, inference=inference)
    own = own_repeats or {}
    metrics = build_metrics(baseline or {}, current, policies, baseline_sessions)
    gated = [m for m in metrics if m.policy.gate == "fail" and not m.new and not is_advisory(m)]
    progress = Progress(metrics, gated, own, current)
    look = progress.look(plan)
    if look == 0:
        return _before_first_look(plan, metrics, progress)
    found = _assess_all(metrics, gated, look, plan, own)
    levels = _levels(found, look, plan)
    decisions = {f.name: judge(f, levels) for f in found}
    verdict, reason = _session(decisions, found, first=not baseline)
    wanted = NOTHING if final or verdict == "regressed" else progress.wanted(found, look, plan)
    return Decision(
        verdict=verdict,
        metrics=decisions,
        more=wanted.more,
        look=min(look, progress.longest),
        looks=plan.looks,
        alpha=plan.alpha,
        reason=reason,
        why_more=wanted.why,
        next_look=wanted.look,
    )


def _levels(found: Sequence[Assessed], look: int, plan: Plan) -> Levels:
    """Holm over the metrics that can fail; a metric without a common case takes its share with p = 1."""
    gated = [f for f in found if f.in_holm]
    per_case = not plan.fixed and any(f.metric.kind == "binary" for f in gated)
    level = plan.level(look, per_case)
    rejected, shares = holm({f.name: f.test.p if f.test else 1.0 for f in gated}, level)
    return Levels(
        look=level, last=plan.last_level(per_case), metrics=max(1, len(gated)), holm=shares, rejected=rejected
    )


def _assess_all(
    metrics: Sequence[Metric], gated: Sequence[Metric], look: int, plan: Plan, own: Mapping[str, int]
) -> list[Assessed]:
    names = {metric.policy.name for metric in gated}
    binary = sum(metric.kind == "binary" for metric in gated)
    found = []
    for metric in metrics:
        in_holm = metric.policy.name in names
        per_case = CaseTest()
        if in_holm and metric.kind == "binary" and not plan.fixed:
            per_case = case_test(metric, plan.per_case_alpha(binary), lambda case: case not in own)
        found.append(assess(metric, look, plan, own, in_holm=in_holm, per_case=per_case))
    return found


def _session(decisions: Mapping[str, MetricDecision], found: Sequence[Assessed], first: bool) -> tuple[Verdict, str]:
    """The most severe verdict of the metrics that can set it, and its reason.

    Warned metrics never do; an advisory one only by a `min` or `max`, which needs no baseline. Where there is no
    baseline at all, nothing but a broken `min` or `max` keeps the session from passing.
    """
    deciding = [
        decisions[f.name]
        for f in found
        if f.in_holm
        or (f.metric.policy.gate == "fail" and (f.metric.new or decisions[f.name].verdict == "regressed"))
    ]
    for verdict in SEVERITY[:1] if first else SEVERITY:
        such = [decision for decision in deciding if decision.verdict == verdict]
        if such:
            return verdict, words.session_reason(such, first)
    return "pass", words.session_reason([], first)


def _before_first_look(plan: Plan, metrics: Sequence[Metric], progress: Progress) -> Decision:
    why = f"at least {plan.looks[0]} repeats of every case are wanted"
    return Decision(
        verdict="inconclusive",
        metrics={m.policy.name: untested(m, why) for m in metrics},
        more=progress.up_to(plan.looks[0]),
        look=0,
        looks=plan.looks,
        alpha=plan.alpha,
        reason=why,
        why_more=why,
        next_look=plan.looks[0],
    )
