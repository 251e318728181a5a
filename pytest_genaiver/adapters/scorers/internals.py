"""Every name of MLflow's that is not public, each behind one function.

When one of these names moves, `tests/adapters/scorers/test_canary.py` says which, and this is the file to mend.
"""

from __future__ import annotations

import copy
import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

METRICS_LOGGER = "mlflow.metrics.metric_definitions"
"""Where MLflow's metrics say why they return None."""


def default_judge() -> str:
    """The model that a judge asks when none was named: MLFLOW_GENAI_JUDGE_DEFAULT_MODEL, else MLflow's choice."""
    from mlflow.genai.judges.utils import get_default_model

    return str(get_default_model())


def default_metric_judge() -> str:
    """The same for `mlflow.metrics.genai`."""
    from mlflow.metrics.genai.utils import _get_default_model

    return str(_get_default_model())


def function_of(scorer: Any) -> Callable[..., object] | None:
    """The function that `@scorer` decorates."""
    found: Callable[..., object] | None = getattr(scorer, "_original_func", None)
    return found


def base_url(judge: Any) -> str | None:
    """`make_judge(base_url=...)`: the URL that is asked, as it stands."""
    found: str | None = getattr(judge, "_base_url", None)
    return found


def metric_base_url(metric: Any) -> str | None:
    """`make_genai_metric(proxy_url=...)`: kept nowhere but in the closure."""
    try:
        found = inspect.getclosurevars(metric.eval_fn).nonlocals.get("proxy_url")
    except TypeError:
        return None
    return found if isinstance(found, str) else None


def framework_model(scorer: Any) -> str | None:
    """The model of a wrapped scorer of DeepEval, Ragas, Phoenix or TruLens; None for one that asks none."""
    found: str | None = getattr(scorer, "_model", None)
    return found


def members(scorer: Any) -> list[Any]:
    """The scorers of an ensemble; none for all others."""
    return list(getattr(scorer, "_scorers", ()))


def base_judge(scorer: Any) -> Any:
    """The judge that an aligned one refines; None for all others."""
    return getattr(scorer, "_base_judge", None)


def isolated(scorer: Any) -> Any:
    """A scorer that many threads may call: a wrapped metric of DeepEval's keeps its last result in itself."""
    if metric := getattr(scorer, "_metric", None):
        made = copy.copy(scorer)
        setattr(made, "_metric", copy.copy(metric))  # noqa: B010
        return made
    if inner := members(scorer):
        made = copy.copy(scorer)
        setattr(made, "_scorers", [isolated(each) for each in inner])  # noqa: B010
        return made
    return scorer


def judge_usage_keys() -> Mapping[str, str]:
    """Where MLflow keeps, in a feedback's metadata, what a judge spent."""
    from mlflow.tracing.constant import AssessmentMetadataKey

    return {
        "input_tokens": AssessmentMetadataKey.JUDGE_INPUT_TOKENS,
        "output_tokens": AssessmentMetadataKey.JUDGE_OUTPUT_TOKENS,
        "cost": AssessmentMetadataKey.JUDGE_COST,
    }
