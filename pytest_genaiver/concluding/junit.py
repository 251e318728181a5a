"""The verdict in JUnit XML, as properties of the suite; the scores of a case are properties of its own report."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from pytest_genaiver.report.parts import Summary


def record(config: pytest.Config, summary: Summary) -> None:
    """Add the properties, where pytest writes such a file.

    The fixture `record_testsuite_property` does the same, but there is none at the end of a session: pytest's plugin
    is told by the method that the fixture calls.
    """
    properties = {
        "genai_verdict": summary.verdict,
        "genai_headline": summary.headline,
        "genai_version": summary.version,
        "genai_baseline": summary.baseline,
        **{f"genai_metric:{row.metric}": f"{row.baseline} -> {row.current} ({row.verdict})" for row in summary.rows},
    }
    for plugin in config.pluginmanager.get_plugins():
        add = getattr(plugin, "add_global_property", None)
        if callable(add):
            for name, value in properties.items():
                add(name, value)
