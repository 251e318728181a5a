"""One finding of `genaiver doctor`, and work that may take only so long."""

from __future__ import annotations

import re
import threading
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`fail` is what must be mended before a session can work, `warn` what may surprise; `fix` says how."""

    check: str
    state: State
    text: str
    fix: str | None = None

    def to_json(self) -> dict[str, str | None]:
        return asdict(self)


def ok(check: str, text: str) -> Finding:
    return Finding(check=check, state="ok", text=text)


def warn(check: str, text: str, fix: str) -> Finding:
    return Finding(check=check, state="warn", text=text, fix=fix)


def fail(check: str, text: str, fix: str) -> Finding:
    return Finding(check=check, state="fail", text=text, fix=fix)


def release(version: str) -> tuple[int, ...]:
    """`3.18.0rc1` as (3, 18, 0): enough to compare with a floor."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()


def within(seconds: float, work: Callable[[], T]) -> T:
    """What the work returns or raises; TimeoutError when it takes longer: it is left behind."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError
    if errors:
        raise errors[0]
    return results[0]
