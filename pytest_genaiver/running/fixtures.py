"""What pytest knows of an item's fixtures: whose scope ends with the item, and which are up while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

Key = tuple[Any, Any]
"""A fixture's definition, and which of its parameters: one instance of it."""

# They hold nothing that a call could depend on.
_HARMLESS = ("genai_case", "request")


def definitions(item: pytest.Item, name: str) -> tuple[Any, ...]:
    """pytest's definitions of a fixture as this item sees it, the last one counts; empty for a parameter."""
    # pytest offers no other way to ask.
    manager: Any = item.config.pluginmanager.get_plugin("funcmanage")
    node = item if pytest.version_tuple >= (8, 1) else item.nodeid
    return tuple(manager.getfixturedefs(name, node) or ())


def keys(item: pytest.Item) -> tuple[frozenset[Key], bool]:
    """The fixtures of this item that outlive it, and whether it has others, which go up and down with it."""
    wider: set[Key] = set()
    own = False
    for name in _closure(item):
        found = definitions(item, name)
        if not found or name in _HARMLESS:
            continue
        if found[-1].scope == "function":
            own = True
        else:
            wider.add(key(item, name))
    return frozenset(wider), own


def key(item: pytest.Item, name: str) -> Key:
    """The instance of a fixture that this item uses."""
    callspec = getattr(item, "callspec", None)
    return definitions(item, name)[-1], None if callspec is None else callspec.indices.get(name)


def _closure(item: pytest.Item) -> Iterator[str]:
    seen: set[str] = set()
    waiting = list(getattr(item, "fixturenames", ()))
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            yield name
            waiting += [argument for one in definitions(item, name) for argument in one.argnames]
