"""What `pytest_genai_baseline` answered, made a baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_genaiver.core.results import VersionResults
from pytest_genaiver.errors import GenaiverError
from pytest_genaiver.public import NO_BASELINE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_genaiver.baseline.finder import Baseline, Finder
    from pytest_genaiver.core.records import PlannedCase


def choose(reference: object, finder: Finder, cases: Mapping[str, PlannedCase]) -> Baseline:
    """The baseline for these cases. Raises GenaiverError for a reference that cannot be used."""
    if reference is NO_BASELINE:
        return finder.find("none", cases)
    if isinstance(reference, VersionResults):
        return finder.given(reference, cases, "given by pytest_genai_baseline")
    if isinstance(reference, str):
        return finder.find(reference, cases)
    raise GenaiverError(
        f"pytest_genai_baseline returned {reference!r}; allowed are a reference (str), VersionResults, "
        "NO_BASELINE, or None for the next implementation"
    )
