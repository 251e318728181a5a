"""The answer to `--best`, and what would bring one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_genaiver.cli.drawing.lines import GAP, Line, paragraph
from pytest_genaiver.core import numbers
from pytest_genaiver.core.words import p_value
from pytest_genaiver.looking.compared import letter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_genaiver.core.best import Best, Duel
    from pytest_genaiver.looking.compared import Compared

_USEFUL = 1_000
"""Values a case beyond which nobody would go on measuring."""


def verdict_lines(compared: Compared) -> Iterator[Line]:
    best = compared.best
    if best is None:
        if compared.wanted:
            yield Line("best: nothing was compared", "bad", True)
        return
    metrics = ", then ".join(compared.wanted)
    if best.winner is not None:
        name = compared.recordings[best.winner].ref.name
        yield from paragraph(f"best by {metrics}: {letter(best.winner)} {name}", tone="good", bold=True)
    else:
        left = " and ".join(letter(i) for i in best.left)
        yield from paragraph(f"best by {metrics}: the evidence does not separate {left}", tone="warn", bold=True)
    for duel in best.duels:
        if _concerns(duel, best):
            yield from paragraph(_told(duel), indent=GAP)


def _concerns(duel: Duel, best: Best) -> bool:
    """What let the winner win, or what leaves those that are left together."""
    pair = {duel.one, duel.other}
    if best.winner is not None:
        return duel.winner == best.winner or (best.winner in pair and duel.winner is None and duel.metric != best.by)
    return pair <= set(best.left)


def _told(duel: Duel) -> str:
    one, other = letter(duel.one), letter(duel.other)
    decided = duel.decision
    if decided is None:
        return f"{duel.metric}: {one} and {other} were not measured alike"
    values = f"{_value(duel, decided.baseline)} and {_value(duel, decided.current)}"
    if duel.winner is not None:
        loser = letter(duel.one + duel.other - duel.winner)
        chance = f"p {p_value(duel.p)} at level {p_value(duel.level)}"
        return f"{duel.metric}: {letter(duel.winner)} beats {loser} ({one} {other}: {values}; {chance})"
    return f"{duel.metric}: {one} {other}: {values}; {_missing(duel)}"


def _value(duel: Duel, mean: float | None) -> str:
    return numbers.NOTHING if duel.decision is None else numbers.value(duel.decision.kind, mean)


def _missing(duel: Duel) -> str:
    """Why nothing tells them apart, and what would."""
    decided = duel.decision
    if decided is not None and decided.advisory:
        return decided.reason
    if decided is None or decided.drop is None:
        return "not tested"
    if abs(decided.drop) <= decided.tolerance:
        return "no difference beyond the tolerance, which more repeats would not change"
    if duel.needed is None or duel.needed > _USEFUL:
        return decided.reason
    chance = f"not beyond chance (p {p_value(duel.p)} at level {p_value(duel.level)})"
    why = decided.reason if decided.verdict == "inconclusive" else chance
    return (
        f"{why}; if the difference is what it looks like, "
        f"about {duel.needed} values a case of each would show it: run `pytest --genai-version --genai-repeats "
        f"{min(duel.needed, 5)}` at each, {'once' if duel.needed <= 5 else f'{-(-duel.needed // 5)} times'}"
    )
