"""One version: its snapshot, its metrics, its sessions, where it is deployed and where to look."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters import git
from pytest_genaiver.adapters.tracking.deployments import PINNED
from pytest_genaiver.adapters.tracking.measured import facts_of
from pytest_genaiver.baseline.recorded import Recorded
from pytest_genaiver.concluding.closing import links
from pytest_genaiver.core.deployments import deployments_in, in_order
from pytest_genaiver.core.known import known_metrics
from pytest_genaiver.core.results import Version
from pytest_genaiver.errors import ConfigError
from pytest_genaiver.looking.recordings import load, policy_of

if TYPE_CHECKING:
    from pytest_genaiver.adapters.tracking.measured import Measured
    from pytest_genaiver.adapters.tracking.store import SessionRef, Store, VersionRef
    from pytest_genaiver.core.deployments import Deployment
    from pytest_genaiver.core.known import Known
    from pytest_genaiver.core.results import VersionResults
    from pytest_genaiver.core.snapshot import Snapshot
    from pytest_genaiver.looking.recordings import Recording
    from pytest_genaiver.options.settings import Settings
    from pytest_genaiver.version import Surveyed

FEW_SESSIONS, MOST_SESSIONS = 8, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Everything that `genaiver show` shows. `recording` is None where no results can be read. `sessions` are the
    newest ones, with their results where those could be read; `older` counts the others.
    """

    facts: Measured
    recording: Recording | None
    metrics: tuple[Known, ...]
    sessions: tuple[tuple[SessionRef, VersionResults | None], ...]
    older: int
    deployments: tuple[Deployment, ...]
    subject: str
    where: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]

    @property
    def ref(self) -> VersionRef:
        return self.facts.ref

    @property
    def pinned(self) -> bool:
        return PINNED in self.facts.tags

    @property
    def snapshot(self) -> Snapshot | None:
        return self.recording.snapshot if self.recording else None


def page_of(store: Store, surveyed: Surveyed, settings: Settings, ref: VersionRef, *, every: bool = False) -> Page:
    """Read one version; with `every` all of its sessions."""
    recorded = Recorded(store)
    facts = facts_of(store, ref.model_id)
    refs = store.sessions(ref.model_id)
    shown = refs[: MOST_SESSIONS if every else FEW_SESSIONS]
    sessions = tuple((session, recorded.read(session)) for session in shown)
    try:
        recording = load(recorded, ref)
    except ConfigError:
        recording = None
    version = Version(name=ref.name, app=surveyed.app, model_id=ref.model_id)
    newest = refs[0].run_id if refs else ""
    head = surveyed.head
    return Page(
        facts=facts,
        recording=recording,
        metrics=_metrics(recording, settings) if recording else (),
        sessions=sessions,
        older=len(refs) - len(shown),
        deployments=tuple(in_order(deployments_in(facts.tags, version=ref.name, model_id=ref.model_id))),
        subject=git.subject(head.toplevel, ref.commit) or "" if head and ref.commit else "",
        where=tuple(
            (one.label, one.target) for one in links(store.place, store.experiment_id, version, newest, None)
        ),
        warnings=tuple(recorded.warnings),
    )


def _metrics(recording: Recording, settings: Settings) -> tuple[Known, ...]:
    pooled = recording.pool
    return tuple(known_metrics(pooled, lambda metric: policy_of(metric, settings.metrics, pooled.policy)))


def to_json(page: Page) -> dict[str, Any]:
    """Everything, as plain JSON values."""
    snapshot, ref = page.snapshot, page.ref
    return {
        **asdict(ref),
        "tags": page.facts.tags,
        "subject": page.subject,
        "pinned": page.pinned,
        "deployments": [d.to_json() for d in page.deployments],
        "snapshot": snapshot.to_json() if snapshot else None,
        "metrics": [asdict(m) for m in page.metrics],
        "sessions": [_session_json(*session) for session in page.sessions],
        "older_sessions": page.older,
        "where": [{"label": label, "target": target} for label, target in page.where],
        "warnings": list(page.warnings),
    }


def _session_json(ref: SessionRef, results: VersionResults | None) -> dict[str, Any]:
    facts = asdict(replace(results.session, run_id=ref.run_id)) if results else {"run_id": ref.run_id}
    return {
        **facts,
        "complete": ref.complete,
        "verdict": ref.verdict,
        "baseline": ref.baseline,
        "cases": len(results.cases) if results else None,
    }
