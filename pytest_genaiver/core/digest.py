"""The digest of a case: did what is asked, or what is expected, change between two versions?

A value counts by its canonical JSON: keys sorted, no spaces, ASCII only, so that the digest is the same in
every process, on every platform and Python version. What plain JSON cannot say is written as an object with
one key that starts with ``$`` (``{"$path": "a/b"}``); a user's own key that starts with ``$`` gets one more.
"""

from __future__ import annotations

import base64
import dataclasses
import enum
import hashlib
import json
import math
from collections.abc import Callable, Mapping, Set
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import PurePath
from typing import Any
from uuid import UUID

# A bound of our own: Python's recursion limit depends on version and on how deep the caller already is.
MAX_DEPTH = 100
# Longer integers have no decimal text: Python refuses to write more than 4,300 digits.
MAX_INTEGER_BITS = 10_000


def digest(
    inputs: Mapping[str, Any],
    expectations: Mapping[str, Any],
    fallback: Mapping[str, str],
    *,
    root: PurePath | None = None,
) -> tuple[str, list[str]]:
    """The SHA-256 (hex) of a case's inputs and expectations, and the warnings to show.

    Dataclasses, attrs and pydantic models, enums, paths, bytes, dates, sets, tuples, `Decimal`, `UUID`, numpy
    scalars and arrays are converted. A list equals a tuple of the same values; ``1``, ``1.0`` and ``True``
    are three values; NaN equals NaN. A value without a JSON form (an object, a cycle, more than `MAX_DEPTH`
    levels) counts by ``fallback[name]``, its parameter id, or else by its type, never by its ``repr``; one
    warning a name says so. Paths below `root` count relative to it, so that a digest does not depend on
    where the project lies.
    """
    warnings: list[str] = []
    document = {}
    for part, values in (("inputs", inputs), ("expectations", expectations)):
        encoded = {}
        for name, value in values.items():
            encoder = _Encoder(fallback.get(name), root)
            encoded[name] = encoder.encode(value)
            if encoder.without_form:
                warnings.append(_warning(part, name, encoder.without_form, fallback.get(name)))
        document[part] = encoded
    return hashlib.sha256(_text(document).encode("ascii")).hexdigest(), warnings


def _warning(part: str, name: str, kinds: list[str], parameter_id: str | None) -> str:
    counts = "its type" if parameter_id is None else f"the parameter id {parameter_id!r}"
    return (
        f"{part} {name!r} holds {', '.join(dict.fromkeys(kinds))} without a JSON form: "
        f"it counts by {counts}, so a change inside it is not noticed; "
        "use plain values, a dataclass or a pydantic model"
    )


def _text(encoded: Any) -> str:
    return json.dumps(encoded, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _type_name(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


class _Encoder:
    """Turns one named value into what `json.dumps` writes alike everywhere."""

    def __init__(self, parameter_id: str | None, root: PurePath | None) -> None:
        self.parameter_id = parameter_id
        self.root = root
        self.without_form: list[str] = []
        self._path: list[int] = []

    def encode(self, value: Any) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, enum.Enum):
            return {"$enum": self._enum(value)}
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, int):
            return value if value.bit_length() <= MAX_INTEGER_BITS else {"$int": hex(value)}
        if isinstance(value, float):
            return value if math.isfinite(value) else {"$float": float.__repr__(value)}
        return self._composite(value)

    def _enum(self, member: enum.Enum) -> Any:
        # The name stands in for a value such as a function. Names of combined flags differ between Python
        # versions, their values do not: the value comes first.
        inner = _Encoder(member.name, self.root)
        return inner.encode(member.value)

    def _composite(self, value: Any) -> Any:
        if id(value) in self._path or len(self._path) >= MAX_DEPTH:
            return self._opaque(value)
        self._path.append(id(value))
        try:
            return self._converted(value)
        except Exception:
            # Whatever a user's model_dump or property raises, that value has no JSON form; a warning says so.
            return self._opaque(value)
        finally:
            self._path.pop()

    def _opaque(self, value: Any) -> Any:
        self.without_form.append(_type_name(value))
        if self.parameter_id is None:
            return {"$type": _type_name(value)}
        return {"$id": self.parameter_id}

    def _converted(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return self._mapping(value)
        if isinstance(value, (list, tuple)):
            return [self.encode(one) for one in value]
        if isinstance(value, Set):
            return {"$set": self._sorted([self.encode(one) for one in value])}
        if isinstance(value, PurePath):
            return {"$path": self._relative(value).as_posix()}
        for kinds, tag, write in _SIMPLE:
            if isinstance(value, kinds):
                return {tag: write(value)}
        return self._object(value)

    def _object(self, value: Any) -> Any:
        kind = type(value)
        if dataclasses.is_dataclass(kind):
            names = [field.name for field in dataclasses.fields(kind) if field.compare]
        elif hasattr(kind, "__attrs_attrs__"):
            names = [field.name for field in kind.__attrs_attrs__ if field.eq]
        elif callable(getattr(kind, "model_dump", None)):
            return {"$object": [kind.__name__, self.encode(value.model_dump())]}
        elif hasattr(kind, "dtype") and hasattr(kind, "tolist"):
            return self._numpy(value)
        else:
            return self._opaque(value)
        return {"$object": [kind.__name__, self.encode({name: getattr(value, name) for name in names})]}

    def _numpy(self, value: Any) -> Any:
        plain = value.tolist()
        # A numpy.longdouble gives itself back: there is no Python number for it.
        return self._opaque(value) if type(plain) is type(value) else self.encode(plain)

    def _mapping(self, value: Mapping[Any, Any]) -> Any:
        if all(type(key) is str for key in value):
            return {f"${key}" if key.startswith("$") else key: self.encode(one) for key, one in value.items()}
        pairs = [[self.encode(key), self.encode(one)] for key, one in value.items()]
        return {"$dict": self._sorted(pairs)}

    def _sorted(self, encoded: list[Any]) -> list[Any]:
        return sorted(encoded, key=_text)

    def _relative(self, path: PurePath) -> PurePath:
        if self.root is not None and path.is_relative_to(self.root):
            return path.relative_to(self.root)
        return path


# A datetime is a date too: it comes first.
_SIMPLE: tuple[tuple[Any, str, Callable[[Any], Any]], ...] = (
    (datetime, "$datetime", datetime.isoformat),
    (date, "$date", date.isoformat),
    (time, "$time", time.isoformat),
    (timedelta, "$timedelta", lambda value: [value.days, value.seconds, value.microseconds]),
    (Decimal, "$decimal", str),
    (UUID, "$uuid", str),
    ((bytes, bytearray, memoryview), "$bytes", lambda value: base64.b64encode(value).decode("ascii")),
)
