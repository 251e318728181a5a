"""Gives the app an endpoint: the real one when OPENAI_API_KEY is set, else a loopback server."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from fake_llm import FakeLLM, endpoint

LLM: pytest.StashKey[FakeLLM | None] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    """Start one server for the whole session: pytest-xdist's workers inherit its address."""
    stack = ExitStack()
    config.stash[LLM] = stack.enter_context(endpoint())
    config.add_cleanup(stack.close)


def pytest_report_header(config: pytest.Config) -> str:
    llm = config.stash[LLM]
    return f"support agent: loopback LLM, FAKE_LLM_SEED={llm.seed}" if llm else "support agent: real LLM"
