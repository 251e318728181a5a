"""The interpreter and the machine."""

from __future__ import annotations

import platform
import sys
from typing import TYPE_CHECKING

from pytest_genaiver.adapters.snapshot.machine import platform_name, python_version

if TYPE_CHECKING:
    import pytest


def test_this_interpreter_and_machine() -> None:
    assert python_version() == ".".join(map(str, sys.version_info[:3]))
    assert platform_name().startswith(f"{platform.system()} ")


def test_another_interpreter_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "python_implementation", lambda: "PyPy")
    assert python_version().endswith(" (PyPy)")
