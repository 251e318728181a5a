"""What the calls of a version show of its configuration: models with their settings, prompts. Bounded in memory.

What is kept does not depend on the order of the calls, nor on how they are divided among processes.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_genaiver.core.snapshot import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MOST_NAMES = 100
"""Models, settings of a model, prompts: of more the first by name are kept, and that there were more is said."""
MOST_VALUES = 8
"""Values of one setting, texts of one prompt: of more it is only said that they vary."""
VARIES = "varies"

_LABEL_WORDS, _LABEL_LENGTH = 6, 48
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
_MOMENT = re.compile(
    rf"""
    \b[0-9a-f]{{8}}-(?:[0-9a-f]{{4}}-){{3}}[0-9a-f]{{12}}\b
    | (?:\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day,?\s+)?
      \b(?: \d{{4}}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?
          | \d{{1,2}}[/.]\d{{1,2}}[/.]\d{{4}}
          | {_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}}
          | \d{{1,2}}(?:st|nd|rd|th)?\s+{_MONTH},?\s+\d{{4}}
      )\b
    | \b\d{{1,2}}:\d\d(?::\d\d(?:\.\d+)?)?(?:\s?[ap]m)?\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_HOLE = re.compile(r"\{\{.*?\}\}")

T = TypeVar("T")
Bounded = dict[str, set[str]]


@dataclass(slots=True)
class Observed:
    """`models` maps a model to its settings and their values, `prompts` a prompt to the digests of its texts."""

    models: dict[str, Bounded] = field(default_factory=dict)
    prompts: Bounded = field(default_factory=dict)

    def call(self, model: str, settings: Mapping[str, str]) -> None:
        """One call of a model, with the settings that it was given."""
        self._add_model(model, {name: (value,) for name, value in settings.items()})

    def registered(self, name: str, version: str, text: str) -> None:
        """One of MLflow's prompts."""
        _add(self.prompts, f"{name}@{version}", (_sha256(text),))

    def system(self, text: str, templates: Sequence[str] = ()) -> None:
        """A system prompt, unless it is one of MLflow's prompts (`templates`) filled in. Its text is not kept."""
        if text.strip() and not any(filled_from(text, template) for template in templates):
            _add(self.prompts, *_labelled(text))

    def add(self, other: Observed) -> None:
        """And what another process saw."""
        for model, settings in other.models.items():
            self._add_model(model, settings)
        for name, digests in other.prompts.items():
            _add(self.prompts, name, digests)

    def _add_model(self, model: str, settings: Mapping[str, Iterable[str]]) -> None:
        _make_room(self.models, model, {})
        for name, values in settings.items():
            _add(self.models.get(model, {}), name, values)

    def settled(self) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
        """The models with their settings, and the prompts, as a snapshot holds them."""
        models = {model: _settled(self.models[model]) for model in sorted(self.models)[:MOST_NAMES]}
        if len(self.models) > MOST_NAMES:
            models[_more("models")] = {}
        return models, _settled(self.prompts)

    def to_json(self) -> dict[str, Any]:
        return {"models": {model: _plain(s) for model, s in self.models.items()}, "prompts": _plain(self.prompts)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Observed:
        return cls(
            models={model: _sets(settings) for model, settings in data["models"].items()},
            prompts=_sets(data["prompts"]),
        )


def filled_from(text: str, template: str) -> bool:
    """Whether a text is a template with its `{{holes}}` filled; one of holes alone is nobody's."""
    first, *rest = _HOLE.split(template)
    if not any(part.strip() for part in (first, *rest)):
        return False
    if not rest:
        return text == template
    last = rest.pop()
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    place, end = len(first), len(text) - len(last)
    for part in rest:
        found = text.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True


def undated(text: str) -> str:
    """The text with each date, time and UUID as `*`: a prompt that tells the day is the same one tomorrow."""
    return _MOMENT.sub("*", text)


@lru_cache(maxsize=64)
def _labelled(text: str) -> tuple[str, tuple[str]]:
    """The name of a system prompt, and the digest of its text."""
    plain = undated(text)
    label = " ".join(plain[: 20 * _LABEL_LENGTH].split()[:_LABEL_WORDS])
    short = label if len(label) <= _LABEL_LENGTH else label[: _LABEL_LENGTH - 3] + "..."
    return SYSTEM + short, (_sha256(plain),)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def _make_room(entries: dict[str, T], name: str, new: T) -> None:
    """An entry of this name, unless there are too many before it.

    One more than are shown is kept, which tells that there are more.
    """
    entries.setdefault(name, new)
    if len(entries) > MOST_NAMES + 1:
        del entries[max(entries)]


def _add(entries: Bounded, name: str, values: Iterable[str]) -> None:
    _make_room(entries, name, set())
    if name in entries:
        entries[name] = set(sorted(entries[name].union(values))[: MOST_VALUES + 1])


def _settled(entries: Bounded) -> dict[str, str]:
    found = {
        name: VARIES if len(entries[name]) > MOST_VALUES else ", ".join(sorted(entries[name]))
        for name in sorted(entries)[:MOST_NAMES]
    }
    return {**found, _more("names"): "not kept"} if len(entries) > MOST_NAMES else found


def _more(what: str) -> str:
    return f"more than {MOST_NAMES} {what}"


def _plain(entries: Bounded) -> dict[str, list[str]]:
    return {name: sorted(values) for name, values in entries.items()}


def _sets(entries: Mapping[str, Iterable[str]]) -> Bounded:
    return {name: set(values) for name, values in entries.items()}
