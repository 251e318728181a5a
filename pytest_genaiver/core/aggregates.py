"""Aggregates: one number over all cases (F1, a compression ratio) that is no mean of what single cases scored.

Its noise is not that of a mean. `min` and `max` are held against a jackknife over cases. Where a line asks for a test
against the baseline, calls are relabelled inside each case, as for means, and the number is computed anew each time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_genaiver.core import numbers
from pytest_genaiver.core.calls import baseline_calls, current_calls
from pytest_genaiver.core.decision import Decision, MetricDecision
from pytest_genaiver.core.gate import SEVERITY
from pytest_genaiver.core.limits import CONFIDENCE, ROUNDING
from pytest_genaiver.core.permutation import EXACT_LIMIT, SEED, count_labelings
from pytest_genaiver.core.policy import DEFAULT_TOLERANCE, LOG_KINDS
from pytest_genaiver.core.results import CaseResult
from pytest_genaiver.core.student import t_quantile
from pytest_genaiver.core.words import p_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_genaiver.core.calls import Called
    from pytest_genaiver.core.compare import Comparison
    from pytest_genaiver.core.decision import Verdict
    from pytest_genaiver.core.policy import Kind, MetricPolicy

Aggregate = Callable[[list[CaseResult]], float]

DRAWS = 3_999
ENOUGH_HITS = 20
"""Relabelings at least as bad that end the drawing: p is their share by then (Besag and Clifford 1991)."""
MOST_RELABELED = 400_000
"""Cases relabeled in one test, where `LEAST_HITS` allows it: large suites draw less often, down to what p needs."""
LEAST_HITS = 4
MOST_GROUPS = 100
FLOOR = 1e-9


@dataclass(frozen=True, slots=True)
class Value:
    """What an aggregate is, or why that is unknown."""

    number: float | None = None
    trouble: str = ""


@dataclass(slots=True)
class Aggregated:
    """A decision that knows the aggregates; `troubles` says of each that failed why, in one line."""

    decision: Decision
    troubles: list[str] = field(default_factory=list)


def asks_baseline(policy: MetricPolicy) -> bool:
    """Whether a line asks that the aggregate be held against the baseline: it names a kind, a tolerance, or no limit.

    Latency never is: sessions differ in it as a whole, which relabelling calls cannot see.
    """
    if policy.gate == "off" or policy.kind == "latency":
        return False
    limited = policy.min is not None or policy.max is not None
    return policy.kind is not None or policy.tolerance is not None or not limited


def decide_aggregates(
    decision: Decision,
    comparison: Comparison,
    aggregates: Mapping[str, Aggregate],
    policies: Mapping[str, MetricPolicy],
    *,
    level: float,
) -> Aggregated:
    """Add the aggregates to what was decided; the session's verdict is the most severe of all that gate.

    `level`: of each gated aggregate's test. It is tested once, at a look that other metrics chose, so that its level
    is shared out among the looks. One with the name of a metric is not computed.
    """
    look = decision.look or comparison.current.session.repeats
    now, before = current_calls(comparison, look), baseline_calls(comparison)
    found = Aggregated(decision)
    metrics = dict(decision.metrics)
    for name, function in aggregates.items():
        if name in comparison.current.metric_names():
            found.troubles.append(f"aggregate {name!r} has the name of a metric that cases score: rename it")
            continue
        one = _One(function, policies[name], now, before)
        metrics[name] = one.decided(level / len(decision.looks))
        if one.everything.trouble:
            found.troubles.append(f"aggregate {name!r} is unknown: {one.everything.trouble}")
    gated = [
        metrics[n] for n in aggregates if n in metrics and n not in decision.metrics and metrics[n].gate == "fail"
    ]
    worst = min(gated, key=lambda m: SEVERITY.index(m.verdict), default=None)
    verdict, reason = decision.verdict, decision.reason
    if worst is not None and SEVERITY.index(worst.verdict) < SEVERITY.index(verdict):
        verdict, reason = worst.verdict, f"{worst.name}: {worst.reason}"
    found.decision = replace(decision, metrics=metrics, verdict=verdict, reason=reason)
    return found


def evaluate(function: Aggregate, cases: list[CaseResult]) -> Value:
    """Call the user's function; unknown where it raises, or returns what is no finite number."""
    if not cases:
        return Value(trouble="no case was scored")
    try:
        found: Any = function(cases)
        number = math.nan if isinstance(found, (str, bytes)) else float(found)
    except Exception as error:
        return Value(trouble=f"it raised {error!r}"[:200])
    return Value(number) if math.isfinite(number) else Value(trouble=f"it returned {found!r}"[:200])


class _One:
    """One aggregate. `shared` are the cases that both sides hold."""

    def __init__(
        self, function: Aggregate, policy: MetricPolicy, now: Mapping[str, Called], before: Mapping[str, Called]
    ) -> None:
        self.function, self.policy = function, policy
        self.kind: Kind = policy.kind or "score"
        self.direction = "lower" if self.kind in LOG_KINDS else policy.direction or "higher"
        self.tolerance = DEFAULT_TOLERANCE[self.kind] if policy.tolerance is None else policy.tolerance
        self.all = [called.scored() for called in now.values()]
        self.shared = [(before[name], now[name]) for name in now if name in before]
        self.everything = evaluate(function, self.all)
        self.before = evaluate(function, [b.scored() for b, _ in self.shared])
        current = evaluate(function, [n.scored() for _, n in self.shared])
        self.now = current if self.before.number is not None else self.everything

    def decided(self, level: float) -> MetricDecision:
        drop = self.drop(self.before.number, self.now.number)
        test = self.test(drop, level) if asks_baseline(self.policy) and drop is not None else None
        verdict, reason = self.verdict(drop, test, level)
        return MetricDecision(
            name=self.policy.name,
            kind=self.kind,
            direction="lower" if self.direction == "lower" else "higher",
            gate=self.policy.gate,
            verdict=verdict,
            baseline=self.before.number,
            current=self.now.number,
            drop=drop,
            p=test.p if test and not test.better else None,
            p_improved=test.p if test and test.better else None,
            level=level if test else None,
            cases=len(self.shared),
            new=self.before.number is None,
            tolerance=self.tolerance,
            reason=reason,
        )

    def drop(self, before: float | None, now: float | None) -> float | None:
        """The change for the worse: of logarithms for tokens and cost, else a difference."""
        if before is None or now is None:
            return None
        if self.kind in LOG_KINDS:
            return math.log(max(now, FLOOR)) - math.log(max(before, FLOOR))
        return before - now if self.direction == "higher" else now - before

    @property
    def margin(self) -> float:
        """What a change must exceed."""
        tolerance = math.log1p(self.tolerance) if self.kind in LOG_KINDS else self.tolerance
        return tolerance + ROUNDING

    def verdict(self, drop: float | None, test: _Test | None, level: float) -> tuple[Verdict, str]:
        limited = self.policy.min is not None or self.policy.max is not None
        if self.everything.number is None:
            unknown = f"unknown: {self.everything.trouble}"
            return ("inconclusive" if limited or asks_baseline(self.policy) else "pass"), unknown
        broken = self.limits() if limited else ""
        if broken is None:
            return "inconclusive", "min and max need at least 2 cases, and a value also where some are left out"
        if broken:
            return "regressed", broken
        if drop is None:
            return "pass", "new: the baseline holds no value of it"
        if test is None:
            return "pass", f"{self.moved()}; not held against the baseline"
        return self.tested(drop, test, level)

    def tested(self, drop: float, test: _Test, level: float) -> tuple[Verdict, str]:
        if test.floor > level:
            least = f"p cannot fall below {p_value(test.floor)}, and the level is {p_value(level)}"
            return "inconclusive", f"needs more repeats of both sides, or fewer gated metrics: {least}"
        cost = f"; {test.draws:,} draws" if test.draws else ""
        told = f"{self.moved()}, {{}} (p {p_value(test.p)} at level {p_value(level)}{cost})"
        if test.p <= level and drop > self.margin:
            return "regressed", told.format("beyond chance")
        if test.p <= level and drop < -self.margin:
            return "improved", told.format("better beyond chance")
        return "pass", told.format("not beyond chance and tolerance")

    def moved(self) -> str:
        return f"{numbers.value(self.kind, self.before.number)} -> {numbers.value(self.kind, self.now.number)}"

    def limits(self) -> str | None:
        """Which of `min` and `max` is broken beyond noise, in words; empty where they hold, None where unknown.

        Noise by the jackknife over cases, in at most 100 groups of them: the one-sided 95 % bound, as for means.
        """
        groups = min(len(self.all), MOST_GROUPS)
        without = [[c for i, c in enumerate(self.all) if i % groups != group] for group in range(groups)]
        found = [evaluate(self.function, cases).number for cases in without]
        known = [number for number in found if number is not None]
        if self.everything.number is None or groups < 2 or len(known) < groups:
            return None
        centre = math.fsum(known) / groups
        se = math.sqrt((groups - 1) / groups * math.fsum((number - centre) ** 2 for number in known))
        margin, value = t_quantile(CONFIDENCE, groups - 1) * se, self.everything.number
        for side, limit, sign in (("below min", self.policy.min, 1), ("above max", self.policy.max, -1)):
            if limit is not None and sign * (limit - value) - margin > ROUNDING * max(1.0, abs(limit)):
                shown, bar = numbers.value(self.kind, value), numbers.value(self.kind, limit)
                return f"{shown} is {side} {bar} by more than noise"
        return ""

    def test(self, drop: float, level: float) -> _Test:
        """Relabel the calls inside each case: how often is the change at least as large, in its own direction?

        What cannot be computed counts as at least as large. Cases whose calls are all alike carry no information.
        """
        moving = [place for place, (b, n) in enumerate(self.shared) if not _alike((*b.calls, *n.calls))]
        if not moving:
            return _Test(p=1.0, floor=0.0, better=drop < 0)
        counts = ((len(b.calls), len(n.calls)) for b, n in (self.shared[place] for place in moving))
        labelings, most = count_labelings(counts), draws(len(moving), level)
        floor = 1 / labelings if labelings <= EXACT_LIMIT else 1 / (most + 1)
        if floor > level:
            return _Test(p=1.0, floor=floor, better=drop < 0)
        return self.share(moving, drop, most, floor)

    def share(self, moving: Sequence[int], drop: float, most: int, floor: float) -> _Test:
        rng = np.random.default_rng(SEED)
        before = [b.scored() for b, _ in self.shared]
        now = [n.scored() for _, n in self.shared]
        hits = 0
        together = [(place, (*self.shared[place][0].calls, *self.shared[place][1].calls)) for place in moving]
        lengths = np.array([len(calls) for _, calls in together])
        beyond = np.arange(lengths.max()) >= lengths[:, None]
        for draw in range(1, most + 1):
            # Sorting random keys is a random order of each case's calls, for all cases at once.
            orders = np.where(beyond, 2.0, rng.random(beyond.shape)).argsort(axis=1).tolist()
            for (place, calls), row in zip(together, orders, strict=True):
                b, n = self.shared[place]
                order = row[: len(calls)]
                before[place] = b.scored([calls[i] for i in order[: len(b.calls)]])
                now[place] = n.scored([calls[i] for i in order[len(b.calls) :]])
            values = (evaluate(self.function, [*side]).number for side in (before, now))
            found = self.drop(*values)
            hits += found is None or math.copysign(1, drop) * (found - drop) >= -ROUNDING
            if hits == ENOUGH_HITS:
                return _Test(p=hits / draw, floor=floor, better=drop < 0, draws=draw)
        return _Test(p=(hits + 1) / (most + 1), floor=floor, better=drop < 0, draws=most)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Test:
    """`p` of a change for the better or the worse, from so many `draws`; `floor` is the least that p can be."""

    p: float
    floor: float
    better: bool
    draws: int = 0


def draws(moving: int, level: float) -> int:
    """How often the calls of so many cases are relabeled at most, which is what a test costs.

    Any number gives a valid p; it must be large enough for one that lies well below the level.
    """
    least = min(DRAWS, math.ceil(LEAST_HITS / level) - 1)
    return max(least, min(DRAWS, MOST_RELABELED // moving))


def _alike(calls: Iterable[Mapping[str, float | None]]) -> bool:
    first, *others = calls
    return all(other == first for other in others)
