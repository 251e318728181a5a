"""Student's t and Fisher's exact test, in plain Python: all that the gate needs of a statistics library."""

from __future__ import annotations

import math

MAX_TERMS = 100_000
PRECISION = 1e-15
TINY = 1e-300


def t_sf(t: float, df: float) -> float:
    """P(T >= t) of Student's t with `df` > 0 degrees of freedom (any real number).

    By the regularized incomplete beta function: Abramowitz and Stegun 26.7.1 and 26.5.27.
    """
    square = t * t / df
    tail = 0.5 * _betainc(df / 2, 0.5, 1 / (1 + square), 1 / (1 + 1 / square)) if square > 0 else 0.5
    return tail if t >= 0 else 1 - tail


def t_quantile(p: float, df: float) -> float:
    """The t with P(T <= t) = p, for 0.5 <= p < 1, by bisection on `t_sf`."""
    low, high = 0.0, 1.0
    while t_sf(high, df) > 1 - p:
        low, high = high, 2 * high
    while high - low > 1e-13 * high:
        middle = (low + high) / 2
        if t_sf(middle, df) > 1 - p:
            low = middle
        else:
            high = middle
    return high


def fisher_all_failed(fails: int, successes: int, runs: int) -> float:
    """One-sided exact p of 0 successes in `fails` new calls against `successes` of `runs` earlier ones.

    Fisher's exact test, lower tail: all successes fall on the earlier side.
    """
    return math.comb(runs, successes) / math.comb(runs + fails, successes)


def _betainc(a: float, b: float, x: float, y: float) -> float:
    """Regularized incomplete beta I_x(a, b), y = 1 - x, by its continued fraction on its convergent side."""
    if x == 0:
        return 0.0
    if x > (a + 1) / (a + b + 2):
        return 1 - _betainc(b, a, y, x)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(y)
    return math.exp(log_front) / (a * _beta_fraction(a, b, x))


def _beta_fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of I_x(a, b) (Abramowitz and Stegun 26.5.8), by Lentz's method."""
    value, c, d = 1.0, 1.0, 0.0
    step, term = 0.0, 0
    while abs(step - 1) > PRECISION and term < MAX_TERMS:
        term += 1
        m = term // 2
        if term % 2:
            factor = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            factor = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / _away_from_zero(1 + factor * d)
        c = _away_from_zero(1 + factor / c)
        step = c * d
        value *= step
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > TINY else TINY
