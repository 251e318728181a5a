"""How surely, and after how many runs, a planted regression is found: `python -m benchmarks.bisection`.

The search is the real one; what a run of a commit would measure is drawn: each case passes with its commit's rate.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from math import ceil, log2
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from pytest_genaiver.core.bisection import Search, Terms
from pytest_genaiver.core.contrast import Evidence
from pytest_genaiver.core.policy import MetricPolicy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_genaiver.core.bisection import Advice
    from pytest_genaiver.core.sample import Floats

COMMITS = 64
MOST_LOOKS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Cases whose rate falls from `good` to `bad` at one commit of 64; `recorded`: the share of commits that some
    session ran before, once a case, for nothing; `spread`: the weight of the Beta distribution of the cases' rates,
    None for the same in all.
    """

    name: str
    cases: int = 40
    good: float = 0.9
    bad: float = 0.6
    recorded: float = 0.0
    ends_recorded: bool = False
    spread: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """`runs` and `calls` are of commits between, `at_ends` those that GOOD and BAD took."""

    right: bool
    advice: Advice
    runs: int
    calls: int
    at_ends: int


SETTINGS = (
    Setting(name="40 cases, .9 -> .6"),
    Setting(name="40 cases, .9 -> .6, GOOD and BAD recorded", ends_recorded=True),
    Setting(name="40 cases, .9 -> .6, a quarter of the commits recorded", recorded=0.25, ends_recorded=True),
    Setting(name="20 cases, .9 -> .6", cases=20),
    Setting(name="40 cases that differ, .9 -> .6 in the mean", spread=3.0),
    Setting(name="10 cases, .9 -> .6", cases=10),
    Setting(name="40 cases, .9 -> .75", bad=0.75),
)


class Simulated:
    """The commits of one trial: commit 0 is GOOD, commit 64 BAD, commit `first_bad` the one that broke it."""

    def __init__(self, setting: Setting, seed: int, trial: int) -> None:
        self.setting = setting
        self.random = np.random.default_rng([seed, trial, *setting.name.encode()])
        self.first_bad = int(self.random.integers(1, COMMITS + 1))
        self.values: dict[int, list[list[float]]] = {}
        quantiles = self.random.random(setting.cases)
        self.rates = {bad: self._rates(setting.bad if bad else setting.good, quantiles) for bad in (False, True)}

    def _rates(self, mean: float, quantiles: Floats) -> Floats:
        if self.setting.spread is None:
            return np.full(self.setting.cases, mean)
        drawn = self.random.beta(mean * self.setting.spread, (1 - mean) * self.setting.spread, 100_000)
        rates: Floats = np.quantile(drawn, quantiles)
        return rates

    def run(self, commit: int, repeats: int) -> None:
        rates = self.rates[commit >= self.first_bad]
        drawn = (self.random.random((repeats, self.setting.cases)) < rates).astype(float)
        held = self.values.setdefault(commit, [[] for _ in range(self.setting.cases)])
        for values, new in zip(held, drawn.T.tolist(), strict=True):
            values.extend(new)

    def evidence(self) -> dict[str, Evidence]:
        return {
            str(commit): Evidence(
                values={f"q{i}": values for i, values in enumerate(held)},
                sessions={f"q{i}": ["s"] * len(values) for i, values in enumerate(held)},
            )
            for commit, held in self.values.items()
        }


def trial_of(setting: Setting, seed: int, trial: int, terms: Terms) -> Trial:
    """One search, from nothing (or what is recorded) to its answer."""
    world = Simulated(setting, seed, trial)
    for commit in range(1, COMMITS):
        if world.random.random() < setting.recorded:
            world.run(commit, 1)
    if setting.ends_recorded:
        world.run(0, terms.ends)
        world.run(COMMITS, terms.ends)
    search = Search([str(c) for c in range(COMMITS + 1)], terms)
    runs = calls = at_ends = 0
    for _ in range(MOST_LOOKS):
        advice = search.advise(world.evidence())
        if advice.ask is None:
            break
        commit, repeats = int(advice.ask.commit), advice.ask.repeats
        world.run(commit, repeats)
        calls += repeats * setting.cases
        if commit in (0, COMMITS):
            at_ends += 1
        else:
            runs += 1
    right = advice.outcome == "found" and advice.suspects == (str(world.first_bad),)
    return Trial(right=right, advice=advice, runs=runs, calls=calls, at_ends=at_ends)


def measure(setting: Setting, *, trials: int, seed: int = 1, terms: Terms | None = None) -> list[Trial]:
    terms = terms or Terms(policy=MetricPolicy("passed"))
    return [trial_of(setting, seed, trial, terms) for trial in range(trials)]


def row(setting: Setting, trials: Sequence[Trial]) -> str:
    found = sum(t.right for t in trials)
    wrong = sum(t.advice.outcome == "found" and not t.right for t in trials)
    ranges = [t for t in trials if t.advice.outcome == "range"]
    least = ceil(log2(COMMITS))
    return (
        f"| {setting.name} | {found} of {len(trials)} | {wrong} | {len(ranges)} "
        f"| {fmean(t.runs for t in trials):.1f} ({least}) | {max(t.runs for t in trials)} "
        f"| {fmean(t.at_ends for t in trials):.1f} | {fmean(t.calls for t in trials):.0f} |"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bisection", description=__doc__)
    parser.add_argument("--trials", type=int, default=100, help="Searches for each setting (default 100)")
    parser.add_argument("--seed", type=int, default=1, help="The same seed gives the same figures (default 1)")
    options = parser.parse_args(arguments)
    print(
        "| setting | found | another named | a range | runs of commits, mean (log2 64) | most | runs of GOOD and BAD "
        "| calls, mean |\n|---|---|---|---|---|---|---|---|"
    )
    for setting in SETTINGS:
        print(row(setting, measure(setting, trials=options.trials, seed=options.seed)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
