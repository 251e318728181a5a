"""MLflow's names that are not public, and what is used of each: a release that moves one fails here, by name."""

from __future__ import annotations

import ast
import inspect
import logging
import pkgutil
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.genai import scorer
from mlflow.genai.judges import make_judge
from mlflow.genai.scorers import Correctness, RegexMatch, Scorer, make_scorer_ensemble
from mlflow.metrics.genai import make_genai_metric

import pytest_genaiver.adapters.scorers
from pytest_genaiver.adapters.scorers import internals

PACKAGE = Path(pytest_genaiver.adapters.scorers.__file__).parent
PUBLIC = {"mlflow.entities", "mlflow.genai.scorers", "mlflow.metrics", "mlflow.metrics.genai"}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("mlflow.genai.judges.utils:get_default_model", []),
        ("mlflow.metrics.genai.utils:_get_default_model", []),
        ("mlflow.genai.scorers:Scorer.run", ["self", "inputs", "outputs", "expectations", "trace"]),
        ("mlflow.metrics.metric_definitions:_flesch_kincaid_eval_fn", ["predictions", "targets", "metrics"]),
        ("mlflow.metrics.metric_definitions:_toxicity_eval_fn", ["predictions", "targets", "metrics"]),
    ],
)
def test_a_function_takes_what_we_give(name: str, wanted: list[str]) -> None:
    found = list(inspect.signature(pkgutil.resolve_name(name)).parameters)
    assert found[: len(wanted)] == wanted, f"MLflow {mlflow.__version__}: {name} takes {found}"


def test_default_models_are_uris() -> None:
    assert ":/" in internals.default_judge()
    assert ":/" in internals.default_metric_judge()


def test_the_function_of_a_decorated_scorer_is_kept() -> None:
    def polite(outputs: str) -> bool:
        return True

    assert internals.function_of(scorer(polite)) is polite
    assert internals.function_of(Correctness()) is None


def test_where_a_judge_is_asked_is_kept() -> None:
    made = make_judge(name="x", instructions="{{ outputs }}", model="openai:/m", base_url="http://a")
    assert internals.base_url(made) == "http://a"
    assert internals.base_url(Correctness()) is None


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_where_a_metrics_judge_is_asked_is_in_its_closure() -> None:
    settings: dict[str, Any] = {"name": "x", "definition": "d", "grading_prompt": "g", "model": "openai:/m"}
    assert internals.metric_base_url(make_genai_metric(**settings, proxy_url="http://a")) == "http://a"
    assert internals.metric_base_url(make_genai_metric(**settings)) is None
    assert internals.metric_base_url(type("Metric", (), {"eval_fn": print})) is None


def test_an_ensembles_members_are_kept() -> None:
    inner = RegexMatch(pattern="x")
    made = make_scorer_ensemble(name="e", scorers=[inner], ensemble_fn="agg_all")
    assert internals.members(made) == [inner]
    assert internals.members(inner) == []
    assert internals.members(internals.isolated(made)) == [inner]


def test_a_wrapped_metric_is_a_threads_own() -> None:
    class Wrapped(Scorer):
        name: str = "wrapped"

        def __init__(self, metric: Any) -> None:
            super().__init__()
            object.__setattr__(self, "_metric", metric)

    metric = type("Metric", (), {"score": None})()
    given = Wrapped(metric)
    made = internals.isolated(given)
    made._metric.score = 1
    assert made is not given
    assert metric.score is None
    assert internals.isolated(Correctness()) is not None


def test_wrapped_scorers_keep_model_and_metric_where_we_look() -> None:
    """Their modules need the frameworks, their source does not."""
    folder = Path(mlflow.__file__).parent / "genai" / "scorers"
    for name in ("deepeval", "ragas", "phoenix"):
        assert "self._model = " in (folder / name / "__init__.py").read_text(encoding="utf-8"), name
    for name in ("deepeval", "ragas"):
        assert "self._metric = metric_class(" in (folder / name / "__init__.py").read_text(encoding="utf-8"), name


def test_an_aligned_judge_keeps_the_one_that_it_refines() -> None:
    source = Path(mlflow.__file__).parent / "genai" / "judges" / "optimizers" / "memalign" / "optimizer.py"
    assert "self._base_judge = " in source.read_text(encoding="utf-8")
    assert internals.base_judge(Correctness()) is None


def test_what_a_judge_spent_has_its_keys() -> None:
    keys = internals.judge_usage_keys()
    assert list(keys) == ["input_tokens", "output_tokens", "cost"]
    assert all(key.startswith("mlflow.assessment.judge") for key in keys.values())


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_mlflows_metrics_say_in_their_log_why_they_give_none(caplog: pytest.LogCaptureFixture) -> None:
    metric: Any = mlflow.metrics.flesch_kincaid_grade_level()
    with caplog.at_level(logging.WARNING):
        assert metric(predictions=[5]) is None
    (record,) = caplog.records
    assert record.name == internals.METRICS_LOGGER
    assert record.getMessage().startswith("Cannot calculate flesch_kincaid for non-string inputs")
    assert record.getMessage().endswith("Skipping metric logging.")


def test_one_file_alone_knows_what_is_not_public() -> None:
    found = set()
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{a.name}" for a in node.names]
            elif isinstance(node, ast.Import):
                names = [f"{a.name}." for a in node.names]
            for module, _, name in (n.rpartition(".") for n in names if n.startswith("mlflow")):
                if module not in PUBLIC or name.startswith("_"):
                    found.add(path.name)
    assert found == {"internals.py"}
