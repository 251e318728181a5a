"""Tells a Slack channel of regressions.

Put it beside your tests and name it in a conftest.py (``pytest_plugins = ["slack_notifier"]``), or install it as a
plugin.
`SLACK_WEBHOOK` is the URL of an incoming webhook; without it nothing is sent.
"""

from __future__ import annotations

import json
import os
import urllib.request
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from pytest_genaiver import Comparison, Decision

SECONDS = 10


def pytest_genai_report(config: pytest.Config, comparison: Comparison, decision: Decision) -> None:
    """An error here is a warning of the session, and never changes its verdict."""
    url = os.environ.get("SLACK_WEBHOOK")
    if not url or decision.verdict != "regressed":
        return
    body = json.dumps({"text": message(comparison, decision)}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=SECONDS).close()


def message(comparison: Comparison, decision: Decision) -> str:
    """The version, its baseline, and each metric that regressed with its means; Slack's markup escaped."""
    before = comparison.baseline.version.name if comparison.baseline else "no baseline"
    lines = [f"{comparison.current.version.name} regressed against {before}"]
    lines += [
        f"• {metric.name}: {metric.baseline:.2f} → {metric.current:.2f}"
        for metric in decision.metrics.values()
        if metric.verdict == "regressed" and metric.baseline is not None and metric.current is not None
    ]
    return "\n".join(lines).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
