"""The app that all five suites test: it names the department that answers a customer's question."""

from __future__ import annotations

from openai import OpenAI

PROMPT = "You sort the mail of a shop. Answer with one word, the department: billing, delivery or account."


def department_of(question: str, model: str = "gpt-4o-mini") -> str:
    """The department, in lower case. Raises `openai.OpenAIError`."""
    messages = [{"role": "system", "content": PROMPT}, {"role": "user", "content": question}]
    with OpenAI(max_retries=0) as client:
        reply = client.chat.completions.create(model=model, messages=messages)  # type: ignore[arg-type]
    return (reply.choices[0].message.content or "").strip().lower()
