"""Where in a line of versions a metric changed: binary segmentation, each cut tested on the cases of both sides."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_genaiver.core.assess import ROUNDING
from pytest_genaiver.core.compare import means
from pytest_genaiver.core.inputs import build_metrics
from pytest_genaiver.core.latency import is_advisory, session_test
from pytest_genaiver.core.permutation import DRAWS, mean_test
from pytest_genaiver.core.policy import LOG_KINDS
from pytest_genaiver.core.sample import LOG_FLOOR, pair
from pytest_genaiver.core.variants import full_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pytest_genaiver.core.policy import Kind, MetricPolicy
    from pytest_genaiver.core.results import VersionResults
    from pytest_genaiver.core.sample import Floats

WINDOW = 5
"""Versions on either side of a cut whose cases are tested: reading them is what a test costs."""
MOST_TESTS = 30
MOST_MISSES = 4
"""Tests in a row that show nothing, after which no smaller jump is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """What the cases of both sides of a cut show. `drop` and `tolerance` are positive for worse, as the gate's;
    `before` and `after` are means over the `cases` that both hold, in raw units.
    """

    kind: Kind
    drop: float
    tolerance: float
    p_worse: float
    p_better: float
    before: float
    after: float
    cases: int

    @property
    def worse(self) -> bool:
        return self.drop > 0

    @property
    def p(self) -> float:
        return self.p_worse if self.worse else self.p_better


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePoint:
    """The metric changed with the version at position `at`. `p` was held against `level`."""

    at: int
    shift: Shift
    level: float


def change_points(
    values: Sequence[float | None],
    test: Callable[[Sequence[int], Sequence[int]], Shift | None],
    *,
    alpha: float,
) -> list[ChangePoint]:
    """The changes in a line of versions, oldest first; `values` are one mean a version, None where it is unknown.

    Binary segmentation (Scott and Knott 1974; Vostrikova 1981): the cut of a stretch is where the means beside it are
    furthest apart (CUSUM), and each side is cut again. The means only propose a cut: they may move because cases came
    or went. What is marked rests on `test(before, after)`, the gate's test on the cases of at most 5 versions
    on either side, which no earlier mark lies between. It must be beyond the tolerance, and p at most alpha / (2 x
    possible cuts), in one direction: so that of unchanged histories at most the share alpha shows any mark, wherever
    the means proposed to look (Bonferroni). The largest jumps are tested first, until 4 in a row show nothing.
    """
    known = [i for i, value in enumerate(values) if value is not None]
    line = np.array([values[i] for i in known], dtype=np.float64)
    if len(line) < 2:
        return []
    level = alpha / (2 * (len(line) - 1))
    found: list[tuple[int, Shift]] = []
    stretches, misses = _cuts(line, [(0, len(line))]), 0
    for _ in range(MOST_TESTS):
        if not stretches or misses == MOST_MISSES:
            break
        best = max(stretches, key=lambda s: (s.jump, -s.at))
        stretches.remove(best)
        stretches += _cuts(line, [(best.start, best.at), (best.at, best.end)])
        sides = _sides(best.at, len(line), [at for at, _ in found])
        shift = test(*([known[i] for i in side] for side in sides))
        if shift is not None and _is_change(shift, level):
            found.append((best.at, shift))
            misses = 0
        else:
            misses += 1
    return [ChangePoint(at=known[at], shift=shift, level=level) for at, shift in sorted(found, key=lambda f: f[0])]


@dataclass(frozen=True, slots=True)
class _Stretch:
    start: int
    end: int
    at: int
    jump: float


def _cuts(line: Floats, stretches: Iterable[tuple[int, int]]) -> list[_Stretch]:
    """Each stretch with its best cut: where the means beside it are furthest apart for its length."""
    found = []
    for start, end in stretches:
        n = end - start
        left = np.arange(1, n)
        sums = np.cumsum(line[start:end])
        apart = sums[:-1] / left - (sums[-1] - sums[:-1]) / (n - left)
        jumps = np.abs(apart) * np.sqrt(left * (n - left) / n)
        if n > 1 and jumps.max() > ROUNDING:
            at = int(np.argmax(jumps))
            found.append(_Stretch(start, end, start + 1 + at, float(jumps[at])))
    return found


def _sides(at: int, count: int, marks: Iterable[int]) -> tuple[range, range]:
    bounds = {0, count, *marks}
    first, last = max(b for b in bounds if b < at), min(b for b in bounds if b > at)
    return range(max(first, at - WINDOW), at), range(at, min(last, at + WINDOW))


def _is_change(shift: Shift, level: float) -> bool:
    return shift.p <= level and abs(shift.drop) > shift.tolerance + ROUNDING


def shift_between(
    before: Sequence[VersionResults], after: Sequence[VersionResults], policy: MetricPolicy
) -> Shift | None:
    """The gate's test between two groups of sessions, each pooled, on the cases that both hold.

    None where no case is common, where another judge, scorer or price list measured one of them, or, for latency,
    where fewer than 3 earlier sessions cannot tell a slower day from slower code.
    """
    metric = policy.name
    if len({s.sources.get(metric, "") for s in (*before, *after) if metric in s.metric_names()}) > 1:
        return None
    sides = _gathered(before, metric), _gathered(after, metric)
    common = sides[0].keys() & sides[1].keys()
    old, new = ({c: [v for _, v in side[c]] for c in sorted(common)} for side in sides)
    labels = {c: [label for label, _ in sides[0][c]] for c in common}
    built = build_metrics({metric: old}, {metric: new}, {metric: policy}, {metric: labels})
    if not built or not common or is_advisory(built[0]):
        return None
    kind = built[0].kind
    pairs = pair(built[0], built[0].current)
    found = mean_test(pairs, kind)
    worse, better = found.p, 1.0 if found.p_improved is None else found.p_improved
    if found.floor <= 1 / (DRAWS + 1):
        worse, better = _beyond_draws(worse, found.drop, found.se), _beyond_draws(better, -found.drop, found.se)
    if built[0].sessions is not None:
        noisier = session_test(found, pairs, built[0].sessions[pairs.rows])
        worse = max(worse, noisier.p)
        better = max(better, noisier.p_improved if noisier.p_improved is not None else 1.0)
    was, now = means(old, new, ratio=kind in LOG_KINDS)
    return Shift(
        kind=kind,
        drop=found.drop,
        tolerance=built[0].tolerance,
        p_worse=worse,
        p_better=better,
        before=was or 0.0,
        after=now or 0.0,
        cases=len(common),
    )


def _beyond_draws(p: float, drop: float, se: float) -> float:
    """Where not one of the drawn relabelings is as far out, the normal tail says how far that is: a long history
    holds p against less than 1 / draws.
    """
    if p > 1 / (DRAWS + 1) or se <= 0:
        return p
    return min(p, 0.5 * math.erfc(drop / se / math.sqrt(2)))


def _gathered(sessions: Iterable[VersionResults], metric: str) -> Mapping[str, list[tuple[str, float]]]:
    """Case and content -> (session, value) of every value known; the balanced prefix, as in a pool."""
    found: dict[str, list[tuple[str, float]]] = {}
    for results in sessions:
        for case in results.cases.values():
            for value in case.scores.get(metric, [])[: results.session.repeats]:
                if value is not None:
                    found.setdefault(f"{full_id(case)} {case.digest}", []).append((results.session.id, value))
    return found


def on_line(value: float, kind: Kind) -> float:
    """A version's mean as `change_points` takes it: the logarithm for what is compared by its ratio."""
    return math.log(max(value, LOG_FLOOR)) if kind in LOG_KINDS else value
