"""`target=`: what a test needs set up although its function does not ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest


def target_needs(collector: pytest.Collector, function: Any) -> list[str]:
    """What a test function's target needs beside what the function names as its arguments.

    That is the fixture that the nearest marker names as the target, and the parameters of the case: they are the
    target's inputs, and the function need not take them.
    """
    marks = [*getattr(function, "pytestmark", ()), *collector.iter_markers()]
    target = next((m.kwargs["target"] for m in marks if _named(m, "genai_eval") and "target" in m.kwargs), None)
    if target is None:
        return []
    given = [m.args[0] for m in marks if _named(m, "parametrize") and m.args]
    names = [name.strip() for g in given for name in (g.split(",") if isinstance(g, str) else g)]
    return [*([target] if isinstance(target, str) and ":" not in target else []), *filter(str.isidentifier, names)]


def _named(mark: Any, name: str) -> bool:
    return getattr(mark, "name", "") == name
