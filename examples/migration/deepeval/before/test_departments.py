"""DeepEval: a test case and its metrics, held to their thresholds by `assert_test`."""

from __future__ import annotations

import pytest
from customers import QUESTIONS
from deepeval import assert_test
from deepeval.metrics import ExactMatchMetric
from deepeval.test_case import LLMTestCase
from departments import department_of


@pytest.mark.parametrize(("question", "department"), QUESTIONS)
def test_department(question: str, department: str) -> None:
    case = LLMTestCase(input=question, actual_output=department_of(question), expected_output=department)
    assert_test(case, [ExactMatchMetric(threshold=1)], run_async=False)
