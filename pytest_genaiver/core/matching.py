"""Which case of one session is which case of another: by id, by content, by variant."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_genaiver.core.variants import bare_id, full_id, label

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from pytest_genaiver.core.variants import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """Name now -> name before, of the cases with the same id and content, the same content, the same id only.

    `variants`: variant that came -> the one that went, with which it is compared.
    """

    same: dict[str, str]
    renamed: dict[str, str]
    changed: dict[str, str]
    variants: dict[str, str] = field(default_factory=dict)


def match(
    before: Mapping[str, Case], now: Mapping[str, Case], *, not_collected: Callable[[str], bool] = lambda _: False
) -> Matches:
    """Match cases by id and digest, then by test function and digest where unique, then by id (changed).

    No case is matched twice, and each only within its variant, or the one that it replaces. `not_collected(id)` is
    True for a case of `before`, by its id with its variant, that the session left out by its own selection.
    """
    replaced = _replaced(before, now, not_collected)
    new = {name: replaced.get((c.function, label(c.variant)), label(c.variant)) for name, c in now.items()}
    old = {name: label(c.variant) for name, c in before.items()}
    places = {(bare_id(c), old[name]): name for name, c in before.items()}
    found = {name: places.get((bare_id(c), new[name])) for name, c in now.items()}
    partners = {name: partner for name, partner in found.items() if partner is not None}
    same = {name: partner for name, partner in partners.items() if before[partner].digest == now[name].digest}
    renamed = _renamed(_by_content(before, old, {*same.values()}), _by_content(now, new, same))
    paired = {*same.values(), *renamed.values()}
    changed = {n: p for n, p in partners.items() if n not in same and n not in renamed and p not in paired}
    variants = {came: went for (_, came), went in replaced.items()}
    return Matches(same=same, renamed=renamed, changed=changed, variants=variants)


def _replaced(
    before: Mapping[str, Case], now: Mapping[str, Case], not_collected: Callable[[str], bool]
) -> dict[tuple[str, str], str]:
    """(test function, variant that came) -> the variant that went, where it is exactly one of each.

    Which variant was replaced must be one answer for all test functions.
    """
    held, left = _by_function(before, lambda _: False), _by_function(before, not_collected)
    found: dict[tuple[str, str], str] = {}
    for function, variants in _by_function(now, lambda _: False).items():
        came = variants - held.get(function, set())
        went = left.get(function, set()) - variants
        if len(came) == len(went) == 1:
            found[function, came.pop()] = went.pop()
    answers: dict[str, set[str]] = defaultdict(set)
    for (_, new), old in found.items():
        answers[new].add(old)
    return {place: old for place, old in found.items() if len(answers[place[1]]) == 1}


def _by_function(cases: Mapping[str, Case], but: Callable[[str], bool]) -> dict[str, set[str]]:
    """Test function -> its variants, from all cases but some."""
    found: dict[str, set[str]] = defaultdict(set)
    for case in cases.values():
        if not but(full_id(case)):
            found[case.function].add(label(case.variant))
    return found


def _renamed(
    old: Mapping[tuple[str, str, str], list[str]], new: Mapping[tuple[str, str, str], list[str]]
) -> dict[str, str]:
    """New name -> old name of the cases whose content occurs once on either side."""
    return {
        names[0]: old[content][0]
        for content, names in new.items()
        if len(names) == 1 and len(old.get(content, ())) == 1
    }


def _by_content(
    cases: Mapping[str, Case], variants: Mapping[str, str], matched: Collection[str]
) -> dict[tuple[str, str, str], list[str]]:
    """(test function, digest, variant) -> the unmatched cases."""
    found: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for name, case in cases.items():
        if name not in matched:
            found[case.function, case.digest, variants[name]].append(name)
    return found
