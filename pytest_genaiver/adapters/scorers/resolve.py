"""Whatever a user gave as a scorer -> a Scorer."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

from pytest_genaiver.adapters.scorers.functions import function_scorer
from pytest_genaiver.adapters.scorers.metrics import metric_scorer
from pytest_genaiver.adapters.scorers.mlflow_scorers import instance_of, mlflow_scorer
from pytest_genaiver.adapters.scorers.scorer import Scorer
from pytest_genaiver.core.scoring import shown
from pytest_genaiver.errors import ConfigError

_ALLOWED = (
    "a function that takes any of inputs, outputs, expectations and trace; an MLflow scorer or judge; "
    "or a metric of mlflow.metrics"
)


def resolve(given: object) -> Scorer:
    """One scorer. Raises ConfigError for what is none, in one sentence."""
    if isinstance(given, Scorer):
        return given
    if isinstance(given, type):
        if _descends(given, "Scorer"):
            return instance_of(given)
        raise ConfigError(f"the class {given.__name__} is no scorer; a scorer is {_ALLOWED}")
    if _descends(type(given), "Scorer"):
        return mlflow_scorer(given)
    if _descends(type(given), "EvaluationMetric"):
        return metric_scorer(given)
    if _makes_a_metric(given):
        return resolve(made_metric(given))
    if callable(given):
        return function_scorer(given)
    hint = "; in a marker write the scorer itself, names are for the ini key genai_scorers"
    raise ConfigError(f"{shown(given)} is no scorer: a scorer is {_ALLOWED}{hint if isinstance(given, str) else ''}")


def made_metric(factory: Any) -> object:
    """`mlflow.metrics.toxicity`, which is called for its metric, without MLflow's hint at its newer functions."""
    if required := [p.name for p in inspect.signature(factory).parameters.values() if p.default is p.empty]:
        raise ConfigError(
            f"mlflow.metrics' {factory.__name__} needs {', '.join(required)}: give the metric that it makes, "
            f"{factory.__name__}({', '.join(f'{p}=...' for p in required)})"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return factory()


def _makes_a_metric(given: object) -> bool:
    return inspect.isfunction(given) and str(given.__module__).startswith("mlflow.metrics")


def _descends(kind: type, name: str) -> bool:
    """Whether MLflow's class of this name is among a class's bases; MLflow is not imported to ask."""
    return any(c.__name__ == name and c.__module__.startswith("mlflow.") for c in kind.__mro__)
