"""A report without secrets."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from pytest_genaiver.core.secrets import Mask

T = TypeVar("T")


def masked(part: T, mask: Mask) -> T:
    """A part of a report (a dataclass, a tuple, a text), with every text in it masked."""
    found: T = _masked(part, mask)
    return found


def _masked(part: Any, mask: Mask) -> Any:
    if isinstance(part, str):
        return mask.text(part)
    if isinstance(part, tuple):
        return tuple(_masked(one, mask) for one in part)
    if is_dataclass(part) and not isinstance(part, type):
        return replace(part, **{field.name: _masked(getattr(part, field.name), mask) for field in fields(part)})
    return part
