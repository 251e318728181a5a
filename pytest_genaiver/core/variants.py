"""Variants: parameters that belong to the app (which model, which prompt), not to what a case asks of it.

One case may run as several variants. Its id and digest leave them out, so that the same case is known again when a
model changes. `{model=gpt-5}` behind an id says which one is meant where there are several.
"""

from __future__ import annotations

import enum
import hashlib
import json
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 60
_KEPT = 40


class Case(Protocol):
    """A case as it was collected, recorded or pooled."""

    @property
    def id(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def function(self) -> str: ...
    @property
    def variant(self) -> Mapping[str, str]: ...
    @property
    def params(self) -> Mapping[str, str]: ...


def text_of(value: Any, otherwise: str) -> str:
    """A parameter's value as one short line, the same in every session; `otherwise` for one that has no text.

    A long value, such as a prompt, is cut and told from others like it by a hash.
    """
    text = _plain(value, otherwise)
    if len(text) <= LONGEST and text.isprintable():
        return text
    start = "".join(c if c.isprintable() else " " for c in text[:_KEPT])
    return f"{start}...{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _plain(value: Any, otherwise: str) -> str:
    if isinstance(value, str) and not isinstance(value, enum.Enum):
        return value
    name = value.name if isinstance(value, enum.Enum) else getattr(value, "__name__", None)
    if isinstance(name, str):
        return name
    try:
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return otherwise


def label(variant: Mapping[str, str]) -> str:
    """`model=gpt-5, temperature=0`, by name; empty for a case without variants."""
    return ", ".join(f"{name}={text}" for name, text in sorted(variant.items()))


def with_variant(bare: str, variant: Mapping[str, str]) -> str:
    """The id followed by its variant, if it has one."""
    return f"{bare}{{{label(variant)}}}" if variant else bare


def bare_id(case: Case) -> str:
    """The case's id without its variant."""
    return case.id.removesuffix(with_variant("", case.variant)) if case.variant else case.id


def full_id(case: Case) -> str:
    """The case's id with its variant, whether or not its session held several."""
    return with_variant(bare_id(case), case.variant)
