"""What judges have said: the same judge is not asked twice about the same output."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_genaiver.core.digest import digest
from pytest_genaiver.core.jsonform import as_list, as_object, typed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One score that a judge gave, with its reason. `given` is what it said in so many words: True, "yes", 4."""

    name: str
    value: float
    rationale: str | None = None
    given: bool | float | str | None = None


def key(fingerprint: str, inputs: Mapping[str, Any], output: object, expectations: Mapping[str, Any]) -> str | None:
    """What is judged, and by whom; None where a value has no form that could be compared."""
    found, warnings = digest(
        dict(inputs), {"output": output, **{f"expected {k}": v for k, v in expectations.items()}}, {}
    )
    return None if warnings else f"{fingerprint}-{found[:32]}"


@dataclass(slots=True, kw_only=True)
class Judgements:
    """`known` are those of earlier sessions and of this one, `used` those that this session's results rest on.

    `reuse` False: every judge is asked anew.
    """

    reuse: bool = True

    known: dict[str, list[Judgement]] = field(default_factory=dict)
    used: dict[str, list[Judgement]] = field(default_factory=dict)

    def find(self, name: str | None) -> list[Judgement] | None:
        """What was said of it before."""
        if not self.reuse or name is None or name not in self.known:
            return None
        self.used[name] = self.known[name]
        return self.known[name]

    def keep(self, name: str | None, said: Sequence[Judgement]) -> None:
        if name is not None and said:
            self.known[name] = self.used[name] = list(said)

    def to_json(self) -> dict[str, Any]:
        """Those that were used."""
        return _plain(self.used)

    def known_to_json(self) -> dict[str, Any]:
        return _plain(self.known)


def _plain(said: Mapping[str, Sequence[Judgement]]) -> dict[str, Any]:
    return {name: [[j.name, j.value, j.rationale, j.given] for j in each] for name, each in said.items()}


def read(data: object) -> dict[str, list[Judgement]]:
    """The inverse of `Judgements.to_json`. Raises ResultsError, which names the place."""
    return {
        name: [_judgement(one, name) for one in as_list(said, name)]
        for name, said in as_object(data, "judgements").items()
    }


def _judgement(data: object, path: str) -> Judgement:
    name, value, rationale, given = (*as_list(data, path), None, None, None, None)[:4]
    return Judgement(
        name=typed(name, "str", path),
        value=typed(value, "float", path),
        rationale=typed(rationale, "str | None", path),
        given=given if isinstance(given, (bool, int, float, str)) else None,
    )
