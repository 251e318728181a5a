"""The smallest drop found with a power of 80 %, by cases and repeats: `python -m benchmarks.gate.visible`."""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from .rules import gate
from .scenarios import LOG_KINDS, Model, Scenario, binary, draw, latency, likert, score, tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

POWER = 0.8
CASES = (10, 20, 50, 100, 200)
REPEATS = (1, 2, 5)
FIRST_GUESS_Z = 2.5
NOTHING_SMALLER = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A metric to be sized: `noise` of one value, for a first guess, and the largest `drop` that there can be."""

    label: str
    model: Model
    noise: float
    most: float


KINDS = (
    Kind(label="pass rate of .92", model=binary(), noise=0.14, most=0.92),
    Kind(label="Likert judge, 1 to 5, noise .7", model=likert(), noise=0.75, most=2.8),
    Kind(label="score, 0 to 1, noise .1", model=score(), noise=0.1, most=0.7),
    Kind(label="latency, noise 25 %", model=latency(), noise=0.35, most=9.0),
    Kind(label="latency, the same, drift of 10 %", model=latency(drift=0.1), noise=0.6, most=9.0),
    Kind(label="tokens, noise 15 %", model=tokens(), noise=0.15, most=9.0),
)


def smallest_drop(kind: Kind, cases: int, repeats: int, *, sessions: int, trials: int, seed: int) -> float:
    """The drop in every case that 80 % of sessions find; infinite where none is.

    Stochastic approximation (Robbins and Monro 1951) on the drop's log, one session a step: a drop that was found
    gets smaller, one that was missed grows, in the ratio that balances at 80 %. The mean of the second half counts.
    """
    drop = min(kind.most, FIRST_GUESS_Z * kind.noise * math.sqrt(1.2 / cases))
    visited = []
    for trial in range(trials):
        scenario = Scenario(
            name=f"{kind.label}, {cases}",
            cases=cases,
            models=(replace(kind.model, drop=drop),),
            sessions=sessions,
        )
        found = gate(scenario, draw(scenario, seed, trial), repeats=(1, repeats)).regressed
        drop = min(kind.most, drop * math.exp((POWER - found) * 2 / (trial / 4 + 3)))
        visited.append(math.log(drop))
    half = visited[trials // 2 :]
    answer = math.exp(sum(half) / len(half))
    return answer if answer < NOTHING_SMALLER * kind.most else math.inf


def table(kinds: Sequence[Kind], *, sessions: int, trials: int, seed: int) -> list[str]:
    """A Markdown table: a row for each kind and number of repeats, a column for each number of cases."""
    lines = [
        f"| metric | repeats | {' | '.join(f'{cases} cases' for cases in CASES)} |",
        "|---" * (2 + len(CASES)) + "|",
    ]
    for kind in kinds:
        for repeats in REPEATS:
            drops = [
                smallest_drop(kind, cases, repeats, sessions=sessions, trials=trials, seed=seed) for cases in CASES
            ]
            cells = " | ".join(_shown(kind, drop) for drop in drops)
            lines.append(f"| {kind.label} | {'1' if repeats == 1 else f'1:{repeats}'} | {cells} |")
    return lines


def _shown(kind: Kind, drop: float) -> str:
    if math.isinf(drop):
        return "none"
    if kind.model.kind in LOG_KINDS:
        return f"+{drop:.0%}"
    return f"{drop:.2f}" if drop >= 0.095 else f"{drop:.3f}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gate.visible", description=__doc__)
    parser.add_argument("--sessions", type=int, default=5, help="Values a case in the baseline (default 5)")
    parser.add_argument("--kind", default="*", help="Only metrics whose label matches this pattern")
    parser.add_argument("--trials", type=int, default=500, help="Sessions drawn for each cell (default 500)")
    parser.add_argument("--seed", type=int, default=1, help="The same seed gives the same figures (default 1)")
    options = parser.parse_args(arguments)
    kinds = [kind for kind in KINDS if fnmatchcase(kind.label, options.kind)]
    print("\n".join(table(kinds, sessions=options.sessions, trials=options.trials, seed=options.seed)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
