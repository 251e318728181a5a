"""MLflow's own: `@mlflow.test` around `mlflow.genai.evaluate`, one row a test."""

from __future__ import annotations

import mlflow
import pytest
from customers import QUESTIONS
from departments import department_of
from mlflow.genai.scorers import scorer


@scorer
def correct(outputs: str, expectations: dict[str, str]) -> bool:
    return outputs == expectations["department"]


@pytest.mark.genai_eval(soft=True, expectations=("department",))
@mlflow.test
@pytest.mark.parametrize(("question", "department"), QUESTIONS)
def test_department(question: str, department: str) -> None:
    row = {"inputs": {"question": question}, "expectations": {"department": department}}
    result = mlflow.genai.evaluate(data=[row], predict_fn=department_of, scorers=[correct])
    assert result.metrics["correct/mean"] == 1
