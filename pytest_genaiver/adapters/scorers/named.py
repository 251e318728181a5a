"""Scorers by name: the lines of the ini key `genai_scorers`."""

from __future__ import annotations

import difflib
import functools
import importlib
import inspect
from typing import Any

from pytest_genaiver.adapters.scorers.answers import error_line
from pytest_genaiver.adapters.scorers.fingerprints import fingerprint
from pytest_genaiver.adapters.scorers.missing import missing_package
from pytest_genaiver.adapters.scorers.scorer import unavailable
from pytest_genaiver.errors import ConfigError


def named(text: str) -> object:
    """`package.module:attribute`, or the bare name of one of MLflow's scorers or metrics; give it to `resolve`.

    Raises ConfigError for a name that leads nowhere, with those that are near.
    """
    text = text.strip()
    module, colon, attribute = text.partition(":")
    if not colon:
        return _builtin(text)
    if not module or not attribute:
        raise ConfigError(f"genai_scorers: {text!r} must be package.module:attribute, such as my_app.scorers:brief")
    try:
        found: Any = importlib.import_module(module)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        if (reason := missing_package(error)) is not None:
            return unavailable(attribute.rpartition(".")[2], reason, fingerprint("named", text))
        raise ConfigError(f"genai_scorers: {text!r} cannot be imported ({error_line(error)})") from None
    for step in attribute.split("."):
        if not hasattr(found, step):
            raise ConfigError(f"genai_scorers: {text!r} is not there{_near(step, dir(found))}")
        found = getattr(found, step)
    return found


def _builtin(name: str) -> object:
    known = _known()
    if name in known:
        return known[name]
    if "." in name:
        module, _, attribute = name.rpartition(".")
        raise ConfigError(f"genai_scorers: {name!r} needs a colon before its last part: {module}:{attribute}")
    raise ConfigError(
        f"genai_scorers: MLflow has no scorer or metric {name!r}{_near(name, known)}; "
        f"write your own as package.module:attribute"
    )


@functools.cache
def _known() -> dict[str, object]:
    """MLflow's scorer classes and what makes its metrics; where both have a name, the scorer."""
    import mlflow.genai.scorers
    import mlflow.metrics.genai

    found: dict[str, object] = {}
    for module in (mlflow.metrics, mlflow.metrics.genai):
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isfunction(value) and not name.startswith(("make_", "retrieve_")):
                found[name] = value
    for name in mlflow.genai.scorers.__all__:
        value = getattr(mlflow.genai.scorers, name)
        if inspect.isclass(value) and issubclass(value, mlflow.genai.scorers.Scorer) and name != "Scorer":
            found[name] = value
    return found


def _near(name: str, names: Any) -> str:
    public = [n for n in names if not n.startswith("_")]
    lower = {n.lower(): n for n in public}
    near = [lower[n] for n in difflib.get_close_matches(name.lower(), list(lower), n=3, cutoff=0.6)]
    return f"; did you mean {' or '.join(near)}?" if near else ""
