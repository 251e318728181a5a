"""Regression gate for GenAI apps: `pytest --genai-version`, on MLflow."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_genaiver.cases import GenaiCase, GenaiVersion
    from pytest_genaiver.core.compare import Comparison
    from pytest_genaiver.core.decision import Decision, MetricDecision
    from pytest_genaiver.core.gate import decide
    from pytest_genaiver.core.policy import MetricPolicy
    from pytest_genaiver.core.results import CaseResult, Version, VersionResults
    from pytest_genaiver.errors import (
        CallRefused,
        CallTimeout,
        ConfigError,
        GenaiverError,
        GenaiverWarning,
        ScoreError,
    )
    from pytest_genaiver.public import NO_BASELINE

__version__ = "0.1.0"

__all__ = [
    "NO_BASELINE",
    "CallRefused",
    "CallTimeout",
    "CaseResult",
    "Comparison",
    "ConfigError",
    "Decision",
    "GenaiCase",
    "GenaiVersion",
    "GenaiverError",
    "GenaiverWarning",
    "MetricDecision",
    "MetricPolicy",
    "ScoreError",
    "Version",
    "VersionResults",
    "__version__",
    "decide",
]

# The entry point imports this module in every pytest run, so the public names are imported when they are asked for.
_HOME = {
    "NO_BASELINE": "public",
    "CallRefused": "errors",
    "CallTimeout": "errors",
    "CaseResult": "core.results",
    "Comparison": "core.compare",
    "ConfigError": "errors",
    "Decision": "core.decision",
    "GenaiCase": "cases",
    "GenaiVersion": "cases",
    "GenaiverError": "errors",
    "GenaiverWarning": "errors",
    "MetricDecision": "core.decision",
    "MetricPolicy": "core.policy",
    "ScoreError": "errors",
    "Version": "core.results",
    "VersionResults": "core.results",
    "decide": "core.gate",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
