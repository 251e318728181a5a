"""How sure a verdict is, and how to be surer: sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_genaiver.core import numbers
from pytest_genaiver.core.visible import sharper

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_genaiver.core.compare import Comparison
    from pytest_genaiver.core.decision import Decision, MetricDecision
    from pytest_genaiver.core.pooling import BaselineFacts

_MORE = 4
_MOST_NAMED = 3


def sentences(decision: Decision | None, comparison: Comparison, baseline: BaselineFacts) -> Iterator[str]:
    """Nothing where nothing was compared: then there is nothing to be sure of."""
    if decision is None or comparison.baseline is None or not comparison.pairs:
        return
    yield _chance(decision)
    gated = [metric for metric in decision.metrics.values() if metric.gate == "fail" and not metric.new]
    hiding = sorted((m for m in gated if _hides(m)), key=lambda m: -(m.upper or 0.0))
    if hiding and decision.verdict != "regressed":
        yield _could_hide(hiding)
        yield from _surer(decision, comparison, baseline)


def _chance(decision: Decision) -> str:
    if decision.verdict == "regressed":
        return (
            f"An unchanged version is found regressed in at most {decision.alpha:.0%} of sessions, over all metrics "
            "together."
        )
    if decision.verdict == "inconclusive":
        return "These values cannot tell: neither that something got worse, nor that nothing did."
    return "No drop was found that is beyond chance and beyond its tolerance; that does not make the versions equal."


def _hides(metric: MetricDecision) -> bool:
    return numbers.hides(metric.kind, metric.upper) not in (numbers.NOTHING, "none")


def _could_hide(hiding: Sequence[MetricDecision]) -> str:
    named = [f"{m.name} up to {numbers.hides(m.kind, m.upper)}" for m in hiding[:_MOST_NAMED]]
    more = f" and {len(hiding) - _MOST_NAMED} more" if len(hiding) > _MOST_NAMED else ""
    return f"A drop could still hide in {', '.join(named)}{more}."


def _surer(decision: Decision, comparison: Comparison, baseline: BaselineFacts) -> Iterator[str]:
    held = baseline.sessions + baseline.ancestors
    known = {m for m, found in decision.metrics.items() if found.gate == "fail"}
    pooled = comparison.baseline_values()
    scores = {m: [pooled[m][c] for c in comparison.pairs if c in pooled[m]] for m in known if m in pooled}
    found = sharper(scores, held=max(held, 1), more=_MORE, most=decision.looks[-1], alpha=decision.alpha)
    if found is not None and found[1] - found[2] > 0.005:
        metric, now, later = found
        yield (
            f"To be surer, record more sessions of the baseline: {_MORE} more (`pytest --genai-version` on it) bring "
            f"the smallest visible drop of {metric} from {now:.2f} to {later:.2f}."
        )
    yield f"More cases help too, and more repeats: now at most {decision.looks[-1]} (--genai-repeats)."
