"""The scorers of a case: those of its markers, of the hook, and of the ini file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.scorers.named import named
from pytest_genaiver.adapters.scorers.resolve import resolve
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pytest

    from pytest_genaiver.adapters.scorers.scorer import Scorer


class Scorers:
    """Resolves what was given, each thing once."""

    def __init__(self, names: Sequence[str]) -> None:
        """`names` are those of the ini file, for every case."""
        self._names = names
        self._everywhere: list[Any] | None = None
        # The thing itself is kept too: its id may not become another's.
        self._known: dict[int, tuple[Any, Scorer]] = {}

    def of(self, item: pytest.Item, marked: Sequence[Any]) -> tuple[Scorer, ...]:
        """The scorers of one item, each once. Raises ConfigError for what is no scorer."""
        if self._everywhere is None:
            self._everywhere = [named(name) for name in self._names]
        try:
            found = [self._resolved(one) for one in (*marked, *_hooked(item), *self._everywhere)]
            return _each_once(found)
        except ConfigError as error:
            raise ConfigError(f"{item.nodeid}: {error}") from error

    def _resolved(self, given: Any) -> Scorer:
        if id(given) not in self._known:
            self._known[id(given)] = given, resolve(given)
        return self._known[id(given)][1]


def _each_once(scorers: Iterable[Scorer]) -> tuple[Scorer, ...]:
    found = {s.fingerprint: s for s in scorers}
    names: dict[str, str] = {}
    for mark, scorer in found.items():
        if names.setdefault(scorer.name, mark) != mark:
            # The mean of what two scorers say would be a metric that neither measures.
            raise ConfigError(f"two different scorers of this case are called {scorer.name!r}; rename one of them")
    return tuple(found.values())


def _hooked(item: pytest.Item) -> Iterable[Any]:
    try:
        answers = item.ihook.pytest_genai_scorers(config=item.config, item=item)
    except Exception as error:
        raise ConfigError(f"pytest_genai_scorers failed: {error!r}") from error
    for answer in answers:
        if answer is not None and not isinstance(answer, (list, tuple)):
            raise ConfigError(f"pytest_genai_scorers returned {type(answer).__name__}; return a list of scorers")
        yield from answer or ()
