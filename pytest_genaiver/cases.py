"""What a test sees: the fixtures' objects `genai_case` and `genai_version`."""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pytest_genaiver.core.scores import is_feedback, score_name, score_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mlflow.entities import Trace

    from pytest_genaiver.core.results import Version

_UNSET: Any = object()
_using: ContextVar[str | None] = ContextVar("genaiver_using", default=None)


@contextlib.contextmanager
def using(name: str | None) -> Iterator[None]:
    """What runs within is for this version; None is the session's own."""
    token = _using.set(name)
    try:
        yield
    finally:
        _using.reset(token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One call of `genai_case.score`. `value` is None where a Feedback reported an error.

    `version` is the one that was in use, None for the session's own.
    """

    name: str
    value: float | None
    given: Any
    rationale: str | None
    version: str | None = None


class Judging(contextlib.AbstractContextManager[None], contextlib.AbstractAsyncContextManager[None]):
    """A block of a test's body in which a judge is asked, in a coroutine too."""

    def __init__(self, within: contextlib.AbstractContextManager[None]) -> None:
        self._within = within

    def __enter__(self) -> None:
        self._within.__enter__()

    def __exit__(self, *error: Any) -> bool | None:
        return self._within.__exit__(*error)

    async def __aenter__(self) -> None:
        self._within.__enter__()

    async def __aexit__(self, *error: Any) -> bool | None:
        return self._within.__exit__(*error)


class GenaiCase:
    """This case, in this repeat. The same without `--genai-version`, where nothing is recorded."""

    def __init__(
        self,
        *,
        id: str,
        inputs: Mapping[str, Any],
        expectations: Mapping[str, Any],
        repeat: int = 0,
        trace: Callable[[], Trace | None] = lambda: None,
        answer: Callable[[], Any] | None = None,
        judging: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext,
    ) -> None:
        """`answer` gives what the target answered, or raises what it raised; None for a case without a target."""
        self._id = id
        self._inputs = dict(inputs)
        self._repeat = repeat
        self._trace = trace
        self._answer = answer
        self._judging = judging
        self._logged: dict[str, Any] = {}
        self._output: Any = _UNSET
        self._scores: list[Score] = []
        self.expectations: dict[str, Any] = dict(expectations)
        """What is expected of this case; may be updated by the test."""

    @property
    def id(self) -> str:
        """The case's id: its node id, with the path relative to git's top folder."""
        return self._id

    @property
    def inputs(self) -> dict[str, Any]:
        """The inputs: those of the row of `data=` and the test's parameters, less what is an expectation."""
        return self._inputs

    @property
    def repeat(self) -> int:
        """Which execution of this case this is; the first is 0."""
        return self._repeat

    @property
    def output(self) -> Any:
        """What the app answered: the target's result, or what the test set (None until then).

        Where the target raised an exception, this raises it again.
        """
        __tracebackhide__ = True
        self.answered()
        return None if self._output is _UNSET else self._output

    @output.setter
    def output(self, value: Any) -> None:
        self._output = value

    def answered(self) -> None:
        """Take the target's answer, once there is one, as the output, unless the test set another one."""
        __tracebackhide__ = True
        if self._output is _UNSET and self._answer is not None:
            self._output = self._answer()

    @property
    def has_output(self) -> bool:
        """Whether there is an output: set by the test, or asked of the target."""
        return self._output is not _UNSET

    @property
    def logged(self) -> dict[str, Any]:
        """What was logged so far."""
        return dict(self._logged)

    def log(self, **values: Any) -> None:
        """Keep anything that is worth seeing beside the case: it is stored with the results, never compared."""
        self._logged.update(values)

    def judging(self) -> Judging:
        """LLM calls within `with` or `async with` are a judge's: traced, no part of the app's latency, tokens, cost.

        MLflow's own scorers and judges need no such block: they are recognised where the test's body calls them.
        """
        return Judging(self._judging())

    @property
    def scores(self) -> tuple[Score, ...]:
        """What was scored so far, in order."""
        return tuple(self._scores)

    @property
    def trace(self) -> Trace | None:
        """The MLflow trace of this repeat as it stands now; None without `--genai-version`."""
        return self._trace()

    def score(self, name: str, value: Any, *, rationale: str | None = None) -> None:
        """Score this repeat: a bool, a finite number (a numpy scalar too), or an MLflow Feedback.

        A score is soft: it fails no test, the gate compares its mean with the baseline's. The same name scored
        twice in one repeat counts as the mean of both. Raises `ScoreError` (a `TypeError`) for anything else.
        """
        __tracebackhide__ = True
        name = score_name(name)
        number = score_value(name, value)
        if rationale is None and is_feedback(value):
            rationale = value.rationale
        self._scores.append(Score(name=name, value=number, given=value, rationale=rationale, version=_using.get()))


def mean_scores(scores: Sequence[Score]) -> dict[str, float | None]:
    """Metric -> the mean of what was scored under its name; None where each of them is missing."""
    by_name: dict[str, list[float]] = {s.name: [] for s in scores}
    for s in scores:
        if s.value is not None:
            by_name[s.name].append(s.value)
    return {name: sum(values) / len(values) if values else None for name, values in by_name.items()}


class VersionStore(Protocol):
    """What `genai_version` needs of the store."""

    def switch(self, name: str) -> contextlib.AbstractContextManager[None]: ...

    def id_of(self, name: str) -> str: ...

    def log_params(self, params: Mapping[str, str], name: str | None) -> None: ...


class GenaiVersion:
    """The version that this session evaluates. Without `--genai-version` its name is known, and nothing else."""

    def __init__(self, version: Version, store: VersionStore | None = None) -> None:
        self._version = version
        self._store = store

    @property
    def name(self) -> str:
        """The version's name, `{app}-{sha8}` unless it was named; within `use`, and with `versions=`, that one."""
        return _using.get() or self._version.name

    @property
    def model_id(self) -> str | None:
        """The id of its MLflow LoggedModel; None without `--genai-version`."""
        name = _using.get()
        return self._version.model_id if name is None or self._store is None else self._store.id_of(name)

    @property
    def commit(self) -> str | None:
        """The full SHA; None outside git."""
        return self._version.commit

    @property
    def branch(self) -> str | None:
        """The branch; None on a detached HEAD and outside git."""
        return self._version.branch

    @property
    def dirty(self) -> bool:
        """Whether tracked files differ from the commit."""
        return self._version.dirty

    def id_of(self, name: str) -> str | None:
        """The model id of another version, which is made when it is new; None without `--genai-version`."""
        return None if self._store is None else self._store.id_of(name)

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Record configuration of the app (model, temperature, …) with the version; values become text.

        Within `use`, and with `versions=`, it is that version's. A parameter is written once: the same value again
        is fine, another one raises `GenaiverError` naming both.
        """
        if self._store is not None:
            self._store.log_params({str(k): str(v) for k, v in params.items()}, _using.get())

    @contextlib.contextmanager
    def use(self, name: str) -> Iterator[GenaiVersion]:
        """Switch to another version, made when it is new: calls and scores within are its own, not this session's."""
        with using(name), contextlib.nullcontext() if self._store is None else self._store.switch(name):
            yield self
