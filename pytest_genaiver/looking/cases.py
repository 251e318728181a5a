"""One case of a recorded version: what it was asked, what it answered, how that was scored."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.tracking.files import DETAILS
from pytest_genaiver.core.variants import full_id
from pytest_genaiver.errors import ConfigError, ResultsError

if TYPE_CHECKING:
    from pytest_genaiver.adapters.tracking.store import Store
    from pytest_genaiver.core.policy import Kind
    from pytest_genaiver.core.results import CaseResult, VersionResults
    from pytest_genaiver.looking.page import Page
    from pytest_genaiver.looking.recordings import Recording


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCase:
    """A case as the newest session that holds it recorded it.

    `repeats[j]` is what was kept of repeat j: `output` (`traced` where the test named none), `logged`, `rationales`,
    `errors` of scorers, and in the first one `inputs` and `expectations`; empty where nothing was kept. `kinds` are
    those of the version's metrics.
    """

    case: CaseResult
    session: VersionResults
    repeats: tuple[dict[str, Any], ...]
    kinds: dict[str, Kind]
    traces_page: str

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `scores` has a value for each repeat, null where it is missing."""
        return {
            "case": full_id(self.case),
            "function": self.case.function,
            "location": self.case.location,
            "gate": self.case.gate,
            "session": self.session.session.id,
            "started": self.session.session.started,
            "scores": self.case.scores,
            "traces": self.case.traces,
            "notes": self.case.notes,
            "repeats": list(self.repeats),
        }


def recorded_case(store: Store, page: Page, name: str) -> RecordedCase:
    """Raises ConfigError for a version without results, and for a case that is none, or several; ResultsError."""
    if page.recording is None:
        raise ConfigError(f"version {page.ref.name} has no recorded results: there is no case to show")
    case = case_named(page.recording, name, "--case")
    session = next(s for s in page.recording.sessions if case in s.cases.values())
    details = _details(store, session.session.run_id)
    kept = details.get(full_id(case)) or details.get(case.id) or {}
    count = max((len(values) for values in case.scores.values()), default=0)
    server = next((target.partition("/#/")[0] for _, target in page.where if "/#/" in target), "")
    return RecordedCase(
        case=case,
        session=session,
        kinds={known.metric: known.kind for known in page.metrics},
        repeats=tuple(kept.get(str(j), {}) for j in range(max(count, len(kept)))),
        traces_page=f"{server}/#/experiments/{store.experiment_id}/traces/" if server else "",
    )


def _details(store: Store, run_id: str | None) -> dict[str, Any]:
    text = store.read_more(run_id, DETAILS) if run_id else None
    try:
        return dict(json.loads(text)) if text else {}
    except ValueError as error:
        raise ResultsError(f"{DETAILS} of run {run_id} is no JSON object: {error}") from error


def case_named(recording: Recording, name: str, option: str) -> CaseResult:
    """The case of this id, with or without its variant, or of this parameter id; else the only one that holds it."""
    known = {full_id(c): c for s in reversed(recording.sessions) for c in s.cases.values()}
    exact = [c for full, c in known.items() if name in (full, c.id)]
    exact = exact or [c for full, c in known.items() if full.endswith(f"[{name}]")]
    holding = exact or [c for full, c in known.items() if name and name in full]
    if len(holding) == 1:
        return holding[0]
    if holding:
        some = ", ".join(full_id(c) for c in holding[:5])
        more = f" and {len(holding) - 5} more" if len(holding) > 5 else ""
        raise ConfigError(f"{option}: {name!r} is part of several cases: {some}{more}; write one in full")
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.3) or list(known)[:3]
    raise ConfigError(f"{option}: {name!r} is no case of {recording.ref.name}; near: {', '.join(near)}")
