"""What the stand-in model says: a support agent that is the better, the better its system prompt is.

A real model answers at random, and worse when its instructions get worse. So does this one: it grades the
prompt that it receives (`accuracy`), then tosses a seeded coin for each answer (`support_reply`).
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

Message = Mapping[str, Any]

BEST_ACCURACY = 0.96
WORST_ACCURACY = 0.55


class Topic(NamedTuple):
    """One chapter of the shop's help centre: the words that lead to it, and what it says."""

    words: str
    facts: tuple[str, ...]


HELP_CENTRE: Mapping[str, Topic] = {
    "account": Topic(
        "account password email log username profile newsletter",
        (
            "Open Settings > Security; we then mail you a link that is valid for one hour.",
            "You can change this yourself under Settings > Profile.",
        ),
    ),
    "billing": Topic(
        "refund invoice charged card pay payment voucher instalments",
        (
            "Invoices and refunds are listed under Orders > Payments.",
            "Money goes back to the card you paid with, within five working days.",
        ),
    ),
    "business_info": Topic(
        "hours open phone located showroom company closed",
        (
            "We are open Monday to Saturday, 9:00 to 18:00.",
            "Our showroom is at 12 Mill Lane; call us on 555-0142.",
        ),
    ),
    "product": Topic(
        "made oak clean assemble warranty wide weight",
        (
            "Every product page has a sheet with materials, sizes and care.",
            "All furniture carries a five-year warranty.",
        ),
    ),
    "returns": Topic(
        "return send exchange damaged wrong mind",
        (
            "You have 30 days: start under Orders > Return, we collect it at your door.",
            "Tell us within 48 hours, with a photo, and we replace it.",
        ),
    ),
    "shipping": Topic(
        "deliver delivery delivered ship arrive track parcel",
        (
            "Delivery takes three to five working days; the mail holds a tracking link.",
            "Pick a delivery day under Orders > Delivery until the evening before.",
        ),
    ),
}

INSTRUCTIONS: tuple[Callable[[str], bool], ...] = (
    lambda prompt: "help centre" in prompt and "only" in prompt,
    lambda prompt: "topic:" in prompt,
    lambda prompt: all(topic in prompt for topic in HELP_CENTRE),
    lambda prompt: "not sure" in prompt,
)


def accuracy(prompt: str) -> float:
    """The chance of a right answer under a system prompt: 0.55 with none of `INSTRUCTIONS`, 0.96 with all."""
    followed = sum(instruction(prompt.lower()) for instruction in INSTRUCTIONS)
    return WORST_ACCURACY + (BEST_ACCURACY - WORST_ACCURACY) * followed / len(INSTRUCTIONS)


def topic_of(question: str) -> str:
    """The help-centre topic that shares most words with the question; `other` when none shares any."""
    asked = set(re.findall(r"[a-z]+", question.lower()))
    shared = {topic: len(asked.intersection(chapter.words.split())) for topic, chapter in HELP_CENTRE.items()}
    return max(shared, key=shared.__getitem__) if any(shared.values()) else "other"


def draw(seed: int, question: str, n: int) -> random.Random:
    """The randomness of one answer. It hangs on nothing else, so threads and their order change no answer."""
    return random.Random(f"{seed}\n{question}\n{n}")


def support_reply(seed: int, messages: Sequence[Message], n: int) -> str:
    """The answer to the last user message when it is asked for the n-th time (from 0) of a server."""
    question = last_text(messages, "user")
    rng = draw(seed, question, n)
    topic = topic_of(question)
    if rng.random() >= accuracy(last_text(messages, "system")):
        topic = rng.choice([wrong for wrong in (*HELP_CENTRE, "other") if wrong != topic])
    if topic == "other":
        return "Topic: other\nThanks for reaching out! A colleague will get back to you."
    return f"Topic: {topic}\n{rng.choice(HELP_CENTRE[topic].facts)}"


def last_text(messages: Sequence[Message], role: str) -> str:
    """The text of the last message of a role (its text parts joined); "" when there is none."""
    contents = [message.get("content") or "" for message in messages if message.get("role") == role]
    if not contents or isinstance(contents[-1], str):
        return contents[-1] if contents else ""
    return "".join(part.get("text", "") for part in contents[-1])


def tokens(text: str) -> int:
    """A count of tokens as coarse as the usual rule of thumb, four characters each; at least 1."""
    return len(text) // 4 + 1
