"""The session's use of the gate: what it is asked, what the session is held to, and whether that fails it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pytest_genaiver.core.aggregates import asks_baseline, decide_aggregates
from pytest_genaiver.core.bar import loosened
from pytest_genaiver.core.gate import decide
from pytest_genaiver.core.latency import INTERLEAVED
from pytest_genaiver.core.policy import DEFAULT_TOLERANCE, Kind, MetricPolicy, policy_for
from pytest_genaiver.core.pooling import NEWEST
from pytest_genaiver.core.visible import sharper
from pytest_genaiver.options.settings import SessionGate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_genaiver.core.aggregates import Aggregate, Aggregated
    from pytest_genaiver.core.compare import Comparison
    from pytest_genaiver.core.decision import Decision
    from pytest_genaiver.core.records import Plan
    from pytest_genaiver.core.results import VersionResults
    from pytest_genaiver.options.settings import Settings

MORE_SESSIONS = 4

ACCEPT = "GenAI-Accept"
"""The commit trailer that accepts an intended regression: `GenAI-Accept: METRIC reason`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """`declared` are the metrics' policies, `accepted` maps a metric whose regression is accepted to the reason.

    `aggregates` maps names to functions of all scored cases.
    """

    settings: Settings
    declared: Sequence[MetricPolicy]
    plan: Plan
    accepted: Mapping[str, str] = field(default_factory=dict)
    aggregates: Mapping[str, Aggregate] = field(default_factory=dict)

    def ask(self, comparison: Comparison) -> Decision:
        """The gate's answer to what is there so far; provisional while it wants more."""
        return self._ask(comparison, final=False)

    def settle(self, comparison: Comparison, asked: Decision) -> Decision:
        """The last answer: what the gate still wanted when `asked` it cannot have (a session that was cut short)."""
        return self._ask(comparison, final=True) if asked.more else asked

    def _ask(self, comparison: Comparison, *, final: bool) -> Decision:
        before, now = comparison.baseline_values(), comparison.current_values()
        return decide(
            before,
            now,
            {m: self._policy(m) for m in {**before, **now}},
            alpha=self.settings.alpha - self._share(before, now) * len(self._tested()),
            repeats=self.settings.repeats,
            baseline_sessions=comparison.baseline_sessions(),
            final=final,
            own_repeats={name: c.repeats for name, c in self.plan.cases.items() if c.repeats is not None},
            inference=self.settings.inference,
        )

    def beside(self, comparison: Comparison) -> Decision:
        """What two versions of one session show, each case with what it has: nothing more is asked for."""
        before, now = comparison.baseline_values(), comparison.current_values()
        both = [m for m in now if _known(before.get(m, {})) & _known(now[m])]
        together = {m: {case: [INTERLEAVED] * len(vs) for case, vs in before[m].items()} for m in both}
        repeats = max(comparison.current.session.repeats, 1)
        return decide(
            {m: before[m] for m in both},
            {m: now[m] for m in both},
            {m: replace(self._policy(m), min=None, max=None) for m in both},
            alpha=self.settings.alpha,
            repeats=(repeats, repeats),
            baseline_sessions=together,
            final=True,
        )

    def tracked(self, comparison: Comparison) -> Decision | None:
        """What the cases that only warn show, at an alpha of their own: nothing is asked for, nothing is gated.

        None where there is no such case.
        """
        now = comparison.current_values(("warn",))
        if not now:
            return None
        before = {
            metric: {case: values for case, values in found.items() if case in now[metric]}
            for metric, found in comparison.baseline_values(("warn",)).items()
            if metric in now
        }
        repeats = max(comparison.current.session.repeats, 1)
        return decide(
            {metric: found for metric, found in before.items() if _known(found)},
            now,
            {metric: self._policy(metric) for metric in now},
            alpha=self.settings.alpha,
            repeats=(repeats, repeats),
            baseline_sessions=comparison.baseline_sessions(("warn",)),
            final=True,
        )

    def with_aggregates(self, comparison: Comparison, decision: Decision) -> Aggregated:
        """The decision with the aggregates in it."""
        share = self._share(comparison.baseline_values(), comparison.current_values())
        policies = {name: self._policy(name) for name in self.aggregates}
        found = decide_aggregates(decision, comparison, self.aggregates, policies, level=share)
        found.decision = replace(found.decision, alpha=self.settings.alpha)
        return found

    def _share(self, *values: Iterable[str]) -> float:
        """The part of alpha that one aggregate's test has, if each metric that can fail has as much."""
        gated = sum(self._policy(metric).gate == "fail" for metric in {m for side in values for m in side})
        return self.settings.alpha / (max(1, gated) + len(self._tested()))

    def _tested(self) -> list[str]:
        """The aggregates that can fail by a test against the baseline."""
        policies = {name: self._policy(name) for name in self.aggregates}
        return [name for name, policy in policies.items() if policy.gate == "fail" and asks_baseline(policy)]

    def _policy(self, metric: str) -> MetricPolicy:
        policy = policy_for(metric, self.declared)
        return replace(policy, gate="warn") if metric in self.accepted and policy.gate == "fail" else policy

    def record(self, results: VersionResults, decision: Decision) -> None:
        """Write into the results what they were held to, and what was found.

        What joins the baseline's pool is the balanced prefix: retries of failed cases would bias it.
        """
        found = decision.metrics
        moved = tuple(m.name for m in found.values() if m.verdict in ("regressed", "improved"))
        results.policy = [_as_used(p, found[p.name].kind) if p.name in found else p for p in results.policy]
        results.session = replace(
            results.session,
            repeats=decision.look or results.session.repeats,
            verdict=decision.verdict,
            moved=moved,
            accepted=tuple(self.accepted),
            alpha=decision.alpha,
            gate=self.settings.gate.value,
            inference=self.settings.inference,
        )

    def lowered(self, comparison: Comparison) -> list[str]:
        """In what this session asks less than its baseline did."""
        if comparison.baseline is None:
            return []
        results = comparison.current
        warned = [
            name
            for name, old in comparison.pairs.items()
            if results.cases[name].gate != "fail" and comparison.baseline.cases[old].gate == "fail"
        ]
        return loosened(
            comparison.baseline,
            results.policy,
            results.session,
            removed=comparison.removed,
            warned=warned,
            unlike=comparison.unlike,
        )

    def strictly(self, decision: Decision, lowered: Sequence[str]) -> Decision:
        """Under the strict gate a lower bar proves nothing."""
        mild = decision.verdict in ("pass", "improved")
        if self.settings.gate is SessionGate.STRICT and lowered and mild:
            reason = f"the bar is lower than the baseline's: {'; '.join(lowered)}"
            return replace(decision, verdict="inconclusive", reason=reason)
        return decision


def _known(values: Mapping[str, Sequence[float | None]]) -> set[str]:
    """The cases that hold a value."""
    return {case for case, found in values.items() if any(v is not None for v in found)}


def with_lower(declared: Sequence[MetricPolicy], lower: Sequence[str]) -> tuple[MetricPolicy, ...]:
    """And the metrics that their scorers say are better when lower, where no line of the user's declares them."""
    new = [MetricPolicy(m, direction="lower") for m in lower if not any(fnmatchcase(m, p.name) for p in declared)]
    return (*declared, *new)


def _as_used(policy: MetricPolicy, kind: Kind) -> MetricPolicy:
    """With the kind that was found and its tolerance, so that a later session can tell whether they changed."""
    tolerance = DEFAULT_TOLERANCE[kind] if policy.tolerance is None else policy.tolerance
    return replace(policy, kind=kind, tolerance=tolerance)


def read_accepted(trailers: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The values of the trailers as metric -> reason, and what is wrong with those that do not count."""
    accepted: dict[str, str] = {}
    wrong: list[str] = []
    for value in trailers:
        metric, _, reason = value.partition(" ")
        if reason.strip():
            accepted[metric.rstrip(":")] = reason.strip()
        else:
            wrong.append(f"{ACCEPT}: {value!r} names no reason and does not count; write '{ACCEPT}: METRIC reason'")
    return accepted, wrong


def look_line(decision: Decision) -> str:
    """Says what is run again and why."""
    cases = f"{len(decision.more)} case{'' if len(decision.more) == 1 else 's'}"
    if decision.next_look is None:
        return f"genaiver: again: {cases}, because {decision.why_more}"
    number, of = decision.looks.index(decision.next_look) + 1, len(decision.looks)
    return f"genaiver: look {number} of {of}: {cases}, because {decision.why_more}"


def denied(asked: Decision) -> str | None:
    """Which calls the gate wanted and could not have; None where it had them all."""
    calls, cases = sum(asked.more.values()), len(asked.more)
    if not calls:
        return None
    wanted = f"{calls} more call{'' if calls == 1 else 's'} of {cases} case{'' if cases == 1 else 's'}"
    return f"the gate wanted {wanted}, because {asked.why_more}: it decided on what there was"


def evaluated(results: VersionResults) -> int:
    """Cases with at least one value."""
    return sum(any(v is not None for vs in c.scores.values() for v in vs) for c in results.cases.values())


def failure(decision: Decision | None, settings: Settings, found: int) -> str | None:
    """Why the session fails, in one line; None where it does not."""
    if settings.gate is SessionGate.OFF:
        return None
    if found < settings.min_cases:
        return f"genaiver: {found} evaluated cases, --genai-min-cases wants {settings.min_cases}"
    if decision is None or settings.gate is SessionGate.WARN:
        return None
    bad = [m.name for m in decision.metrics.values() if m.verdict == decision.verdict and m.gate == "fail"]
    named = ", ".join(bad) or "the comparison"
    if decision.verdict == "regressed":
        return f"genaiver: {named} regressed"
    if decision.verdict == "inconclusive" and settings.gate is SessionGate.STRICT:
        return f"genaiver: {named} inconclusive, and the gate is strict"
    return None


def offer(results: VersionResults, earlier: int, settings: Settings) -> str | None:
    """What more sessions of this version would bring, as the baseline of later ones; None where that is unknown.

    `earlier` are the sessions of this version before this one.
    """
    gated = {m for m in results.metric_names() if policy_for(m, results.policy).gate == "fail"}
    scores = {m: [c.scores[m] for c in results.cases.values() if m in c.scores] for m in gated}
    held = (earlier + 1) * max(results.session.repeats, 1)
    found = sharper(scores, held=held, more=MORE_SESSIONS, most=settings.repeats[1], alpha=settings.alpha)
    if found is None or held >= NEWEST:
        return None
    metric, now, later = found
    return (
        f"{MORE_SESSIONS} more sessions (`pytest --genai-version`) bring the smallest visible drop of {metric} "
        f"from {now:.2f} to {later:.2f}"
    )


def judged_before(verdicts: Sequence[str], now: str | None) -> tuple[str | None, str | None]:
    """What to tell of earlier sessions of this version (oldest first), and a warning where luck is at work.

    Running CI again until it is green spends the chance of a false alarm anew each time.
    """
    if not verdicts:
        return None, None
    fact = f"judged before: {', '.join(verdicts)}"
    if now == "pass" and "regressed" in verdicts:
        return fact, "this version was found regressed before: a pass after it may be luck, not a mended version"
    return fact, None
