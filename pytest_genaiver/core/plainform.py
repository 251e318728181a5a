"""Any value in a form that can be shown and stored: plain JSON types, bounded in depth and length."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence, Set
from itertools import islice
from typing import Any

MOST_CHARACTERS = 20_000
MOST_ITEMS = 1_000
MOST_LEVELS = 20
MOST_TEXT = 80

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")


def plain(value: object, levels: int = MOST_LEVELS) -> Any:
    """The value as JSON types. Long text is cut, with a count of what was cut.

    What has no such form is named by its type, and by a short text where its class gives it one: never by the text
    that every object has, which holds a memory address.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, str):
        return _cut(str.__str__(value))
    if levels == 0:
        return f"<{type(value).__name__}>"
    try:
        return _composite(value, levels - 1)
    except Exception:
        # Whatever a value's own methods raise: it is shown as what it is, and the session goes on.
        return f"<{type(value).__name__}>"


def _number(value: float) -> Any:
    if isinstance(value, int):
        return int(value) if value.bit_length() <= 64 else f"<int of {value.bit_length()} bits>"
    return float(value) if math.isfinite(value) else str(float(value))


def _cut(text: str) -> str:
    if len(text) <= MOST_CHARACTERS:
        return text
    return f"{text[:MOST_CHARACTERS]}… ({len(text) - MOST_CHARACTERS:,} more characters)"


def _composite(value: Any, levels: int) -> Any:
    kind = type(value)
    if callable(getattr(kind, "model_dump", None)):
        return plain(value.model_dump(), levels)
    if dataclasses.is_dataclass(kind):
        return {field.name: plain(getattr(value, field.name), levels) for field in dataclasses.fields(kind)}
    if isinstance(value, Mapping):
        return _mapping(value, levels)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"<{kind.__name__} of {len(value):,} bytes>"
    if isinstance(value, (Sequence, Set)):
        return _items(value, levels)
    return plain(value.tolist(), levels) if hasattr(kind, "dtype") else _named(value)


def _named(value: Any) -> str:
    """`<UUID: 3f2b...>`; the type alone for a value without a text of its own, or with one that holds an address."""
    kind = type(value)
    own = any(name in vars(base) for base in kind.__mro__[:-1] for name in ("__str__", "__repr__"))
    text = " ".join(str(value).split()) if own and kind is not type and not callable(value) else ""
    if not text or _ADDRESS.search(text):
        return f"<{kind.__name__}>"
    return f"<{kind.__name__}: {text if len(text) <= MOST_TEXT else text[:MOST_TEXT] + '…'}>"


def _mapping(value: Mapping[Any, Any], levels: int) -> dict[str, Any]:
    found = {str(key): plain(one, levels) for key, one in islice(value.items(), MOST_ITEMS)}
    return found if len(value) <= MOST_ITEMS else {**found, "…": f"{len(value) - MOST_ITEMS:,} more"}


def _items(value: Sequence[Any] | Set[Any], levels: int) -> list[Any]:
    found = [plain(one, levels) for one in islice(value, MOST_ITEMS)]
    return found if len(value) <= MOST_ITEMS else [*found, f"… {len(value) - MOST_ITEMS:,} more"]
