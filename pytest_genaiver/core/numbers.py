"""Numbers as people read them: a rate as 0.95, latency in ms or s, tokens whole, cost in $; changes signed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pytest_genaiver.core.policy import LOG_KINDS

if TYPE_CHECKING:
    from pytest_genaiver.core.policy import Kind

NOTHING = "-"


def value(kind: Kind, number: float | None) -> str:
    """A metric's value in its raw unit (s, tokens, USD, or none); unknown is "-"."""
    if number is None or not math.isfinite(number):
        return NOTHING
    if kind == "binary":
        return _rate(number)
    if kind == "latency":
        return _seconds(number)
    if kind == "tokens":
        return f"{number:,.0f}"
    if kind == "cost":
        return _dollars(number)
    return _plain(number)


def change(kind: Kind, baseline: float | None, current: float | None) -> str:
    """Current against baseline, signed: in percent for latency, tokens and cost, else the difference."""
    if baseline is None or current is None or not math.isfinite(current - baseline):
        return NOTHING
    if kind in LOG_KINDS:
        return _percent(current / baseline - 1) if baseline > 0 else NOTHING
    # The mean of equal values may differ from them in the last bit.
    same = math.isclose(current, baseline, rel_tol=1e-9, abs_tol=1e-12)
    return _signed(0.0 if same else current - baseline)


def hides(kind: Kind, upper: float | None) -> str:
    """The drop that could still be there: a ratio's logarithm for latency, tokens and cost, else a difference."""
    if upper is None or not math.isfinite(upper):
        return NOTHING
    if upper < 1e-9:
        return "none"
    if kind in LOG_KINDS:
        return _percent(math.expm1(min(upper, 99.0))).lstrip("+")
    return _signed(upper).lstrip("+")


def interval(kind: Kind, ends: tuple[float, float] | None) -> str:
    """`-0.50 to -0.31`; shares in percent for latency, tokens and cost."""
    if ends is None or not all(map(math.isfinite, ends)):
        return NOTHING
    shown = _percent if kind in LOG_KINDS else _signed
    return " to ".join(shown(end + 0.0) for end in ends)


def _rate(number: float) -> str:
    # A rate that is not quite 0 or 1 must not look as if it were.
    if 0 < number < 0.005:
        return "<0.01"
    if 0.995 <= number < 1:
        return ">0.99"
    return f"{number:.2f}"


def _seconds(number: float) -> str:
    if number >= 99.5:
        return f"{number:,.0f} s"
    if number >= 0.9995:
        return f"{number:.3g} s" if number >= 9.995 else f"{number:.2f} s"
    return f"{number * 1000:.0f} ms" if number >= 0.00995 else f"{number * 1000:.2g} ms"


def _dollars(number: float) -> str:
    if number == 0 or number >= 0.995:
        return f"${number:,.2f}"
    if number < 5e-7:
        return "<$0.000001"
    return f"${number:.{min(6, 1 - math.floor(math.log10(number)))}f}"


def _plain(number: float) -> str:
    size = abs(number)
    if size >= 999_999.5:
        return f"{number:.2e}"
    if size >= 99.995:
        return f"{number:,.0f}"
    if number == 0 or size >= 0.01:
        return f"{number:.2f}"
    return f"{number:.2g}"


def _signed(difference: float) -> str:
    text = _plain(difference)
    return text if text.startswith("-") or difference == 0 else f"+{text}"


def _percent(share: float) -> str:
    if share > 9.995:
        return ">999%"
    text = f"{share:+.0%}" if abs(share) >= 0.9995 else f"{share:+.1%}"
    return "+0.0%" if text == "-0.0%" else text
