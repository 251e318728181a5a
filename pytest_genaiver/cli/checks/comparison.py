"""The baseline that a session would choose now, and why."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from pytest_genaiver.baseline.finder import Finder
from pytest_genaiver.cli.checks.finding import Finding, fail, ok, warn, within
from pytest_genaiver.errors import GenaiverError
from pytest_genaiver.report.wording import baseline_line
from pytest_genaiver.version import default_name, identify

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_genaiver.adapters.tracking.store import Store
    from pytest_genaiver.baseline.finder import Baseline
    from pytest_genaiver.core.results import Version
    from pytest_genaiver.options.settings import Settings
    from pytest_genaiver.version import Surveyed

PATIENCE = 15.0


def look_up(store: Store, surveyed: Surveyed, settings: Settings) -> tuple[list[Finding], dict[str, Any] | None]:
    """Findings, and the baseline's facts: of which cases it holds nothing is said, for none are collected."""
    try:
        version, found = within(PATIENCE, lambda: _find(store, surveyed, settings))
    except TimeoutError:
        late = f"the search took more than {PATIENCE:.0f} s"
        return [fail("baseline", late, "look at the server, or use a local store")], None
    except GenaiverError as error:
        return [fail("baseline", str(error), "correct genai_baseline or GENAI_BASELINE, or use auto")], None
    facts = replace(found.facts, coverage=None)
    return [*_findings(version, settings, replace(found, facts=facts))], asdict(facts)


def _find(store: Store, surveyed: Surveyed, settings: Settings) -> tuple[Version, Baseline]:
    version = identify(surveyed, settings, default_name(surveyed, settings))
    known = store.version_named(version.name)
    version = replace(version, model_id=known.model_id if known else None)
    return version, Finder(store=store, surveyed=surveyed, version=version).find(settings.baseline, {})


def _findings(version: Version, settings: Settings, found: Baseline) -> Iterator[Finding]:
    yield ok("version", f"{version.name}, compared with --genai-baseline {settings.baseline}")
    if found.pool is not None:
        yield ok("baseline", f"{baseline_line(found.facts)}: {found.facts.why}")
    elif settings.baseline == "none":
        yield ok("baseline", "none is asked for")
    elif found.facts.why.startswith("no ancestor"):
        yield warn("baseline", baseline_line(found.facts), "record this commit: later ones compare with it")
    else:
        fix = "run `pytest --genai-version` on the target branch, in CI for each push to it"
        yield warn("baseline", baseline_line(found.facts), fix)
    for warning in found.warnings:
        yield warn("baseline", warning, "see docs/cli-maintenance.md")
