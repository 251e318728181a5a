"""`versions=`: the same case for each of several versions, as a parameter that no function asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

VERSION = "genaiver_version"


def versions_of(node: pytest.Item) -> Any:
    """The nearest `versions=` of the markers on a test, on its class and module; None for none."""
    marks = node.iter_markers("genai_eval")
    return next((mark.kwargs["versions"] for mark in marks if "versions" in mark.kwargs), None)


def version_of(item: pytest.Item) -> str | None:
    """The version that this item is for; None for the session's own."""
    callspec = getattr(item, "callspec", None)
    name: str | None = None if callspec is None else callspec.params.get(VERSION)
    return name


def is_names(value: object) -> bool:
    """Whether this is what `versions=` takes: names, each once."""
    if not isinstance(value, (list, tuple)) or not value:
        return False
    return all(isinstance(name, str) and name.strip() for name in value) and len(set(value)) == len(value)


def parametrize(metafunc: pytest.Metafunc) -> None:
    """One item for each version; names that cannot be used are refused where the marker is read."""
    names = versions_of(metafunc.definition)
    if is_names(names):
        # pytest refuses a parameter that no function or fixture asks for; an item's parameters keep it all the same.
        metafunc.fixturenames.append(VERSION)
        metafunc.parametrize(VERSION, names, ids=names)
