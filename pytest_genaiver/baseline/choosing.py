"""What --genai-baseline names, or `pytest_genai_baseline` answered, made a baseline."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_genaiver.adapters import git
from pytest_genaiver.baseline.fresh import FORM, Fresh
from pytest_genaiver.core.results import VersionResults
from pytest_genaiver.errors import ConfigError, GenaiverError
from pytest_genaiver.public import NO_BASELINE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_genaiver.baseline.finder import Baseline, Finder
    from pytest_genaiver.core.records import PlannedCase
    from pytest_genaiver.opening import Opened
    from pytest_genaiver.options.settings import Settings


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


def fresh(
    reference: object, opened: Opened, settings: Settings, distance: Callable[[str | None], int | None]
) -> Fresh | None:
    """The baseline that `run:REF` names; None for any other reference. Raises ConfigError."""
    if not isinstance(reference, str) or not reference.startswith(FORM):
        return None
    ref, head = reference.removeprefix(FORM).strip(), opened.surveyed.head
    if head is None:
        raise ConfigError(f"--genai-baseline: {reference!r} needs a git repository, and there is none here")
    sha = git.resolve(head.toplevel, ref)
    if sha is None:
        near = git.near_refs(head.toplevel, ref)
        hint = f"; near: {', '.join(near)}" if near else "; write a branch, tag or commit, such as run:HEAD~1"
        raise ConfigError(f"--genai-baseline: {reference!r}: {ref!r} is no git ref or commit of this clone{hint}")
    if sha in (head.commit, head.tested) and head.dirty is None:
        raise ConfigError(
            f"--genai-baseline: {reference!r} is the version under test itself ({opened.version.name}), "
            "and nothing is changed since; name an earlier commit, such as run:HEAD~1"
        )
    made = tempfile.TemporaryDirectory(prefix="genaiver-twin-")
    found = Fresh(
        opened=opened, settings=settings, reference=ref, sha=sha, distance=distance(sha), folder=Path(made.name)
    )
    found._stack.callback(made.cleanup)
    return found
