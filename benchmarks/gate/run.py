"""False alarms, power and price of the gate and of the usual rules: `python -m benchmarks.gate.run`."""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING

from .rules import RULES
from .scenarios import ALL, draw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .scenarios import Scenario

GATE = "this gate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """One rule on one scenario, over all trials: shares of sessions, and calls a case."""

    regressed: float
    inconclusive: float
    calls: float


Found = dict[str, dict[str, Rates]]


def measure(scenarios: Sequence[Scenario], rules: Sequence[str], *, trials: int, seed: int, jobs: int = 1) -> Found:
    """Scenario name -> rule -> rates. The same seed gives the same figures, whatever the number of jobs."""
    one = partial(measure_one, rules=rules, trials=trials, seed=seed)
    if jobs == 1:
        return {scenario.name: one(scenario) for scenario in scenarios}
    with ProcessPoolExecutor(jobs) as pool:
        return dict(zip([s.name for s in scenarios], pool.map(one, scenarios), strict=True))


def measure_one(scenario: Scenario, rules: Sequence[str], trials: int, seed: int) -> dict[str, Rates]:
    """Every rule on the same draws of one scenario."""
    draws = [draw(scenario, seed, trial) for trial in range(trials)]
    found = {}
    for rule in rules:
        outcomes = [RULES[rule](scenario, one) for one in draws]
        found[rule] = Rates(
            regressed=sum(o.regressed for o in outcomes) / trials,
            inconclusive=sum(o.inconclusive for o in outcomes) / trials,
            calls=sum(o.calls for o in outcomes) / trials,
        )
    return found


def summary(scenarios: Sequence[Scenario], found: Found) -> list[str]:
    """A Markdown table with a row a rule."""
    unchanged = [found[s.name] for s in scenarios if not s.changed]
    regressed = [found[s.name] for s in scenarios if s.changed]
    lines = [
        "| rule | false alarms, mean / worst scenario | regressions found, mean / worst scenario "
        "| calls a case, unchanged / regressed |",
        "|---|---|---|---|",
    ]
    for rule in next(iter(found.values())):
        alarms = _spread([rates[rule].regressed for rates in unchanged], max)
        power = _spread([rates[rule].regressed for rates in regressed], min)
        calls = " / ".join(_mean([rates[rule].calls for rates in side]) for side in (unchanged, regressed))
        name = f"**{rule}**" if rule == GATE else rule
        lines.append(f"| {name} | {alarms} | {power} | {calls} |")
    return lines


def by_scenario(scenarios: Sequence[Scenario], found: Found) -> list[str]:
    """Markdown tables with a row a scenario: the share of sessions that each rule fails."""
    rules = list(next(iter(found.values())))
    lines: list[str] = []
    for title, changed in (("Nothing changed: false alarms", False), ("Regressed: found", True)):
        chosen = [s for s in scenarios if s.changed == changed]
        if not chosen:
            continue
        extra = ["calls", "inconclusive"] if GATE in rules else []
        lines += [
            "",
            f"### {title}",
            "",
            f"| scenario | {' | '.join([*rules, *extra])} |",
            "|---" * (1 + len(rules) + len(extra)) + "|",
        ]
        for scenario in chosen:
            rates = found[scenario.name]
            cells = [f"{rates[rule].regressed:.3f}" for rule in rules]
            if extra:
                cells += [f"{rates[GATE].calls:.2f}", f"{rates[GATE].inconclusive:.3f}"]
            lines.append(f"| {scenario.name} | {' | '.join(cells)} |")
    return lines


def _mean(values: Sequence[float]) -> str:
    return f"{sum(values) / len(values):.2f}" if values else "-"


def _spread(values: Sequence[float], worst: Callable[[Iterable[float]], float]) -> str:
    return f"{sum(values) / len(values):.3f} / {worst(values):.3f}" if values else "-"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gate.run", description=__doc__)
    parser.add_argument("--trials", type=int, default=400, help="Sessions drawn for each scenario (default 400)")
    parser.add_argument("--scenario", default="*", help="Only scenarios whose name matches this pattern")
    parser.add_argument("--rules", default="*", help="Only rules whose name matches this pattern")
    parser.add_argument("--seed", type=int, default=1, help="The same seed gives the same figures (default 1)")
    parser.add_argument("--jobs", type=int, default=1, help="Processes to use (default 1)")
    options = parser.parse_args(arguments)
    scenarios = [s for s in ALL if fnmatchcase(s.name, options.scenario)]
    rules = [rule for rule in RULES if fnmatchcase(rule, options.rules)]
    if not scenarios or not rules or options.trials < 1:
        parser.error(f"nothing to do; scenarios: {[s.name for s in ALL]}; rules: {list(RULES)}")
    found = measure(scenarios, rules, trials=options.trials, seed=options.seed, jobs=options.jobs)
    steady = [scenario for scenario in scenarios if not scenario.drifts]
    lines = summary(scenarios, found)
    if steady and steady != scenarios:
        lines += ["", "### Without the scenarios whose latency drifts", "", *summary(steady, found)]
    print("\n".join([*lines, *by_scenario(scenarios, found)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
