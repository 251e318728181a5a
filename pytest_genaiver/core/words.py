"""The gate's reasons in plain words, one sentence each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pytest_genaiver.core import numbers
from pytest_genaiver.core.assess import raw_means
from pytest_genaiver.core.limits import VALUES_NEEDED
from pytest_genaiver.core.looks import repeats_needed
from pytest_genaiver.core.permutation import DRAWS
from pytest_genaiver.core.policy import LOG_KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_genaiver.core.assess import Assessed
    from pytest_genaiver.core.decision import MetricDecision
    from pytest_genaiver.core.sample import Metric

FAR = 0.1


def number(value: float | None) -> str:
    """A mean or a change, short enough for a table cell."""
    if value is None:
        return "unknown"
    size = abs(value)
    if size >= 10:
        return f"{value:,.0f}" if size >= 100 else f"{value:.1f}"
    return f"{value:.2f}" if size >= 0.1 or size == 0 else f"{value:.2g}"


def p_value(value: float) -> str:
    return f"{value:.2g}" if value >= 0.0001 else "below 0.0001"


def amount(metric: Metric, change: float) -> str:
    """A change on the mean test's scale: a percentage for the kinds that are compared by their ratio."""
    return f"{math.expm1(change):.0%}" if metric.kind in LOG_KINDS else number(change)


def verb(metric: Metric, change: float) -> str:
    """What the metric did where a positive `change` is for the worse."""
    return "fell" if (change > 0) == (metric.direction == "higher") else "rose"


def moved(found: Assessed) -> str:
    """'0.95 -> 0.62'."""
    before, now = raw_means(found)
    kind = found.metric.kind
    return f"{numbers.value(kind, before)} -> {numbers.value(kind, now)}"


def hidden(found: Assessed) -> str:
    """How large a change for the worse these cases could have missed."""
    if found.test is None or found.test.upper <= 0:
        return "no change for the worse could hide"
    what = "drop" if found.metric.direction == "higher" else "rise"
    return f"a {what} of up to {amount(found.metric, found.test.upper)} could hide"


def limits_broken(found: Assessed) -> str:
    limit, mean = found.limits.limit, found.limits.mean
    side, kind = "below min" if limit == found.metric.policy.min else "above max", found.metric.kind
    return f"{numbers.value(kind, mean)} is {side} {numbers.value(kind, limit)} by more than noise"


def limits_unknown(found: Assessed) -> str:
    which = "min" if found.metric.policy.min is not None else "max"
    if not found.everything.size or not np.isfinite(found.everything).any():
        return f"{which} is declared, but no value was measured"
    return f"{which} needs at least {VALUES_NEEDED} values of a single case"


def cases_broke(found: Assessed) -> str:
    row, p = next(iter(found.per_case.broken.items()))
    more = len(found.per_case.broken) - 1
    others = f"; {more} more broke" if more else ""
    return f"{found.metric.cases[row]} failed every fresh call, far beyond chance (p {p_value(p)}){others}"


def values_missing(found: Assessed) -> str:
    total = len(found.metric.cases)
    if not total:
        return "no case is known on both sides"
    return f"{found.cases_missing} of {total} cases hold no value on at least one side; at most 10% may"


def too_few_values(found: Assessed, level: float) -> str:
    """Which repeats would do, where no drop could ever be significant with those planned."""
    keep = found.pairs.informative
    r0, r1 = int(found.pairs.r0[keep].min()), int(found.pairs.r1[keep].min())
    r = repeats_needed(int(keep.sum()), level, 1 / (DRAWS + 1))
    if r is None:
        return f"too many metrics share alpha: at level {p_value(level)} no drop could be seen; gate fewer of them"
    return f"needs at least {r} repeats of each side: with {r0} against {r1} no drop could be seen"


def too_few_functions(found: Assessed) -> str:
    return f"inference over test functions needs at least 6 of them; {found.functions} hold this metric"


def regressed(found: Assessed, p: float, level: float) -> str:
    far = "far beyond chance" if p <= FAR * level else "beyond chance"
    return f"{moved(found)}, {far} (p {p_value(p)} at level {p_value(level)})"


def improved(found: Assessed, p: float) -> str:
    return f"{moved(found)}, better beyond chance (p {p_value(p)})"


def hides_too_much(found: Assessed) -> str:
    limit = found.hidden_limit or 0.0
    return f"{hidden(found)}, more than max_hidden {amount(found.metric, limit)}"


def advisory(found: Assessed) -> str:
    return f"{moved(found)}, but fewer than 3 baseline sessions cannot tell a slower day from slower code; shown only"


def passed(found: Assessed, rejected: bool, level: float) -> str:
    test = found.test
    if test is not None and rejected and test.drop > 0:
        kept = f"the change is within its tolerance of {amount(found.metric, found.metric.tolerance)}"
        return f"{moved(found)}: {kept}; {hidden(found)}"
    if test is not None and found.dropped:
        return f"{moved(found)} is not beyond chance (p {p_value(test.p)} at level {p_value(level)}); {hidden(found)}"
    return f"no regression; {hidden(found)}"


def looks_worse(found: Assessed) -> str:
    """'on_topic fell 0.06', for the progress line."""
    if found.test is None or not found.dropped:
        return f"{found.name}: {hides_too_much(found)}"
    drop = found.test.drop
    return f"{found.name} {verb(found.metric, drop)} {amount(found.metric, drop)}"


def session_reason(decisions: Sequence[MetricDecision], first: bool) -> str:
    """Why the session has its verdict, given the metrics that decided it (the worst verdict's)."""
    if not decisions:
        return "first session: nothing to compare with" if first else "no metric is gated"
    head = f"{decisions[0].name}: {decisions[0].reason}"
    rest = len(decisions) - 1
    return head if decisions[0].verdict == "pass" or not rest else f"{head}; {rest} more {decisions[0].verdict}"
