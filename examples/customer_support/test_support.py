"""The evaluation cases of the support agent: ordinary tests, marked `genai_eval`.

`pytest` runs them as plain tests. `pytest --genai-version` also records them under the current git commit and
compares them with the commit that this one will be merged onto.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from questions import QUESTIONS
from support_agent import support_agent

if TYPE_CHECKING:
    from pytest_genaiver import GenaiCase

CASES = [
    pytest.param(question, topic, id=name)
    for topic, questions in QUESTIONS.items()
    for name, question in questions.items()
]


@pytest.mark.genai_eval
@pytest.mark.parametrize(("question", "topic"), CASES)
def test_support(question: str, topic: str, genai_case: GenaiCase) -> None:
    reply = support_agent(question)
    genai_case.score("on_topic", topic in reply.partition("\n")[0])  # soft: compared with the baseline
    assert reply  # hard: an empty answer fails this test at once
