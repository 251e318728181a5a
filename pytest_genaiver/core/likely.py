"""Why a baseline shares few cases with a session: most often, a parameter that is the app's took another value."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_genaiver.core.variants import label

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_genaiver.core.compare import Comparison
    from pytest_genaiver.core.variants import Case

ENOUGH = 0.5
"""The share of a session's cases below which the baseline is hardly one of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A parameter that tells most of the unmatched cases from the baseline's: its values, then and now.

    `cases` is how many would be known again without it, `marker` the line that leaves it out.
    """

    parameter: str
    before: tuple[str, ...]
    now: tuple[str, ...]
    cases: int
    marker: str


def is_thin(comparison: Comparison) -> bool:
    """Whether the baseline shares no case, or less than half of them."""
    held = comparison.baseline is not None and bool(comparison.current.cases)
    return held and (not comparison.pairs or comparison.coverage < ENOUGH)


def likely(comparison: Comparison) -> Changed | None:
    """The parameter without which most of the unmatched cases would be known again; None where no single one is."""
    if comparison.baseline is None:
        return None
    paired = set(comparison.pairs.values())
    before = [case for name, case in comparison.baseline.cases.items() if name not in paired]
    now = [case for name, case in comparison.current.cases.items() if name not in comparison.pairs]
    names = sorted({name for case in now for name in case.params if name not in case.variant})
    found = [one for name in names if (one := _without(name, before, now)) is not None]
    best = max(found, key=lambda one: one.cases, default=None)
    return best if best is not None and best.cases >= ENOUGH * len(now) else None


def _without(name: str, before: Iterable[Case], now: Iterable[Case]) -> Changed | None:
    """What leaving out this parameter would bring; a case is known again by its function and its other parameters."""
    old: dict[object, set[str]] = defaultdict(set)
    for case in before:
        if name in case.params:
            old[_rest(name, case)].add(case.params[name])
    again = [case for case in now if name in case.params and old.get(_rest(name, case), set()) - {case.params[name]}]
    if not again:
        return None
    variants = sorted({name, *(key for case in again for key in case.variant)})
    listed = "".join(f'"{each}", ' for each in variants).removesuffix(" " if len(variants) == 1 else ", ")
    return Changed(
        parameter=name,
        before=tuple(sorted({value for case in again for value in old[_rest(name, case)]})),
        now=tuple(sorted({case.params[name] for case in again})),
        cases=len(again),
        marker=f"@pytest.mark.genai_eval(variant_params=({listed}))",
    )


def _rest(name: str, case: Case) -> object:
    others: Mapping[str, str] = {key: value for key, value in case.params.items() if key != name}
    return case.function, label(case.variant), frozenset(others.items())
