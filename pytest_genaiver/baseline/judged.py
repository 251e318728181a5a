"""What judges said in sessions that are recorded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pytest_genaiver.adapters.tracking.files import JUDGEMENTS
from pytest_genaiver.core.judgements import Judgement, read
from pytest_genaiver.errors import ResultsError, StoreError, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_genaiver.baseline.finder import Baseline
    from pytest_genaiver.core.judgements import Judgements
    from pytest_genaiver.core.records import Plan
    from pytest_genaiver.opening import Opened

_NEWEST = 5
"""Sessions of this version, and of the baseline, that are read: each holds all that its own results rest on."""


def remember(judgements: Judgements, plan: Plan, opened: Opened, baseline: Baseline) -> None:
    """What judges have said in earlier sessions, of this version and of its baseline, where a case asks any."""
    if judgements.reuse and any(case.judges for case in plan.cases.values()):
        judgements.known.update(earlier_judgements(opened, baseline))


def earlier_judgements(opened: Opened, baseline: Baseline) -> dict[str, list[Judgement]]:
    """Oldest first, so that the newest is what counts. What cannot be read is asked again: a warning says so."""
    found: dict[str, list[Judgement]] = {}
    for run_id in reversed(list(dict.fromkeys(_runs(opened, baseline)))):
        try:
            text = opened.store.read_more(run_id, JUDGEMENTS)
            found.update(read(json.loads(text)) if text else {})
        except (ResultsError, StoreError, ValueError) as error:
            warn(f"the judgements of run {run_id} cannot be read, judges are asked again: {error}")
    return found


def _runs(opened: Opened, baseline: Baseline) -> Iterator[str]:
    own = opened.store.sessions(opened.version.model_id or "")
    yield from (session.run_id for session in own[:_NEWEST])
    pooled = baseline.pool.sessions if baseline.pool is not None else ()
    yield from (session.run_id for session in pooled[:_NEWEST] if session.run_id)
