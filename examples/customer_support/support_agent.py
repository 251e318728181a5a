"""The app under test: a customer support agent. One prompt, one model, one call."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path

from openai import OpenAI

PROMPT = Path(__file__).with_name("prompts") / "system.md"
MODEL = os.environ.get("SUPPORT_MODEL", "gpt-4o-mini")


def support_agent(question: str) -> str:
    """Answer a customer; the first line names the help-centre topic. Raises `openai.OpenAIError`."""
    response = _client().chat.completions.create(
        model=MODEL,
        messages=[
            {"role": "system", "content": PROMPT.read_text(encoding="utf-8")},
            {"role": "user", "content": question},
        ],
        temperature=0.7,
        max_tokens=300,
    )
    return response.choices[0].message.content or ""


@cache
def _client() -> OpenAI:
    return OpenAI()


def _main() -> None:
    from fake_llm import endpoint  # only a run by hand may need the stand-in; the app itself never does

    with endpoint():
        print(support_agent(" ".join(sys.argv[1:]) or "How do I reset my password?"))


if __name__ == "__main__":
    _main()
