"""Which of several versions the evidence says is best, or that it does not tell them apart, and what would."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist
from typing import TYPE_CHECKING

from pytest_genaiver.core.assess import ROUNDING
from pytest_genaiver.core.looks import holm
from pytest_genaiver.core.permutation import NORMAL_95
from pytest_genaiver.core.visible import POWER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_genaiver.core.decision import MetricDecision


@dataclass(frozen=True, slots=True, kw_only=True)
class Duel:
    """Two versions (their positions, `one` < `other`) on one metric. `winner` is None where nothing tells them apart.

    `p` is that of the side that looks better, `level` what it was held against. `needed` is about how many values a
    case of each side would tell them apart, if the difference is what it looks like; None where no number would, or
    none is needed.
    """

    metric: str
    one: int
    other: int
    decision: MetricDecision | None
    winner: int | None
    p: float
    level: float
    needed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """`left` are the positions that no other version beats; one alone is the `winner`. `by` is the metric that
    decided last: None where nothing did.
    """

    left: tuple[int, ...]
    by: str | None
    duels: tuple[Duel, ...]

    @property
    def winner(self) -> int | None:
        return self.left[0] if len(self.left) == 1 else None


def find_best(
    versions: int,
    metrics: Sequence[str],
    decide: Callable[[int, int, str], MetricDecision | None],
    held: Callable[[int, str], float],
    *,
    alpha: float,
) -> Best:
    """The versions that no other beats, metric by metric in the order given: a later metric only tells those apart
    that the ones before left together.

    One beats the other where the difference is beyond chance and beyond the metric's tolerance. `decide(i, j,
    metric)` is the gate's decision on j against i; `held(i, metric)` the values a case that i has. Chance is held
    against alpha by Holm's procedure over both directions of every pair and metric: with versions that are all alike,
    some version is called better in at most that share of comparisons (Holm 1979; both directions, since the data
    say which).
    """
    duels = _duels(versions, metrics, decide, held, alpha)
    left, by = set(range(versions)), None
    for metric in metrics:
        beaten = {
            d.one + d.other - d.winner
            for d in duels
            if d.metric == metric and d.winner is not None and {d.one, d.other} <= left
        }
        # In a circle everyone is beaten: the metric tells nothing.
        if beaten and left - beaten:
            left, by = left - beaten, metric
        if len(left) == 1:
            break
    return Best(left=tuple(sorted(left)), by=by, duels=tuple(duels))


def _duels(
    versions: int,
    metrics: Sequence[str],
    decide: Callable[[int, int, str], MetricDecision | None],
    held: Callable[[int, str], float],
    alpha: float,
) -> list[Duel]:
    places = [(m, i, j) for m in metrics for i, j in combinations(range(versions), 2)]
    found = {place: decide(place[1], place[2], place[0]) for place in places}
    tails: dict[str, float] = {}
    for (metric, i, j), decision in found.items():
        tails[_claim(metric, i, j)], tails[_claim(metric, j, i)] = _tails(decision)
    rejected, levels = holm(tails, alpha)
    duels = []
    for (metric, i, j), decision in found.items():
        drop = decision.drop if decision and decision.drop is not None else 0.0
        better, worse = (i, j) if drop > 0 else (j, i)
        claim = _claim(metric, better, worse)
        enough = decision is not None and abs(drop) > decision.tolerance + ROUNDING
        wins = claim in rejected and enough
        sizes = held(i, metric), held(j, metric)
        duels.append(
            Duel(
                metric=metric,
                one=i,
                other=j,
                decision=decision,
                winner=better if wins else None,
                p=tails[claim],
                level=levels[claim],
                needed=_needed(decision, *sizes, levels[claim]) if enough and not wins else None,
            )
        )
    return duels


def _claim(metric: str, better: int, worse: int) -> str:
    return f"{metric} {better} {worse}"


def _tails(decision: MetricDecision | None) -> tuple[float, float]:
    """(p of "the one is better", p of "the other is better"); what could not be tested tells nothing."""
    if decision is None or decision.p is None or decision.advisory or decision.verdict == "inconclusive":
        return 1.0, 1.0
    return decision.p, 1.0 if decision.p_improved is None else decision.p_improved


def _needed(decision: MetricDecision | None, r0: float, r1: float, level: float) -> int | None:
    """Values a case of each side with which a difference like this one is found with a power of 0.8.

    The normal approximation: se falls with the root of the values, and z(1 - level) + z(power) of it are needed.
    """
    if decision is None or decision.drop is None or decision.upper is None or decision.advisory:
        return None
    se = (decision.upper - decision.drop) / NORMAL_95
    variance = se * se / (1 / r0 + 1 / r1)
    z = NormalDist().inv_cdf(1 - level) + NormalDist().inv_cdf(POWER)
    wanted = math.ceil(2 * variance * (z / decision.drop) ** 2)
    return max(wanted, math.ceil(min(r0, r1)) + 1)
