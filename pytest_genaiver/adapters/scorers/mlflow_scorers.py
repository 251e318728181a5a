"""MLflow's own scorers: `@scorer` functions, Scorer classes, built-in and `make_judge` judges, wrapped frameworks."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.scorers import internals
from pytest_genaiver.adapters.scorers.fingerprints import fingerprint, made_of, source, type_name, version_of
from pytest_genaiver.adapters.scorers.functions import PARAMETERS, arguments, checked_name, wanted
from pytest_genaiver.adapters.scorers.missing import missing_package
from pytest_genaiver.adapters.scorers.scorer import Sample, Scorer, unavailable
from pytest_genaiver.core.scoring import one_line
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

# Of a scorer's own description, what does not change its answers, or is a secret.
_NOT_MEANT = {"aggregations", "description", "extra_headers", "mlflow_version", "required_columns", "timeout"}
_DISTRIBUTIONS = {"phoenix": "arize-phoenix-evals", "guardrails": "guardrails-ai", "google_adk": "google-adk"}


def instance_of(kind: Any) -> Scorer:
    """A Scorer class that was given without parentheses. Raises ConfigError where it needs arguments."""
    try:
        given = kind()
    except Exception as error:
        if (reason := missing_package(error)) is not None:
            return unavailable(kind.__name__, reason, fingerprint("class", type_name(kind)))
        raise ConfigError(
            f"the scorer {kind.__name__} cannot be made without arguments ({_summary(error)}); "
            f"give an instance: {kind.__name__}(...)"
        ) from None
    return mlflow_scorer(given)


def mlflow_scorer(given: Any) -> Scorer:
    """An instance of `mlflow.genai.scorers.Scorer`."""
    name = checked_name(given.name)
    if given.is_session_level_scorer:
        raise ConfigError(
            f"the scorer {name!r} judges whole conversations, but a case is scored by itself; "
            f"use one that takes any of {', '.join(PARAMETERS)}"
        )
    reads_trace = _reads_trace(given)
    parameters = [p for p in wanted(name, given.__call__) if p != "trace" or reads_trace]

    def call(sample: Sample) -> object:
        return internals.isolated(given).run(**arguments(sample, parameters))

    model = model_of(given)
    return Scorer(
        name=name,
        fingerprint=fingerprint_of(given, model),
        call=call,
        judge=model is not None,
        reads_trace=reads_trace,
        model=model,
        base_url=internals.base_url(given),
    )


def model_of(given: Any) -> str | None:
    """The model that a judge asks; None for a scorer that asks none, as far as can be told."""
    if (inner := internals.base_judge(given)) is not None:
        return model_of(inner)
    if members := internals.members(given):
        return next((model for each in members if (model := model_of(each)) is not None), None)
    if hasattr(given, "model"):
        return str(given.model or internals.default_judge())
    return internals.framework_model(given)


def fingerprint_of(given: Any, model: str | None) -> str:
    """Of a user's code its own source; of all that is MLflow's its class, configuration, model and versions."""
    if (function := internals.function_of(given)) is not None:
        return fingerprint(given.name, *made_of(function))
    if members := internals.members(given):
        return fingerprint(given.name, _own(given), [fingerprint_of(each, model_of(each)) for each in members])
    if not type(given).__module__.startswith("mlflow."):
        return fingerprint(given.name, source(type(given)), _fields(given), model)
    versions = [version_of("mlflow"), version_of(_framework(given))]
    return fingerprint(given.name, type_name(type(given)), _own(given), model, versions)


def _reads_trace(given: Any) -> bool:
    """Whether the trace adds something to inputs, output and expectations.

    Nearly every judge takes one, but most only to look up what they were not given: they are called without.
    """
    if "trace" not in inspect.signature(given.__call__).parameters:
        return False
    if members := internals.members(given):
        return any(map(_reads_trace, members))
    needed = getattr(given, "template_variables", None) or getattr(given, "required_columns", None)
    return needed is None or "trace" in needed


def _own(given: Any) -> object:
    try:
        return _meant(given.model_dump())
    except Exception:  # one that MLflow cannot serialise, such as an ensemble by a function of the user's
        return _fields(given)


def _fields(given: Any) -> object:
    return _meant({name: getattr(given, name, None) for name in type(given).model_fields})


def _meant(value: object) -> object:
    if isinstance(value, dict):
        return {k: _meant(v) for k, v in value.items() if k not in _NOT_MEANT and v is not None}
    return value


def _framework(given: Any) -> str:
    """`deepeval` of `mlflow.genai.scorers.deepeval.scorers.rag_metrics`."""
    name = type(given).__module__.removeprefix("mlflow.genai.scorers.").partition(".")[0]
    return _DISTRIBUTIONS.get(name, name)


def _summary(error: Exception) -> str:
    """Pydantic's errors have many lines: the first field that is missing is what matters."""
    errors = getattr(error, "errors", None)
    if callable(errors):
        details: list[Mapping[str, Any]] = errors()
        return one_line("; ".join(f"{'.'.join(map(str, d['loc']))}: {d['msg']}".lstrip(": ") for d in details))
    return one_line(str(error)) or type(error).__name__
