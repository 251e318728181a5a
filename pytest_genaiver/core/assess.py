"""One metric at one look: its tests, before any decision over several metrics is taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_genaiver.core.decision import CaseFinding
from pytest_genaiver.core.latency import session_test
from pytest_genaiver.core.limits import check_limits
from pytest_genaiver.core.permutation import count_labelings, least_p, mean_test
from pytest_genaiver.core.policy import LOG_KINDS
from pytest_genaiver.core.population import FUNCTIONS_NEEDED, population_test
from pytest_genaiver.core.sample import LOG_FLOOR, first_values, pair, row_means

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_genaiver.core.limits import Limits
    from pytest_genaiver.core.looks import Plan
    from pytest_genaiver.core.percase import CaseTest
    from pytest_genaiver.core.permutation import MeanTest
    from pytest_genaiver.core.sample import Floats, Ints, Metric, Pairs

MISSING_ALLOWED = 0.10
ROUNDING = 1e-12
WORST_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """A metric's findings at a look. `current` holds its balanced prefix; `test` is None without a common case.

    `last_floor` is the least p that the planned repeats can give, 0 where nothing can be said about it; `functions`
    counts the test functions where they are too few for population inference.
    """

    metric: Metric
    current: Floats
    everything: Floats
    pairs: Pairs
    limits: Limits
    test: MeanTest | None
    last_floor: float
    functions: int | None
    in_holm: bool
    values_missing: int
    per_case: CaseTest

    @property
    def name(self) -> str:
        return self.metric.policy.name

    @property
    def cases_missing(self) -> int:
        return len(self.metric.cases) - len(self.pairs.rows)

    @property
    def too_much_missing(self) -> bool:
        return self.cases_missing > MISSING_ALLOWED * len(self.metric.cases)

    @property
    def dropped(self) -> bool:
        """It looks worse by more than its tolerance."""
        return self.test is not None and self.test.drop > self.metric.tolerance + ROUNDING

    @property
    def hidden_limit(self) -> float | None:
        declared = self.metric.policy.max_hidden
        return None if declared is None else self.metric.scaled(declared)

    @property
    def could_hide_too_much(self) -> bool:
        limit = self.hidden_limit
        return self.test is not None and limit is not None and limit < self.test.upper - ROUNDING


def assess(
    metric: Metric, look: int, plan: Plan, own: Mapping[str, int], *, in_holm: bool, per_case: CaseTest
) -> Assessed:
    """Every test of one metric on the first `look` values of each case."""
    limits = _limits(metric.cases, look, own)
    current = first_values(metric.current, limits)
    others = first_values(metric.others, _limits(metric.other_cases, look, own))
    width = max(current.shape[1], others.shape[1])
    everything = np.vstack([_widened(current, width), _widened(others, width)])
    pairs = pair(metric, current)
    test, functions = _test(metric, pairs, plan)
    return Assessed(
        metric=metric,
        current=current,
        everything=everything,
        pairs=pairs,
        limits=check_limits(metric.policy, everything),
        test=test,
        last_floor=_last_floor(metric, pairs, look, plan, own) if test and test.informative else 0.0,
        functions=functions,
        in_holm=in_holm,
        values_missing=metric.base_missing + _missing(metric, limits),
        per_case=per_case,
    )


def _limits(cases: Sequence[str], look: int, own: Mapping[str, int]) -> Ints:
    return np.array([min(look, own.get(case, look)) for case in cases], dtype=np.int64)


def _missing(metric: Metric, limits: Ints) -> int:
    wanted = np.minimum(metric.lengths, limits)
    held = np.isfinite(metric.current) & (np.arange(metric.current.shape[1]) < wanted[:, None])
    return int(wanted.sum() - held.sum())


def _widened(values: Floats, width: int) -> Floats:
    return np.pad(values, ((0, 0), (0, width - values.shape[1])), constant_values=np.nan)


def _test(metric: Metric, pairs: Pairs, plan: Plan) -> tuple[MeanTest | None, int | None]:
    if not len(pairs.rows):
        return None, None
    functions = None
    if plan.inference == "population":
        test = population_test(pairs, [metric.cases[row] for row in pairs.rows.tolist()])
        if test.informative < FUNCTIONS_NEEDED and pairs.informative.any():
            functions = test.informative
    else:
        test = mean_test(pairs, metric.kind)
    if metric.sessions is not None:
        test = session_test(test, pairs, metric.sessions[pairs.rows])
    return test, functions


def _last_floor(metric: Metric, pairs: Pairs, look: int, plan: Plan, own: Mapping[str, int]) -> float:
    if plan.inference == "population":
        return 0.0
    keep = pairs.informative
    r0, r1 = pairs.r0[keep], pairs.r1[keep]
    if not plan.is_last(look):
        cases = [metric.cases[row] for row in pairs.rows[keep].tolist()]
        r1 = r1 + _limits(cases, plan.looks[-1], own) - _limits(cases, look, own)
    return least_p(count_labelings(zip(r0.tolist(), r1.tolist(), strict=True)))


def raw_means(assessed: Assessed) -> tuple[float | None, float | None]:
    """Baseline and current means of case means in raw units: geometric for log kinds, over the common cases.

    A new metric has no baseline mean and its current one is over all cases.
    """
    metric, rows = assessed.metric, assessed.pairs.rows
    if metric.new:
        return None, _overall(metric, assessed.everything)
    return _overall(metric, metric.base[rows]), _overall(metric, assessed.current[rows])


def _overall(metric: Metric, values: Floats) -> float | None:
    log = metric.kind in LOG_KINDS
    means = row_means(np.log(np.maximum(values, LOG_FLOOR)) if log else values)
    means = means[np.isfinite(means)]
    if not means.size:
        return None
    mean = float(np.mean(means))
    if not log:
        return mean
    return 0.0 if mean <= np.log(LOG_FLOOR) else float(np.exp(mean))


def worst_cases(assessed: Assessed) -> tuple[CaseFinding, ...]:
    """The cases that got worse, by their change in standard errors."""
    pairs = assessed.pairs
    differences = pairs.differences
    worse = np.flatnonzero(pairs.informative & (differences > 0))
    z = z_scores(pairs)
    ordered = sorted(worse.tolist(), key=lambda i: (-z[i], -differences[i], int(pairs.rows[i])))
    return tuple(case_finding(assessed, int(pairs.rows[i]), z=float(z[i])) for i in ordered[:WORST_SHOWN])


def z_scores(pairs: Pairs) -> Floats:
    """The change of each case for the worse in standard errors."""
    noise = np.sqrt(pairs.variances * (1 / pairs.r0 + 1 / pairs.r1))
    z: Floats = np.divide(pairs.differences, noise, out=np.zeros(len(noise)), where=noise > 0)
    return z


def case_finding(
    assessed: Assessed, row: int, *, z: float | None = None, p: float | None = None, retried: bool = False
) -> CaseFinding:
    """What is known of one case; `retried`: over all its calls, not only those that the mean test used."""
    metric = assessed.metric
    base = metric.base[row][np.isfinite(metric.base[row])]
    values = metric.current[row] if retried else assessed.current[row]
    now = values[np.isfinite(values)]
    return CaseFinding(
        case=metric.cases[row],
        metric=assessed.name,
        baseline=float(base.mean()) if base.size else None,
        current=float(now.mean()) if now.size else None,
        n_baseline=len(base),
        n_current=len(now),
        z=z,
        p=p,
    )
