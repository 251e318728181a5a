"""A parameter id taken apart: which part of it stands for which parameter."""

from __future__ import annotations

import enum
import inspect
from typing import TYPE_CHECKING, Any

from pytest_genaiver.collecting.marker import names_of, params_of
from pytest_genaiver.core.variants import text_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import pytest


def id_without(item: pytest.Item, names: Collection[str]) -> str:
    """The parameter id without the parts of these parameters; whole where the parts cannot be told apart."""
    callspec: Any = getattr(item, "callspec", None)
    if callspec is None:
        return ""
    parts = [_part_without(item, group, part, names) for group, part in _parts(item)]
    return "-".join(filter(None, parts)) if parts else str(callspec.id)


def texts_of(item: pytest.Item, names: Collection[str], inputs: Mapping[str, Any]) -> dict[str, str]:
    """Name -> the value of these parameters, or columns of the item's row, as a short line.

    A row need not have every column: what it lacks is left out.
    """
    parts = {group[0]: part for group, part in _parts(item) if len(group) == 1}
    params = params_of(item)
    values = {**inputs, **params}
    return {
        name: text_of(values[name], parts.get(name) or (_piece(item, name) if name in params else name))
        for name in names
        if name in values
    }


def _parts(item: pytest.Item) -> list[tuple[Sequence[str], str]]:
    """(the names that were parametrised together, their part of the parameter id); empty where that is unknown."""
    callspec: Any = getattr(item, "callspec", None)
    groups = list(_groups(item))
    # pytest says only by this attribute what it joined to the id. What a hook parametrised together looks like
    # several groups, and a hidden id is missing: then the parts are not told apart.
    parts = getattr(callspec, "_idlist", ())
    return list(zip(groups, map(str, parts), strict=True)) if len(groups) == len(parts) else []


def _groups(item: pytest.Item) -> Iterator[list[str]]:
    together = [names_of(mark) for mark in item.iter_markers("parametrize")]
    seen: set[str] = set()
    callspec: Any = getattr(item, "callspec", None)
    for name in () if callspec is None else callspec.params:
        if name not in seen:
            group = next((names for names in together if name in names), [name])
            seen.update(group)
            yield group


def _part_without(item: pytest.Item, group: Sequence[str], part: str, names: Collection[str]) -> str:
    kept = [name for name in group if name not in names]
    if len(kept) == len(group) or not kept:
        return part if kept else ""
    pieces = {name: _piece(item, name) for name in group}
    if "-".join(pieces.values()) != part:
        # An id of the user's own for the whole set.
        return part
    return "-".join(pieces[name] for name in kept)


def _piece(item: pytest.Item, name: str) -> str:
    """What pytest writes into an id for a value, for the kinds that have a text of their own."""
    callspec: Any = getattr(item, "callspec", None)
    value = callspec.params[name]
    if isinstance(value, str) and not isinstance(value, enum.Enum):
        return value.encode("unicode_escape").decode("ascii")
    if value is None or isinstance(value, (bool, int, float, complex, enum.Enum)):
        return str(value)
    if inspect.isclass(value) or inspect.isfunction(value):
        return value.__name__
    return f"{name}{callspec.indices[name]}"
