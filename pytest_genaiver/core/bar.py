"""Did the bar get lower: is a change judged more mildly than the baseline was?"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_genaiver.core.policy import MetricPolicy
    from pytest_genaiver.core.pooling import Pool
    from pytest_genaiver.core.results import SessionFacts

_MODES = {"off": 0, "warn": 1, "fail": 2, "strict": 3}


def loosened(
    before: Pool,
    now: Sequence[MetricPolicy],
    facts: SessionFacts,
    *,
    removed: Iterable[str],
    warned: Iterable[str] = (),
    unlike: Iterable[str] = (),
) -> list[str]:
    """In what this session asks less than the baseline's newest one did, a sentence each; empty if in nothing.

    `removed` are cases of the baseline that are gone, `warned` cases that no longer gate, `unlike` metrics that
    something else measures. A metric that is no longer scored at all counts as gone. A stricter bar is never named.
    """
    policies = {p.name: p for p in now}
    found = [line for old in before.policy for line in _metric(old, policies.get(old.name))]
    gating = {p.name for p in before.policy if p.gate == "fail"}
    found += [f"{metric}: scored by something else" for metric in unlike if metric in gating]
    found += list(_session(before.sessions[0], facts))
    found += _cases("was removed", "were removed", list(removed))
    found += _cases("no longer gates", "no longer gate", list(warned))
    return found


def _metric(old: MetricPolicy, new: MetricPolicy | None) -> Iterator[str]:
    if new is None:
        if old.gate == "fail":
            yield f"{old.name} is no longer scored"
        return
    if (old.direction or "higher") != (new.direction or "higher"):
        yield f"{old.name}: {old.direction or 'higher'} is better -> {new.direction or 'higher'} is better"
    if _MODES[new.gate] < _MODES[old.gate]:
        yield f"{old.name}: gate {old.gate} -> {new.gate}"
    if None not in (old.tolerance, new.tolerance) and _rose(old.tolerance, new.tolerance):
        yield f"{old.name}: tolerance {_shown(old.tolerance)} -> {_shown(new.tolerance)}"
    for name in ("max", "max_hidden"):
        was, is_ = getattr(old, name), getattr(new, name)
        if was is not None and (is_ is None or _rose(was, is_)):
            yield f"{old.name}: {name} {_shown(was)} -> {_shown(is_)}"
    if old.min is not None and (new.min is None or _rose(new.min, old.min)):
        yield f"{old.name}: min {_shown(old.min)} -> {_shown(new.min)}"


def _rose(was: float | None, is_: float | None) -> bool:
    return was is not None and is_ is not None and is_ > was


def _session(old: SessionFacts, new: SessionFacts) -> Iterator[str]:
    if old.alpha is not None and new.alpha is not None and new.alpha < old.alpha:
        yield f"alpha {old.alpha:g} -> {new.alpha:g}"
    if old.gate in _MODES and new.gate in _MODES and _MODES[new.gate] < _MODES[old.gate]:
        yield f"gate {old.gate} -> {new.gate}"
    # Of test functions there are fewer than of cases: what a call shows, they may not.
    if old.inference == "calls" and new.inference == "population":
        yield "inference calls -> population"


def _cases(one: str, many: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    return [f"{len(names)} case{'' if len(names) == 1 else 's'} {one if len(names) == 1 else many}"]


def _shown(value: float | None) -> str:
    return "none" if value is None else f"{value:g}"
