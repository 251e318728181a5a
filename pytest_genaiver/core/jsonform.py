"""Strict reading of JSON into values: every error names the path inside the data and what was found there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_genaiver.errors import ResultsError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_Record = TypeVar("_Record", bound="DataclassInstance")

_TYPES: dict[str, tuple[str, tuple[type, ...]]] = {
    "str": ("a string", (str,)),
    "str | None": ("a string or null", (str, type(None))),
    "bool": ("true or false", (bool,)),
    "int": ("a whole number", (int,)),
    "int | None": ("a whole number or null", (int, type(None))),
    "float": ("a finite number", (float,)),
    "float | None": ("a finite number or null", (float, type(None))),
}


def record(kind: type[_Record], value: object, path: str) -> _Record:
    """A flat dataclass from an object whose keys are its fields; unknown keys are ignored."""
    given = as_object(value, path)
    found: dict[str, Any] = {}
    for item in fields(kind):
        if item.name in given:
            found[item.name] = typed(given[item.name], str(item.type), f"{path}.{item.name}")
        elif item.default is MISSING:
            required(given, item.name, path)
    return kind(**found)


def required(given: Mapping[str, Any], key: str, path: str) -> Any:
    """The value of a key that must be there."""
    if key not in given:
        raise ResultsError(f"{path} has no {key!r}")
    return given[key]


def typed(value: Any, kind: str, path: str) -> Any:
    """The value, if it is of the kind that an annotation of a field names; whole numbers are floats too."""
    if kind == "tuple[str, ...]":
        return tuple(as_texts(list(value) if isinstance(value, tuple) else value, path))
    wanted, types = _TYPES[kind]
    if float in types and isinstance(value, int) and not isinstance(value, bool):
        value = _as_float(value)
    fits = isinstance(value, types) and isinstance(value, bool) == (bool in types)
    if not fits or (isinstance(value, float) and not math.isfinite(value)):
        raise ResultsError(f"{path} must be {wanted}, not {shown(value)}")
    return value


def as_object(value: object, path: str) -> dict[str, Any]:
    """The value, if it is a JSON object."""
    if not isinstance(value, dict):
        raise ResultsError(f"{path} must be an object, not {shown(value)}")
    return value


def as_list(value: object, path: str) -> list[Any]:
    """The value, if it is a JSON list."""
    if not isinstance(value, list):
        raise ResultsError(f"{path} must be a list, not {shown(value)}")
    return value


def as_texts(value: object, path: str) -> list[str]:
    """The value, if it is a list of strings."""
    return [typed(item, "str", f"{path}[{index}]") for index, item in enumerate(as_list(value, path))]


def finite(value: Any) -> Any:
    """The same plain JSON value with None wherever a number is NaN or infinite, which JSON cannot say."""
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def shown(value: object) -> str:
    """A value for an error message: its repr, which escapes control characters, cut to 60 characters."""
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    text = "null" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _as_float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf
