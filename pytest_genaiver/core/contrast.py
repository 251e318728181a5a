"""How one metric of two commits differs, as the gate's own mean test sees it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import TYPE_CHECKING

from pytest_genaiver.core.gate import decide
from pytest_genaiver.core.permutation import NORMAL_95

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_genaiver.core.decision import MetricDecision
    from pytest_genaiver.core.policy import MetricPolicy

POWER = NormalDist().inv_cdf(0.9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of one metric of one commit: case -> values, and the session that each came from.

    Cases go by one name in all commits that are compared; a missing value is None.
    """

    values: Mapping[str, Sequence[float | None]]
    sessions: Mapping[str, Sequence[str]]

    @property
    def repeats(self) -> int:
        """Values that most cases have."""
        counts = sorted(sum(v is not None for v in values) for values in self.values.values())
        return counts[len(counts) // 2] if counts else 0

    @property
    def size(self) -> int:
        """Values in all, missing ones included."""
        return sum(map(len, self.values.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """The gate's answer on a metric, the later commit held against the earlier one.

    `drop` is positive for worse, on the scale of the mean test, None where no case is common; `se` is its standard
    error.
    """

    decision: MetricDecision
    drop: float | None
    se: float

    @property
    def worse(self) -> bool:
        return self.decision.verdict == "regressed"

    @property
    def better(self) -> bool:
        return self.decision.verdict == "improved"


def contrast(before: Evidence, after: Evidence, policy: MetricPolicy, level: float) -> Contrast:
    """Hold `after` against `before`; the chance of `worse`, or of `better`, is at most `level` where they are alike.

    All values count, however they came about; limits (`min`, `max`) say nothing about a change.
    """
    name = policy.name
    plain = replace(policy, gate="fail", min=None, max=None, max_hidden=None)
    counts = {case: len(values) for case, values in after.values.items()}
    found = decide(
        {name: before.values},
        {name: after.values},
        {name: plain},
        alpha=level,
        repeats=max([1, *counts.values()]),
        baseline_sessions={name: before.sessions},
        own_repeats=counts,
        final=True,
    ).metrics[name]
    drop, upper = found.drop, found.upper
    se = 0.0 if drop is None or upper is None else (upper - drop) / NORMAL_95
    return Contrast(decision=found, drop=drop, se=se)


def repeats_to_tell(seen: Contrast, before: int, after: int, level: float, most: int) -> int:
    """Repeats of one commit after which a drop as large as this one is seen at `level` nine times in ten.

    `before` and `after` are the repeats that the contrast itself rests on. By the normal approximation: the drop must
    be (z_level + z_power) standard errors, of which each side contributes the variance of one repeat over its count.
    """
    if seen.drop is None or seen.drop <= 0 or not before or not after:
        return most
    once = seen.se**2 / (1 / before + 1 / after)
    room = (seen.drop / (NormalDist().inv_cdf(1 - level) + POWER)) ** 2 - once / before
    return most if room <= 0 else min(most, max(1, math.ceil(once / room)))


def repeats_of_both(seen: Contrast, before: int, after: int, level: float) -> int | None:
    """Repeats of each side after which a drop as large as this one is seen at `level` nine times in ten.

    None where the drop does not exceed what the metric tolerates: no number of repeats makes it a regression.
    """
    if seen.drop is None or seen.drop <= seen.decision.tolerance or not before or not after:
        return None
    once = seen.se**2 / (1 / before + 1 / after)
    return max(1, math.ceil(2 * once * ((NormalDist().inv_cdf(1 - level) + POWER) / seen.drop) ** 2))
