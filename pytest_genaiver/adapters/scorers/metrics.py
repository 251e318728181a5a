"""`mlflow.metrics`: EvaluationMetric objects, each asked about one sample at a time."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.scorers import internals
from pytest_genaiver.adapters.scorers.builtin_metrics import OWN, Guarded, packages_of
from pytest_genaiver.adapters.scorers.fingerprints import fingerprint, made_of, version_of
from pytest_genaiver.adapters.scorers.functions import checked_name
from pytest_genaiver.adapters.scorers.scorer import Sample, Scorer
from pytest_genaiver.adapters.scorers.targets import target_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# MLflow says that more tokens are better.
_LOWER = {"token_count"}


def metric_scorer(metric: Any) -> Scorer:
    """An `mlflow.models.EvaluationMetric`; `latency`, known to MLflow in its own evaluation only, is the repeat's."""
    builtin = _is_mlflows(metric)
    name = metric.name if builtin and metric.name == "latency" else checked_name(metric.name)
    model = _model(metric)
    better = metric.greater_is_better
    lower = True if builtin and name in _LOWER else None if better is None else not better
    return Scorer(
        name=name,
        fingerprint=_fingerprint(metric, builtin, model),
        call=_call(metric, builtin, model),
        judge=model is not None,
        lower_is_better=lower,
        model=model,
        base_url=internals.metric_base_url(metric) if model else None,
    )


def _is_mlflows(metric: Any) -> bool:
    return str(getattr(metric.eval_fn, "__module__", "")).startswith("mlflow.")


def _model(metric: Any) -> str | None:
    """The judge of a metric by `make_genai_metric`; None for one that computes."""
    if metric.genai_metric_args is None:
        return None
    return str(metric.genai_metric_args.get("model") or internals.default_metric_judge())


def _fingerprint(metric: Any, builtin: bool, model: str | None) -> str:
    about = [metric.name, metric.version, metric.greater_is_better, metric.metric_details]
    if model is not None:
        return fingerprint(*about, model, metric.genai_metric_args, version_of("mlflow"))
    if builtin:
        return fingerprint(*about, version_of("mlflow"), [version_of(p) for p in packages_of(metric.name)])
    return fingerprint(*about, *made_of(metric.eval_fn))


def _call(metric: Any, builtin: bool, model: str | None) -> Callable[[Sample], object]:
    if builtin and metric.name in OWN:
        return OWN[metric.name]
    asked = metric if callable(metric) else metric.eval_fn
    # A metric's own signature has lost its function's defaults.
    parameters = inspect.signature(metric.eval_fn).parameters
    # MLflow's metrics share what they loaded, and none of it is made for threads.
    guarded = Guarded(metric.name) if builtin and model is None else None

    def call(sample: Sample) -> object:
        values = _values(sample, metric.name, parameters)
        result = guarded.run(lambda: asked(**values)) if guarded else asked(**values)
        return _answer(metric.name, result, model)

    return call


def _values(sample: Sample, name: str, parameters: Mapping[str, inspect.Parameter]) -> dict[str, Any]:
    """What a metric is called with: series of one row each."""
    import pandas as pd

    found: dict[str, Any] = {}
    for parameter in parameters.values():
        if parameter.kind in {parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL}:
            continue
        try:
            value = _value(sample, name, parameter.name)
        except LookupError:
            if parameter.default is parameter.empty:
                raise
            continue
        found[parameter.name] = value if parameter.name == "metrics" else pd.Series([value])
    return found


def _value(sample: Sample, name: str, wanted: str) -> object:
    if wanted in {"predictions", "output", "outputs"}:
        return sample.output
    if wanted in {"inputs", "input"}:
        values = list(sample.inputs.values())
        return values[0] if len(values) == 1 else json.dumps(dict(sample.inputs), default=str, ensure_ascii=False)
    if wanted == "metrics":
        return {}
    for given in (sample.expectations, sample.inputs):
        if wanted in given:
            return given[wanted]
    if wanted == "targets":
        return target_of(name, sample)
    raise LookupError(f"{name} needs {wanted!r}, which this case has neither as an expectation nor as an input")


def _answer(name: str, result: object, model: str | None) -> object:
    """A MetricValue's one row; where a metric gives only aggregates, one row's aggregate is that row's value."""
    if result is None:
        raise ValueError(f"{name} gave no value")
    if not hasattr(result, "aggregate_results"):
        return result
    value: Any = result
    aggregates = value.aggregate_results or {}
    score = value.scores[0] if value.scores is not None and len(value.scores) else None
    why = value.justifications[0] if value.justifications else None
    if value.scores is None:
        score = aggregates.get(name, next(iter(aggregates.values()), None))
    if score is None:
        raise ValueError(why or f"{name} gave no value")
    return _feedback(name, score, why, model)


def _feedback(name: str, score: object, why: str | None, model: str | None) -> object:
    from mlflow.entities import AssessmentSource, Feedback

    from pytest_genaiver.core.scoring import plain

    kind = "CODE" if model is None else "LLM_JUDGE"
    source = AssessmentSource(source_type=kind, source_id=model or f"mlflow.metrics.{name}")
    return Feedback(name=name, value=plain(score), rationale=why, source=source)  # type: ignore[arg-type]
