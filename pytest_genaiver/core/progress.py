"""How far the session's repeats are, and which further ones are wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pytest_genaiver.core import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_genaiver.core.assess import Assessed
    from pytest_genaiver.core.looks import Plan
    from pytest_genaiver.core.sample import Metric, Scores


class Wanted(NamedTuple):
    """Further repeats by case, why, and the look that they lead to (None for retries and missing values)."""

    more: dict[str, int]
    why: str = ""
    look: int | None = None


NOTHING = Wanted({})


class Progress:
    """Repeats per case: what the gated metrics' common cases have, and what the session should run next.

    Cases with their own number of repeats are never asked for more and never hold a look back; neither does a case
    that holds no value for a metric.
    """

    def __init__(
        self, metrics: Sequence[Metric], gated: Sequence[Metric], own: Mapping[str, int], current: Scores
    ) -> None:
        self._gated = gated
        self._own = own
        lengths = [(case, n) for m in metrics for case, n in zip(m.cases, m.lengths.tolist(), strict=True)]
        self.longest = max((_width(metric) for metric in metrics), default=0)
        # A repeat counts where it ran, also when it left only metrics that are not judged, or nothing, behind.
        ran = [(case, len(values)) for cases in current.values() for case, values in cases.items()]
        self._most: dict[str, int] = {}
        for case, n in [*lengths, *ran]:
            self._most[case] = max(n, self._most.get(case, 0))
        self._least: dict[str, int] = {}
        for case, n in self._usable():
            self._least[case] = min(n, self._least.get(case, n))

    def _usable(self) -> Iterator[tuple[str, int]]:
        for metric in self._gated:
            held = np.isfinite(metric.base).any(axis=1) & np.isfinite(metric.current).any(axis=1)
            for row in np.flatnonzero(held).tolist():
                if metric.cases[row] not in self._own:
                    yield metric.cases[row], int(metric.lengths[row])

    def look(self, plan: Plan) -> int:
        """The largest look that every common case of every gated metric has reached; 0: none yet."""
        return plan.reached(min(self._least.values(), default=plan.looks[-1]))

    def up_to(self, repeats: int) -> dict[str, int]:
        """What every common case of a gated metric still lacks of that many repeats."""
        cases = sorted({case for m in self._gated for case in m.cases if case not in self._own})
        lacking = {case: repeats - self._least.get(case, self._most[case]) for case in cases}
        return {case: n for case, n in lacking.items() if n > 0}

    def wanted(self, found: Sequence[Assessed], look: int, plan: Plan) -> Wanted:
        """First for values that are missing, then retries, then the next look."""
        if again := self._without_value(plan.looks[0]):
            return Wanted(again, f"{'it has' if len(again) == 1 else 'they have'} no value yet")
        retries, why = _retries(found)
        if retries or plan.is_last(look):
            return Wanted(retries, why)
        below = plan.go_on_below(look, max(1, len(self._gated)))
        asking = [one for one in found if one.in_holm and _wants_look(one, below)]
        if not asking:
            return NOTHING
        likeliest = min(asking, key=lambda one: one.test.p if one.test else 1.0)
        following = plan.next_look(look)
        return Wanted(self.up_to(following), words.looks_worse(likeliest), following)

    def _without_value(self, least: int) -> dict[str, int]:
        """Common cases that hold no current value at all; once, so only while they have no more than the least."""
        empty = {
            metric.cases[row]
            for metric in self._gated
            for row in np.flatnonzero(~np.isfinite(metric.current).any(axis=1)).tolist()
        }
        return {case: 1 for case in sorted(empty) if self._most[case] <= least and case not in self._own}


def _width(metric: Metric) -> int:
    held = [np.isfinite(values).any(axis=0) for values in (metric.current, metric.others)]
    return max((int(np.flatnonzero(columns).max()) + 1 for columns in held if columns.any()), default=0)


def _retries(found: Sequence[Assessed]) -> tuple[dict[str, int], str]:
    wanted: dict[str, int] = {}
    for one in found:
        for case, n in one.per_case.more.items():
            wanted[case] = max(n, wanted.get(case, 0))
    names = [one.name for one in found if one.per_case.more]
    who = "it" if len(wanted) == 1 else "they"
    return dict(sorted(wanted.items())), f"{who} failed {' and '.join(names)} at first" if names else ""


def _wants_look(found: Assessed, go_on_below: float) -> bool:
    """A look more is worth its price: the metric looks worse, or hides more than it may."""
    test = found.test
    if test is None:
        return False
    plausible = test.p <= go_on_below or (test.informative > 0 and test.p <= 1.0001 * test.floor)
    return (found.dropped and plausible) or found.could_hide_too_much
