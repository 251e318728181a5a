"""A gate of one's own: on a release branch nothing may be in doubt, and no single case may break.

Elsewhere the gate's own decision stands.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_genaiver import Comparison, Decision

RELEASE = "release/"


def pytest_genai_decide(comparison: Comparison, decision: Decision) -> Decision | None:
    """None leaves the decision to the next plugin, at last as it is."""
    branch = comparison.current.version.branch or ""
    if not branch.startswith(RELEASE) or decision.verdict == "regressed":
        return None
    broken = sorted({found.case for metric in decision.metrics.values() for found in metric.broken})
    if broken:
        return replace(decision, verdict="regressed", reason=f"a release with a broken case: {', '.join(broken)}")
    if decision.verdict == "inconclusive":
        return replace(decision, verdict="regressed", reason=f"a release that is in doubt: {decision.reason}")
    return None
