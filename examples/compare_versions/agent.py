"""The app under test: a support agent on the `openai` client. Its prompt is what changes from version to version."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from openai import OpenAI

PROMPT = Path(__file__).with_name("prompts") / "system.md"


def support_agent(question: str) -> str:
    """Answer a customer; the first line names the category. Raises `openai.OpenAIError`."""
    response = _client().chat.completions.create(
        model="gpt-4o-mini",
        messages=[
            {"role": "system", "content": PROMPT.read_text(encoding="utf-8")},
            {"role": "user", "content": question},
        ],
        temperature=0.3,
        max_tokens=500,
    )
    return response.choices[0].message.content or ""


@cache
def _client() -> OpenAI:
    return OpenAI()
