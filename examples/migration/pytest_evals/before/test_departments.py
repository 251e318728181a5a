"""pytest-evals: each case fills a bag, and an analysis over all bags holds the accuracy against a bar."""

from __future__ import annotations

from typing import Any

import pytest
from customers import QUESTIONS
from departments import department_of


@pytest.mark.eval(name="departments")
@pytest.mark.parametrize(("question", "department"), QUESTIONS)
def test_department(question: str, department: str, eval_bag: Any) -> None:
    eval_bag.answer = department_of(question)
    eval_bag.correct = eval_bag.answer == department


@pytest.mark.eval_analysis(name="departments")
def test_accuracy(eval_results: Any) -> None:
    accuracy = sum(one.result.correct for one in eval_results) / len(eval_results)
    assert accuracy >= 0.7
