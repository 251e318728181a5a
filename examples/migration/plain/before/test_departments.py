"""Plain pytest: quality is an assertion, and the model is a parameter."""

from __future__ import annotations

import pytest
from customers import QUESTIONS
from departments import department_of

MODELS = ["gpt-4o-mini"]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("question", "department"), QUESTIONS)
def test_department(question: str, department: str, model: str) -> None:
    assert department_of(question, model) == department
