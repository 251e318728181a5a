"""LangSmith's marker: inputs, outputs and feedback are logged, and quality is an assertion."""

from __future__ import annotations

import pytest
from customers import QUESTIONS
from departments import department_of
from langsmith import testing


@pytest.mark.genai_eval(soft=True, expectations=("department",))
@pytest.mark.langsmith
@pytest.mark.parametrize(("question", "department"), QUESTIONS)
def test_department(question: str, department: str) -> None:
    testing.log_inputs({"question": question})
    testing.log_reference_outputs({"department": department})
    answer = department_of(question)
    testing.log_outputs({"department": answer})
    testing.log_feedback(key="correct", score=answer == department)
    assert answer == department
