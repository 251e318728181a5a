"""Points in time as a user writes and reads them."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import click

from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

_ISO = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)(?:[T ](?P<hour>\d\d:\d\d)(?P<second>:\d\d)?(?:[.,](?P<part>\d{1,9}))?"
    r"\s?(?P<zone>[Zz]|[+-]\d\d:?(?:\d\d)?)?)?"
)
ALLOWED = (
    "give an ISO 8601 time, such as 2026-01-31T14:30, 2026-01-31T14:30:00Z or 2026-01-31 (its first moment), or now; "
    "without a zone it is this machine's"
)


def now() -> datetime:
    return datetime.now(timezone.utc)


class Moment(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.3
    """An option that is a time; its value is in UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            return read_moment(value, now)
        except (ValueError, OverflowError, OSError) as error:
            option = param.opts[-1] if param else "time"
            raise ConfigError(f"{option}: {value!r} cannot be used; {ALLOWED}") from error


def read_moment(text: str, clock: Callable[[], datetime]) -> datetime:
    """The time in UTC. Raises ValueError; OverflowError or OSError where the machine cannot place it in its zone."""
    if text.strip().lower() == "now":
        return clock()
    found = _ISO.fullmatch(text.strip())
    if not found or (found["part"] and not found["second"]):
        raise ValueError(text)
    part, zone = (found["part"] or "").ljust(6, "0")[:6], _zone(found["zone"])
    whole = f"{found['date']}T{found['hour'] or '00:00'}{found['second'] or ':00'}.{part}{zone}"
    # Of a time without a zone, `astimezone` takes the machine's.
    return datetime.fromisoformat(whole).astimezone(timezone.utc)


def _zone(text: str | None) -> str:
    """`+01:00`, the one form that Python 3.10 reads."""
    if not text:
        return ""
    if text in "Zz":
        return "+00:00"
    digits = text[1:].replace(":", "").ljust(4, "0")
    return f"{text[0]}{digits[:2]}:{digits[2:]}"


def shown_moment(moment: datetime) -> str:
    """`2026-01-31 14:30:00 +0100`, in this machine's zone."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S %z")


def short_moment(moment: datetime) -> str:
    """`2026-01-31 14:30`, for columns, in this machine's zone."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")
