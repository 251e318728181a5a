"""A recorded version as a whole: its sessions, its pool, its snapshot."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pytest_genaiver.core.policy import policy_for
from pytest_genaiver.core.pooling import Pool, pool
from pytest_genaiver.core.snapshot import Snapshot
from pytest_genaiver.errors import ConfigError, ResultsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_genaiver.adapters.tracking.store import Store, VersionRef
    from pytest_genaiver.baseline.recorded import Recorded
    from pytest_genaiver.core.policy import MetricPolicy
    from pytest_genaiver.core.results import VersionResults

SNAPSHOT = "genaiver/snapshot.json"
_SNAPSHOTS_TRIED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A version as it is recorded. `sessions` are those that are pooled, newest first: complete ones, or with
    `cut_short` those that were cut short, where there are no others.
    """

    ref: VersionRef
    sessions: tuple[VersionResults, ...]
    pool: Pool
    snapshot: Snapshot | None
    cut_short: bool = False


def load(store: Store, recorded: Recorded, ref: VersionRef) -> Recording:
    """Read a version's sessions until they fill its pool. Raises ConfigError where none is recorded."""
    for cut_short in (False, True):
        newest = recorded.sessions(ref, None, cut_short=cut_short)
        if newest:
            sessions = recorded.sessions(ref, newest[0].cases, cut_short=cut_short)
            return Recording(
                ref=ref,
                sessions=tuple(sessions),
                pool=pool(sessions),
                snapshot=snapshot_of(store, recorded, sessions),
                cut_short=cut_short,
            )
    left_out = f": {recorded.warnings[0]}" if recorded.warnings else ""
    raise ConfigError(f"version {ref.name} has no recorded results{left_out}; run `pytest --genai-version` there")


def snapshot_of(store: Store, recorded: Recorded, sessions: Sequence[VersionResults]) -> Snapshot | None:
    """The newest snapshot; None where it is not recorded. One that cannot be read is named in `recorded.warnings`."""
    for results in sessions[:_SNAPSHOTS_TRIED]:
        run_id = results.session.run_id
        text = store.read_more(run_id, SNAPSHOT) if run_id else None
        if text:
            try:
                return Snapshot.from_json(json.loads(text))
            except (ResultsError, ValueError) as error:
                recorded.warnings.append(f"the snapshot of run {run_id} cannot be read: {error}")
    return None


def policy_of(metric: str, declared: Sequence[MetricPolicy], recorded: Sequence[MetricPolicy]) -> MetricPolicy:
    """The project's policy where a line of it names the metric, else the one that its session was held to, which a
    conftest.py or a scorer may have set.
    """
    if not any(fnmatchcase(metric, policy.name) for policy in declared):
        for policy in recorded:
            if policy.name == metric:
                return policy
    return policy_for(metric, declared)
