"""The mean test: calls are relabelled inside each case (a stratified permutation test), exact or seeded."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from pytest_genaiver.core.policy import Kind
    from pytest_genaiver.core.sample import Floats, Ints, Pairs

EXACT_LIMIT = 5_000
DRAWS = 4_000
SEED = 20_240_117
SUBSETS_LISTED = 60_000
NORMAL_95 = 1.645
TIE = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanTest:
    """The mean test's result on the turned scale: `drop` is positive for worse.

    `p_improved` is the other tail's p, None unless `drop` < 0; `floor` the least p that these numbers of values
    can give; `informative` counts the cases that carry information.
    """

    drop: float
    se: float
    p: float
    p_improved: float | None
    floor: float
    informative: int

    @property
    def upper(self) -> float:
        """A drop of up to this could hide (one-sided 95 %)."""
        return self.drop + NORMAL_95 * self.se

    def with_noise(self, se: float, p: float, p_improved: float) -> MeanTest:
        """The same drop judged against a larger noise: p-values only grow."""
        other = None if self.p_improved is None else max(self.p_improved, p_improved)
        return replace(self, se=se, p=max(self.p, p), p_improved=other)


def mean_test(pairs: Pairs, kind: Kind) -> MeanTest:
    """Test whether the cases' means dropped: exact under "no call's distribution changed".

    drop = mean of (baseline mean - current mean) over all cases, se = sqrt(sum of var (1/r0 + 1/r1)) / n with var the
    variance of a case's pooled values. p is the share of relabelings whose weighted sum of case differences is at
    least the observed one; under Monte Carlo (1 + hits) / (draws + 1) (Davison and Hinkley 1997, section 4.3).
    """
    drop = math.fsum(pairs.differences.tolist()) / len(pairs.rows)
    se = math.sqrt(math.fsum((pairs.variances * (1 / pairs.r0 + 1 / pairs.r1)).tolist())) / len(pairs.rows)
    keep = pairs.informative
    r0, r1 = pairs.r0[keep], pairs.r1[keep]
    if not keep.any():
        return MeanTest(drop=drop, se=se, p=1.0, p_improved=None, floor=1.0, informative=0)
    labelings = count_labelings(zip(r0.tolist(), r1.tolist(), strict=True))
    p, p_improved = _p_values(pairs, keep, kind, labelings)
    return MeanTest(
        drop=drop,
        se=se,
        p=p,
        p_improved=p_improved if drop < 0 else None,
        floor=least_p(labelings),
        informative=int(keep.sum()),
    )


def count_labelings(counts: Iterable[tuple[int, int]]) -> int:
    """How many ways the cases' calls can be relabelled: prod C(r0 + r1, r1); above the exact limit, limit + 1."""
    total = 1
    for r0, r1 in counts:
        total *= math.comb(r0 + r1, r1)
        if total > EXACT_LIMIT:
            return EXACT_LIMIT + 1
    return total


def least_p(labelings: int) -> float:
    """The least p that a test over that many relabelings can give."""
    return 1 / labelings if labelings <= EXACT_LIMIT else 1 / (DRAWS + 1)


def _p_values(pairs: Pairs, keep: npt.NDArray[np.bool_], kind: Kind, labelings: int) -> tuple[float, float]:
    """Both tails' p. A smaller weighted sum over the current side's values is worse."""
    lowest = np.fmin.reduce(pairs.pooled[keep], axis=1)[:, None]
    y = pairs.y[keep] - lowest
    rows = np.sort(np.hstack([pairs.x[keep] - lowest, y]), axis=1)
    r0, r1 = pairs.r0[keep], pairs.r1[keep]
    scale = _weights(rows, r0 + r1, kind) * (1 / r0 + 1 / r1)
    observed = float(np.sum(scale * np.nansum(y, axis=1)))
    tie = TIE * float(np.sum(scale * np.fmax.reduce(rows, axis=1)))
    if labelings <= EXACT_LIMIT:
        sums = _all_sums(rows, scale, r0, r1)
        worse, better = np.mean(sums <= observed + tie), np.mean(sums >= observed - tie)
        return float(worse), float(better)
    sums = _drawn_sums(rows, scale, r0, r1, kind)
    hits = int(np.sum(sums <= observed + tie)), int(np.sum(sums >= observed - tie))
    return (1 + hits[0]) / (DRAWS + 1), (1 + hits[1]) / (DRAWS + 1)


def _weights(rows: Floats, counts: Ints, kind: Kind) -> Floats:
    # Functions of the pooled values only, so that every relabeling has the same weights and the test stays exact.
    if kind != "binary":
        return np.ones(len(rows))
    q = (np.nansum(rows, axis=1) + 0.5) / (counts + 1)
    return np.asarray(1 / np.sqrt(q * (1 - q)), dtype=np.float64)


def _all_sums(rows: Floats, scale: Floats, r0: Ints, r1: Ints) -> Floats:
    total = np.zeros(1)
    for row, weight, a, b in zip(rows, scale, r0.tolist(), r1.tolist(), strict=True):
        sums = weight * row[_subsets(a + b, b)].sum(axis=1)
        total = (total[:, None] + sums).ravel()
    return total


def _drawn_sums(rows: Floats, scale: Floats, r0: Ints, r1: Ints, kind: Kind) -> Floats:
    """DRAWS random relabelings of all cases.

    Cases are drawn in the order of their values, so that neither their names nor their order change the result.
    """
    rng = np.random.default_rng(SEED)
    total = np.zeros(DRAWS)
    order = np.lexsort([*rows.T[::-1], r1, r0])
    if kind == "binary":
        return _drawn_binary(rng, np.nansum(rows, axis=1).astype(np.int64), scale, r0, r1)
    for i in order.tolist():
        total += scale[i] * _one_case(rng, rows[i, : r0[i] + r1[i]], int(r0[i]), int(r1[i]))
    return total


def _drawn_binary(rng: np.random.Generator, ones: Ints, scale: Floats, r0: Ints, r1: Ints) -> Floats:
    """Cases with the same counts share one hypergeometric distribution: draw how many of them fall on each value."""
    total = np.zeros(DRAWS)
    kinds, first, cases = np.unique(np.stack([r0, r1, ones], axis=1), axis=0, return_index=True, return_counts=True)
    for (a, b, successes), i, n in zip(kinds.tolist(), first.tolist(), cases.tolist(), strict=True):
        ways = [math.comb(b, hits) * math.comb(a, successes - hits) for hits in range(min(b, successes) + 1)]
        share = np.array(ways) / math.comb(a + b, successes)
        total += scale[i] * (rng.multinomial(n, share, size=DRAWS) @ np.arange(len(ways)))
    return total


def _one_case(rng: np.random.Generator, values: Floats, r0: int, r1: int) -> Floats:
    """The sum over the current side's values in DRAWS random relabelings of one case."""
    size = min(r0, r1)
    ways = math.comb(r0 + r1, size)
    if ways <= DRAWS:
        sums = values[_subsets(r0 + r1, size)].sum(axis=1)[rng.integers(ways, size=DRAWS)]
    elif ways <= SUBSETS_LISTED:
        sums = values[_subsets(r0 + r1, size)[rng.integers(ways, size=DRAWS)]].sum(axis=1)
    else:
        keys = rng.random((DRAWS, r0 + r1))
        sums = (keys <= np.partition(keys, size - 1, axis=1)[:, size - 1 : size]) @ values
    drawn: Floats = sums if size == r1 else values.sum() - sums
    return drawn


@lru_cache(maxsize=16)
def _subsets(n: int, size: int) -> npt.NDArray[np.intp]:
    return np.array(list(combinations(range(n), size)), dtype=np.intp)
