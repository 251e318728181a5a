"""The search itself: what is recorded is looked up, the search is asked what to run, it is run, and so on."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_genaiver.bisecting import metric as metrics
from pytest_genaiver.core.bisection import Advice, Ask, Search, Terms, steps
from pytest_genaiver.core.contrast import repeats_of_both
from pytest_genaiver.core.policy import MetricPolicy
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_genaiver.bisecting.evidence import Known
    from pytest_genaiver.bisecting.running import Ran
    from pytest_genaiver.bisecting.state import State
    from pytest_genaiver.core.contrast import Evidence

# Asked of GOOD and BAD as long as it is not known which metrics there are.
ANY = MetricPolicy("passed")
ENDS = 5
"""Values a case that GOOD and BAD should have, as of any baseline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one repeat of all cases takes; None where it is not known."""

    cases: int | None = None
    dollars: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a search has ahead: `runs` as a rule, `worst` at most, with `calls` and `dollars` as a rule."""

    commits: int
    recorded: int
    runs: int
    worst: int
    repeats: int
    calls: int | None
    dollars: float | None


@dataclass(slots=True, kw_only=True)
class Hunt:
    """A search over `commits`, oldest first, GOOD and BAD included.

    `run(commit, repeats)` records one session; `say` is told one line at a time.
    """

    commits: Sequence[str]
    known: Known
    state: State
    declared: Sequence[MetricPolicy]
    alpha: float
    most: int
    run: Callable[[str, int], Ran]
    say: Callable[[str], None]
    _searches: dict[str, Search] = field(default_factory=dict)

    def go(self) -> Advice:
        """Search until the answer is there. Raises ConfigError where GOOD or BAD cannot be run."""
        while (ask := (advice := self.advise()).ask) is not None:
            self._look(advice, ask)
        return advice

    def advise(self) -> Advice:
        """Where the search stands with what is recorded now."""
        search = self._search()
        return search.advise(self._evidence(search.terms.policy.name), self.state.skipped)

    def _search(self) -> Search:
        policy = self.policy() or ANY
        if policy.name not in self._searches:
            terms = Terms(policy=policy, alpha=self.alpha, most=self.most, ends=min(ENDS, self.most))
            self._searches[policy.name] = Search(self.commits, terms)
        return self._searches[policy.name]

    def needed(self, advice: Advice) -> int | None:
        """Repeats of GOOD and BAD that would tell a drop like the one seen from chance; None: there is none."""
        search = self._search()
        if advice.contrast is None:
            return None
        sides = search.repeats(advice.good), search.repeats(advice.bad)
        return repeats_of_both(advice.contrast, *sides, search.level)

    def policy(self) -> MetricPolicy | None:
        """Of the metric that the user named, else that changed most from GOOD to BAD; None: neither is recorded."""
        good, bad = self._ends()
        wanted = self.state.asked.metric
        if wanted is not None:
            return metrics.named(wanted, sorted({*good, *bad}), self.declared) if good or bad else None
        if not good or not bad:
            return None
        decision = metrics.gated(good, bad, self.declared, self.alpha)
        name = metrics.most_changed(decision)
        return metrics.named(name, [name], self.declared) if name else None

    def also(self, chosen: str) -> list[str]:
        """The other metrics that regressed from GOOD to BAD."""
        good, bad = self._ends()
        if not good or not bad:
            return []
        found = metrics.gated(good, bad, self.declared, self.alpha).metrics.values()
        return [m.name for m in found if m.verdict == "regressed" and m.name != chosen]

    def _ends(self) -> tuple[Mapping[str, Evidence], Mapping[str, Evidence]]:
        good, bad = self.commits[0], self.commits[-1]
        reference = bad if bad in self.known.commits else good
        return self.known.metrics(good, reference), self.known.metrics(bad, reference)

    def _evidence(self, metric: str) -> dict[str, Evidence]:
        reference = next((c for c in (self.commits[-1], self.commits[0]) if c in self.known.commits), None)
        return {} if reference is None else self.known.of(metric, reference, self.commits)

    def _look(self, advice: Advice, ask: Ask) -> None:
        """Run what is asked for; a commit that cannot run, or shows nothing, is skipped from now on."""
        had = self._values(ask.commit)
        self.say(_line(advice, ask))
        ran = self.run(ask.commit, ask.repeats)
        self.known.load([ask.commit])
        why = ran.why
        if why is None and self._values(ask.commit) <= had:
            why = "its session left no value of a case that BAD holds"
        if why is None:
            self.state.runs[ask.commit] = self.state.runs.get(ask.commit, 0) + 1
            self.state.save()
            return
        for line in ran.tail:
            self.say(f"    {line}")
        if ask.commit in (self.commits[0], self.commits[-1]):
            end = "GOOD" if ask.commit == self.commits[0] else "BAD"
            raise ConfigError(f"{end} {ask.commit[:8]} cannot be measured: {why}")
        self.say(f"  {ask.commit[:8]} is skipped: {why}")
        self.state.skipped[ask.commit] = why
        self.state.save()

    def _values(self, commit: str) -> int:
        """Values of the metric, else of any, that are recorded of a commit by the names of the search's cases."""
        policy = self.policy()
        found = self._evidence(policy.name if policy else ANY.name)
        return found[commit].size if commit in found else 0

    def outlook(self, cost: Cost) -> Outlook:
        """What lies ahead, nothing spent: a bisection's steps over what is left, and what GOOD and BAD lack."""
        advice = self.advise()
        ends = (self.commits[0], self.commits[-1])
        found = self._evidence((self.policy() or ANY).name)
        lacking = [max(0, min(ENDS, self.most) - (found[c].repeats if c in found else 0)) for c in ends]
        left = len(advice.suspects) or len(self.commits) - 1
        looks = 0 if advice.outcome in ("found", "same", "range") else steps(left)
        search = self._search()
        measured = advice.contrast is not None and advice.contrast.worse
        repeats = search.repeats_to_tell(advice.good, advice.bad) if measured else 1
        total = looks * repeats + sum(lacking)
        return Outlook(
            commits=len(self.commits) - 2,
            recorded=len(self.known.commits - {*ends}),
            runs=looks + sum(n > 0 for n in lacking),
            worst=looks * (1 + steps(math.ceil(self.most / repeats))) + 2 * math.ceil(self.most / ENDS),
            repeats=repeats,
            calls=None if cost.cases is None else total * cost.cases,
            dollars=None if cost.dollars is None else total * cost.dollars,
        )


def cost_of(known: Known, commits: Sequence[str]) -> Cost:
    """What one repeat of all cases took in the first of these commits that is recorded."""
    for commit in commits:
        newest = known.newest(commit)
        if newest is None:
            continue
        costs = [[v for v in case.scores.get("cost", ()) if v is not None] for case in newest.cases.values()]
        priced = all(costs) and bool(costs)
        dollars = sum(sum(values) / len(values) for values in costs) if priced else None
        return Cost(cases=len(newest.cases), dollars=dollars)
    return Cost()


def _line(advice: Advice, ask: Ask) -> str:
    again = f"{ask.repeats} repeat{'' if ask.repeats == 1 else 's'} of every case"
    if ask.commit in (advice.good, advice.bad) and not advice.suspects:
        return f"{'GOOD' if ask.commit == advice.good else 'BAD'} {ask.commit[:8]}: {again}"
    left = len(advice.suspects)
    return f"{ask.commit[:8]}: {again}; {left} suspect{'' if left == 1 else 's'} left"
