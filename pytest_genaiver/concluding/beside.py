"""Other versions that a session evaluated (`versions=`, `genai_version.use`): kept apart, compared side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_genaiver.concluding import closing
from pytest_genaiver.core.compare import Comparison, compare
from pytest_genaiver.core.identity import sanitise
from pytest_genaiver.core.pooling import pool
from pytest_genaiver.core.results import Version, VersionResults
from pytest_genaiver.version import session_tags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_genaiver.concluding.closing import Ledger
    from pytest_genaiver.concluding.judging import Judge
    from pytest_genaiver.concluding.snapshots import Snapshots
    from pytest_genaiver.core.decision import Decision
    from pytest_genaiver.core.policy import MetricPolicy
    from pytest_genaiver.core.records import Plan
    from pytest_genaiver.opening import Opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """One version beside another one of the same session; the first to run its cases has none beside it."""

    results: VersionResults
    comparison: Comparison | None = None
    decision: Decision | None = None


def others(
    ledger: Ledger, plan: Plan, own: VersionResults, declared: Sequence[MetricPolicy], judge: Judge
) -> list[Beside]:
    """Every other version that something was recorded of, each beside the first one that ran a case of it: the
    session's own, or another that was named before.
    """
    found: list[Beside] = []
    for name in ledger.versions():
        results = _results(name, ledger, plan, own, declared)
        before = (own, *(one.results for one in found))
        reference = next((r for r in before if results.cases.keys() & r.cases.keys()), None)
        found.append(_beside(results, reference, judge))
    return found


def _results(
    name: str, ledger: Ledger, plan: Plan, own: VersionResults, declared: Sequence[MetricPolicy]
) -> VersionResults:
    version = Version(name=sanitise(name), app=own.version.app)
    return closing.results_of(version, own.session, plan, ledger, declared, of=name)


def _beside(results: VersionResults, reference: VersionResults | None, judge: Judge) -> Beside:
    if reference is None:
        return Beside(results=results)
    comparison = compare(pool([reference]), results)
    return Beside(results=results, comparison=comparison, decision=judge.beside(comparison))


def save(opened: Opened, beside: Sequence[Beside], taken: Snapshots) -> None:
    """Record each as a session of its own version, which can be named as a baseline later. Raises StoreError."""
    for one in beside:
        store, version = opened.store, one.results.version
        known = store.version_named(version.name)
        if known is None:
            continue
        results = replace(one.results, version=replace(version, model_id=known.model_id))
        run_id = store.start_session(version.name, session_tags(results.version), known.model_id)
        results.session = replace(results.session, run_id=run_id)
        more = taken.files(known.model_id)
        store.save_results(run_id, closing.results_text(results), closing.table_of(results), more)
        store.save_metrics(run_id, known.model_id, closing.aggregates(results, one.decision))
        done = results.session.complete
        tags = {"genaiver.snapshot": taken.of(known.model_id).digest}
        store.end_session(run_id, {**tags, "genaiver.complete": "true" if done else "false"}, ok=done)
        taken.record(known.model_id, run_id)
