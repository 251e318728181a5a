"""When the gate looks, at which level, and which metrics Holm's procedure rejects there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

Inference = Literal["calls", "population"]

USUAL_LOOKS = (1, 2, 5)
INTERIM_SHARE = 0.1
MEAN_SHARE = 0.8
GO_ON_FIRST = 0.5
GO_ON_LATER = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The looks of a session (repeats per case at each) and how alpha is spent over them."""

    alpha: float
    looks: tuple[int, ...]
    final: bool
    inference: Inference

    @property
    def fixed(self) -> bool:
        """Every case runs the same stated number of times: no looks between, no retries."""
        return len(self.looks) == 1

    def is_last(self, look: int) -> bool:
        return self.final or look >= self.looks[-1]

    def level(self, look: int, per_case: bool) -> float:
        """The mean tests' level at this look: a tenth of their alpha at an interim one, the rest at the last."""
        alpha = self.alpha * (MEAN_SHARE if per_case else 1.0)
        return self.last_level(per_case) if self.is_last(look) else INTERIM_SHARE * alpha

    def last_level(self, per_case: bool) -> float:
        alpha = self.alpha * (MEAN_SHARE if per_case else 1.0)
        return alpha * (1 - INTERIM_SHARE * (len(self.looks) - 1))

    def per_case_alpha(self, metrics: int) -> float:
        """The per-case test's alpha for each of that many binary metrics."""
        return self.alpha * (1 - MEAN_SHARE) / metrics

    def go_on_below(self, look: int, metrics: int) -> float:
        """The p up to which a metric that looks worse is worth another look.

        Over all metrics together at most a half (later: three tenths) of unchanged sessions pay for it.
        """
        share = GO_ON_FIRST if look <= self.looks[0] else GO_ON_LATER
        return 1 - math.exp(math.log1p(-share) / metrics)

    def reached(self, repeats: int) -> int:
        """The current look where every case has that many repeats; 0 before the first."""
        done = [look for look in self.looks if look <= repeats]
        if done:
            return done[-1]
        return repeats if self.final else 0

    def next_look(self, look: int) -> int:
        return next(later for later in self.looks if later > look)


def make_plan(alpha: float, repeats: int | tuple[int, int], *, final: bool = False, inference: str = "calls") -> Plan:
    """The plan for `repeats` N (fixed) or (MIN, MAX): looks at MIN, MAX and those of 1, 2, 5 between them.

    Raises `ConfigError` for an alpha outside (0, 1), unusable repeats or an unknown inference.
    """
    if not 0 < alpha < 1:
        raise ConfigError(f"alpha is {alpha!r}; it must be a number between 0 and 1, such as 0.05.")
    least, most = _least_and_most(repeats)
    if inference not in ("calls", "population"):
        raise ConfigError(f"inference is {inference!r}; use 'calls' or 'population'.")
    between = [look for look in USUAL_LOOKS if least < look < most]
    looks = tuple(sorted({least, *between, most}))
    known: Inference = "population" if inference == "population" else "calls"
    return Plan(alpha=float(alpha), looks=looks, final=final, inference=known)


def _least_and_most(repeats: object) -> tuple[int, int]:
    pair = tuple(repeats) if isinstance(repeats, (tuple, list)) else (repeats, repeats)
    whole = [number for number in pair if isinstance(number, int) and not isinstance(number, bool)]
    if len(pair) != 2 or len(whole) != 2 or not 1 <= whole[0] <= whole[1]:
        raise ConfigError(f"repeats is {repeats!r}; it must be N or (MIN, MAX) with 1 <= MIN <= MAX.")
    return whole[0], whole[1]


def holm(p_values: Mapping[str, float], level: float) -> tuple[set[str], dict[str, float]]:
    """Holm's step-down procedure (1979): the rejected metrics, and the level each metric's p was held against."""
    rejected: set[str] = set()
    levels: dict[str, float] = {}
    ordered = sorted(p_values, key=lambda name: (p_values[name], name))
    for position, name in enumerate(ordered):
        levels[name] = level / (len(ordered) - position)
        if p_values[name] <= levels[name] and len(rejected) == position:
            rejected.add(name)
    return rejected, levels


def repeats_needed(cases: int, level: float, least_p: float) -> int | None:
    """The least r for which `cases` cases with r values on both sides can reach p <= `level`; None: none can."""
    if level < least_p:
        return None
    r = 1
    while cases * math.log(math.comb(2 * r, r)) < -math.log(level):
        r += 1
    return r
