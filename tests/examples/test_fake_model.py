"""The stand-in model's answers get better with the instructions in the prompt."""

from __future__ import annotations

import pytest
from fake_model import (
    BEST_ACCURACY,
    HELP_CENTRE,
    WORST_ACCURACY,
    accuracy,
    last_text,
    support_reply,
    topic_of,
)
from questions import QUESTIONS
from support_agent import PROMPT

GOOD_PROMPT = PROMPT.read_text(encoding="utf-8")
WORSE_PROMPT = "You are a friendly support agent. Keep it short."


def share_on_topic(prompt: str, draws: int = 50) -> float:
    """The share of answers that name the right topic, over all questions of the example."""
    hits = [
        support_reply(7, [{"role": "system", "content": prompt}, {"role": "user", "content": question}], n)
        .splitlines()[0]
        .endswith(topic)
        for topic, questions in QUESTIONS.items()
        for question in questions.values()
        for n in range(draws)
    ]
    return sum(hits) / len(hits)


def test_the_example_prompt_gets_the_best_accuracy_and_a_bare_one_the_worst() -> None:
    assert accuracy(GOOD_PROMPT) == pytest.approx(BEST_ACCURACY)
    assert accuracy(WORSE_PROMPT) == accuracy("") == WORST_ACCURACY


@pytest.mark.parametrize("lost", ["only", "Topic:", "business_info", "not sure"])
def test_every_instruction_that_a_prompt_loses_costs_accuracy(lost: str) -> None:
    assert WORST_ACCURACY < accuracy(GOOD_PROMPT.replace(lost, "")) < BEST_ACCURACY


@pytest.mark.parametrize(("prompt", "expected"), [(GOOD_PROMPT, BEST_ACCURACY), (WORSE_PROMPT, WORST_ACCURACY)])
def test_answers_are_right_as_often_as_the_accuracy_says(prompt: str, expected: float) -> None:
    assert share_on_topic(prompt) == pytest.approx(expected, abs=0.025)  # 2,000 draws: 2.2 standard errors


def test_every_question_of_the_example_belongs_to_its_topic() -> None:
    found = {question: topic_of(question) for questions in QUESTIONS.values() for question in questions.values()}
    assert found == {question: topic for topic, qs in QUESTIONS.items() for question in qs.values()}
    assert len(found) == 40
    assert set(QUESTIONS) == set(HELP_CENTRE)


def test_a_question_about_nothing_known_is_other() -> None:
    assert topic_of("Who wrote Hamlet?") == "other"
    messages = [{"role": "system", "content": GOOD_PROMPT}, {"role": "user", "content": "Who wrote Hamlet?"}]
    answers = [support_reply(1, messages, n) for n in range(50)]
    assert sum(answer.startswith("Topic: other\n") for answer in answers) > 40


def test_the_question_is_the_last_user_message_in_text_or_parts() -> None:
    parts = [{"type": "text", "text": "Is it "}, {"type": "text", "text": "real oak?"}]
    messages = [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": None},
        {"role": "user", "content": parts},
    ]
    assert last_text(messages, "user") == "Is it real oak?"
    assert last_text(messages, "assistant") == ""
    assert last_text(messages, "system") == ""
