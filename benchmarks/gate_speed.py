"""How long one decision takes and how much memory: 5 metrics, 5 values a case on both sides.

Aim: 1,000 cases under 1 s and 200 MB more, 10,000 cases under 10 s, on one core.
"""

from __future__ import annotations

import resource
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_genaiver.core.gate import decide
from pytest_genaiver.core.policy import MetricPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

Values = dict[str, dict[str, list[float]]]


def values(cases: int, seed: int) -> Values:
    rng = np.random.default_rng(seed)
    draws: dict[str, Callable[[], Any]] = {
        "passed": lambda: (rng.random(5) < 0.9).astype(float),
        "tone": lambda: rng.integers(1, 6, 5).astype(float),
        "score": lambda: rng.random(5),
        "latency": lambda: rng.lognormal(0, 0.3, 5),
        "cost": lambda: rng.lognormal(-8, 0.2, 5),
    }
    return {m: {f"case{i}": draw().tolist() for i in range(cases)} for m, draw in draws.items()}


def main() -> None:
    policies = {m: MetricPolicy(m) for m in ("passed", "tone", "score", "latency", "cost")}
    print("| cases | CPU | memory more |\n|---|---|---|")
    for cases in (100, 1_000, 10_000):
        baseline, current = values(cases, 1), values(cases, 2)
        before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
        decide(baseline, current, policies, repeats=(5, 5))
        more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        print(f"| {cases:,} | {time.process_time() - start:.2f} s | {more / 1024:.0f} MB |")


if __name__ == "__main__":
    main()
