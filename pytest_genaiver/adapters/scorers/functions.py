"""Plain functions as scorers, and what any scorer is called with."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.scorers.fingerprints import of_callable
from pytest_genaiver.adapters.scorers.scorer import Sample, Scorer
from pytest_genaiver.core.scores import score_name
from pytest_genaiver.errors import ConfigError, ScoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PARAMETERS = ("inputs", "outputs", "expectations", "trace")


def function_scorer(function: Callable[..., object]) -> Scorer:
    """A function, method, partial or callable object that takes any of inputs, outputs, expectations and trace."""
    name = checked_name(name_of(function))
    parameters = wanted(name, function)

    def call(sample: Sample) -> object:
        return function(**arguments(sample, parameters))

    return Scorer(
        name=name,
        fingerprint=of_callable(name, function),
        call=call,
        reads_trace="trace" in parameters,
    )


def checked_name(name: str) -> str:
    """The name itself. Raises ConfigError for one that no metric may have."""
    try:
        return score_name(name)
    except ScoreError as error:
        raise ConfigError(f"this scorer cannot be used: {error}") from None


def name_of(function: Any) -> str:
    """The name of a callable's metric. Raises ConfigError for a lambda, which has none."""
    if isinstance(function, functools.partial):
        return name_of(function.func)
    own = getattr(function, "__name__", None) or getattr(function, "name", None)
    name = own if isinstance(own, str) else type(function).__name__
    if name == "<lambda>":
        raise ConfigError(
            "a lambda cannot be a scorer, for its metric would have no name; use a function with a name"
        )
    return name


def wanted(name: str, function: Callable[..., object]) -> tuple[str, ...]:
    """Which of the four a callable takes. Raises ConfigError where it requires something else."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise ConfigError(f"the scorer {name!r} cannot be used: Python does not tell what it takes") from None
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return PARAMETERS
    by_name = {p.name for p in parameters if p.kind in {p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY}}
    others = [p.name for p in parameters if p.name not in {*PARAMETERS} & by_name and _is_required(p)]
    if others:
        raise ConfigError(
            f"the scorer {name!r} takes {', '.join(others)}, but a scorer is called with any of "
            f"{', '.join(PARAMETERS)}, by name; rename its parameters or give the others a default"
        )
    return tuple(p for p in PARAMETERS if p in by_name)


def arguments(sample: Sample, parameters: Sequence[str]) -> dict[str, Any]:
    """These parameters' values. The trace is built only if it is one of them."""
    values: dict[str, Callable[[], Any]] = {
        "inputs": lambda: dict(sample.inputs),
        "outputs": lambda: sample.output,
        "expectations": lambda: dict(sample.expectations),
        "trace": sample.trace,
    }
    return {name: values[name]() for name in parameters}


def _is_required(parameter: inspect.Parameter) -> bool:
    return parameter.default is parameter.empty and parameter.kind not in {
        parameter.VAR_POSITIONAL,
        parameter.VAR_KEYWORD,
    }
