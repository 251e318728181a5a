"""What a scorer is made of, in 16 characters: where they differ, its values are not comparable."""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import textwrap
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

_LENGTH = 16


def fingerprint(*parts: object) -> str:
    """The same parts give the same text in every process and on every machine."""
    text = json.dumps(_stable(parts), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:_LENGTH]


def of_callable(name: str, function: Any) -> str:
    """A name and a function's own source, never its file's, with the plain values that it was made with."""
    return fingerprint(name, *made_of(function))


def made_of(function: Any) -> list[object]:
    """A callable's own source, and what makes two of the same source differ: closure, partial, configuration."""
    if isinstance(function, functools.partial):
        return [*made_of(function.func), function.args, function.keywords]
    if inspect.ismethod(function):
        return [*made_of(function.__func__), *_configuration(function.__self__)]
    if not inspect.isfunction(function):
        return _instance(function)
    closure = inspect.getclosurevars(function).nonlocals
    return [source(function), {name: value for name, value in closure.items() if _is_plain(value)}]


def source(code: Any) -> str:
    """The source of a function or class; where there is none, its bytecode or its name."""
    try:
        return textwrap.dedent(inspect.getsource(code)).strip()
    except (OSError, TypeError):
        compiled = getattr(code, "__code__", None)
        return compiled.co_code.hex() if compiled else type_name(code)


def type_name(kind: Any) -> str:
    return f"{getattr(kind, '__module__', '')}.{getattr(kind, '__qualname__', type(kind).__qualname__)}"


def version_of(package: str) -> str:
    """An installed package's version, empty where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _instance(given: Any) -> list[object]:
    kind = type(given)
    if kind.__module__ == "builtins":
        return [type_name(given)]
    return [source(kind), *_configuration(given)]


def _configuration(given: Any) -> list[object]:
    values = getattr(given, "__dict__", {})
    return [type_name(type(given)), {name: value for name, value in values.items() if _is_plain(value)}]


def _is_plain(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    if isinstance(value, Mapping):
        return all(isinstance(k, str) and _is_plain(v) for k, v in value.items())
    return value is None or isinstance(value, (bool, int, float, str))


def _stable(value: object) -> object:
    """Plain JSON, without the addresses of a `repr` and without a set's order."""
    if isinstance(value, Mapping):
        return {str(k): _stable(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_stable(v) for v in value]
    if isinstance(value, (set, frozenset)):
        return sorted(json.dumps(_stable(v), sort_keys=True) for v in value)
    return value if _is_plain(value) else type_name(value)
