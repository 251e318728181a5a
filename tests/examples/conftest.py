"""Makes the demo and the example's modules importable, as they are for a run inside their folders."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

sys.path[:0] = [str(folder) for folder in (EXAMPLES, EXAMPLES / "customer_support") if str(folder) not in sys.path]


@pytest.fixture(autouse=True)
def own_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here may meet the developer's own key, endpoint or seed."""
    for name in [name for name in os.environ if name.startswith(("OPENAI_", "FAKE_LLM_", "SUPPORT_"))]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs here proves the examples: each part has its own tests, and tracing doubles what a session takes."""
    for name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def examples() -> Path:
    return EXAMPLES
