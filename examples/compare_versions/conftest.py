"""Gives the app an endpoint: the real one when OPENAI_API_KEY is set, else the loopback of ../customer_support."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from fake_llm import endpoint

if TYPE_CHECKING:
    import pytest


def pytest_configure(config: pytest.Config) -> None:
    stack = ExitStack()
    stack.enter_context(endpoint())
    config.add_cleanup(stack.close)
