"""Which metric a search is about."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_genaiver.core.gate import decide
from pytest_genaiver.core.policy import policy_for
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_genaiver.core.contrast import Evidence
    from pytest_genaiver.core.decision import Decision
    from pytest_genaiver.core.policy import MetricPolicy


def named(metric: str, known: Sequence[str], declared: Sequence[MetricPolicy]) -> MetricPolicy:
    """The policy of the metric that the user named. Raises ConfigError where neither GOOD nor BAD scored it."""
    if metric not in known:
        raise ConfigError(f"--metric: {metric!r} was not scored; recorded are: {', '.join(known) or 'none'}")
    return policy_for(metric, declared)


def gated(
    good: Mapping[str, Evidence], bad: Mapping[str, Evidence], declared: Sequence[MetricPolicy], alpha: float
) -> Decision:
    """The gate's answer on every metric that can fail a session, BAD held against GOOD."""
    found = {m: policy_for(m, declared) for m in sorted({*good, *bad})}
    policies = {
        m: replace(p, min=None, max=None, max_hidden=None) for m, p in found.items() if p.gate == "fail" and m in bad
    }
    counts: dict[str, int] = {}
    for metric in policies:
        for case, values in bad[metric].values.items():
            counts[case] = max(len(values), counts.get(case, 0))
    return decide(
        {m: e.values for m, e in good.items()},
        {m: e.values for m, e in bad.items()},
        policies,
        alpha=alpha,
        repeats=max([1, *counts.values()]),
        baseline_sessions={m: e.sessions for m, e in good.items()},
        own_repeats=counts,
        final=True,
    )


def most_changed(decision: Decision) -> str | None:
    """The metric with the least p among those that regressed, else among those that got worse, else among all."""
    metrics = decision.metrics.values()
    for group in (
        [m for m in metrics if m.verdict == "regressed"],
        [m for m in metrics if m.drop is not None and m.drop > 0],
        list(metrics),
    ):
        if group:
            return min(group, key=lambda m: (1.0 if m.p is None else m.p, m.name)).name
    return None
