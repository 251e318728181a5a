"""A recorded version as a whole: its sessions, its pool, its snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pytest_genaiver.core.policy import policy_for
from pytest_genaiver.core.pooling import Pool, pool
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_genaiver.adapters.tracking.store import VersionRef
    from pytest_genaiver.baseline.recorded import Recorded
    from pytest_genaiver.core.policy import MetricPolicy
    from pytest_genaiver.core.results import VersionResults
    from pytest_genaiver.core.snapshot import Snapshot

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


def load(recorded: Recorded, ref: VersionRef) -> Recording:
    """Read a version's sessions until they fill its pool. Raises ConfigError where none is recorded."""
    for cut_short in (False, True):
        newest = recorded.sessions(ref, None, cut_short=cut_short)
        if newest:
            sessions = recorded.sessions(ref, newest[0].cases, cut_short=cut_short)
            return Recording(
                ref=ref,
                sessions=tuple(sessions),
                pool=pool(sessions),
                snapshot=next(filter(None, map(recorded.snapshot, sessions[:_SNAPSHOTS_TRIED])), None),
                cut_short=cut_short,
            )
    left_out = f": {recorded.warnings[0]}" if recorded.warnings else ""
    raise ConfigError(f"version {ref.name} has no recorded results{left_out}; run `pytest --genai-version` there")


def policy_of(metric: str, declared: Sequence[MetricPolicy], recorded: Sequence[MetricPolicy]) -> MetricPolicy:
    """The project's policy where a line of it names the metric, else the one that its session was held to, which a
    conftest.py or a scorer may have set.
    """
    if not any(fnmatchcase(metric, policy.name) for policy in declared):
        for policy in recorded:
            if policy.name == metric:
                return policy
    return policy_for(metric, declared)
