"""Inference about other test functions of the same kind, not about these cases alone: a t test over functions."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np

from pytest_genaiver.core.permutation import MeanTest
from pytest_genaiver.core.student import t_sf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_genaiver.core.sample import Pairs

FUNCTIONS_NEEDED = 6


def population_test(pairs: Pairs, cases: Sequence[str]) -> MeanTest:
    """One-sided paired t test over the functions' mean differences; `cases` are the ids of the pairs.

    A function is a case id up to its first `[` or `{`. With fewer than 6 functions p is 1; `informative` counts
    functions.
    """
    differences: dict[str, list[float]] = {}
    for case, difference in zip(cases, pairs.differences.tolist(), strict=True):
        differences.setdefault(re.split(r"[\[{]", case, maxsplit=1)[0], []).append(difference)
    means = np.array([math.fsum(values) / len(values) for values in differences.values()])
    n = len(means)
    drop = math.fsum(means.tolist()) / n
    se = float(np.std(means, ddof=1)) / math.sqrt(n) if n > 1 else 0.0
    if n < FUNCTIONS_NEEDED or drop == 0:
        p, other = 1.0, 1.0
    else:
        t = drop / se if se > 0 else math.copysign(math.inf, drop)
        p, other = t_sf(t, n - 1), t_sf(-t, n - 1)
    return MeanTest(drop=drop, se=se, p=p, p_improved=other if drop < 0 else None, floor=0.0, informative=n)
