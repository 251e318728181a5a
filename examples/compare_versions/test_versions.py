"""Three questions with their expected categories, scored by MLflow's metrics, for every version of the agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mlflow
import pandas as pd
import pytest
from agent import support_agent

if TYPE_CHECKING:
    from pytest_genaiver import GenaiCase

eval_data = pd.DataFrame(
    {
        "inputs": [
            "How do I reset my password?",
            "What are your business hours?",
            "Can I get a refund for my order?",
        ],
        "expected_categories": ["account", "business_info", "billing"],
    }
)


@pytest.mark.genai_eval(
    target=support_agent,
    data=eval_data,
    scorers=[
        mlflow.metrics.toxicity(),
        mlflow.metrics.latency(),
        mlflow.metrics.flesch_kincaid_grade_level(),
    ],
)
def test_versions(genai_case: GenaiCase) -> None:
    category = genai_case.expectations["expected_categories"]
    genai_case.score("category", category in genai_case.output.partition("\n")[0])
