"""A suite whose quality is stated by `assert`, with nothing changed: `python -m benchmarks.gate.soft`.

Every case passes at the same rate, now as in the baseline. With hard assertions one miss fails the session; soft, it
is evidence for the gate, which runs cases again until it is sure.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

import numpy as np

from .rules import gate
from .scenarios import CALLS, Draw, Model, Scenario

CASES, RATE, TRIALS, SEED = 50, 0.96, 200, 1
SESSIONS = (1, 2, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Shares of unchanged sessions that fail, and calls a case that the gate took; `sessions` are the baseline's."""

    sessions: int
    hard: float
    soft: float
    calls: float


def measure(sessions: int, *, trials: int = TRIALS, seed: int = SEED) -> Failed:
    """The same trials under hard and under soft assertions."""
    scenario = Scenario(
        name="soft", cases=CASES, models=(Model(name="passed", kind="binary", level=RATE),), sessions=sessions
    )
    hard = soft = calls = 0.0
    for trial in range(trials):
        rng = np.random.default_rng([seed, sessions, trial])
        before, now = ((rng.random((CASES, n)) < RATE).astype(float) for n in (sessions, CALLS))
        drawn = Draw(baseline={"passed": before}, current={"passed": now}, sessions=tuple(range(sessions)))
        outcome = gate(scenario, drawn)
        hard += bool((now[:, 0] == 0).any())
        soft += outcome.regressed
        calls += outcome.calls
    return Failed(sessions=sessions, hard=hard / trials, soft=soft / trials, calls=calls / trials)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=TRIALS)
    trials = parser.parse_args(arguments).trials
    print(f"{CASES} cases that pass at {RATE:g}, nothing changed, {trials} sessions\n")
    print("| sessions of the baseline | fail, hard | fail, soft | calls a case |\n|---|---|---|---|")
    found = [measure(sessions, trials=trials) for sessions in SESSIONS]
    for one in found:
        print(f"| {one.sessions} | {one.hard:.1%} | {one.soft:.1%} | {one.calls:.2f} |")
    return 0 if all(one.soft <= 0.05 for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
