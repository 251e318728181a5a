"""Which recorded versions may go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRecord:
    """A recorded version and its sessions. `last_ms` is when its newest session began, else when it was recorded.

    `half` is True where an earlier prune marked it and was interrupted; `running` where a session of it may not have
    ended yet.
    """

    model_id: str
    name: str
    last_ms: int
    runs: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()
    commit: str | None = None
    variant: str | None = None
    deployed: bool = False
    pinned: bool = False
    half: bool = False
    running: bool = False

    @property
    def bound(self) -> str | None:
        """Why it must stay, whatever its age."""
        if self.deployed:
            return "deployed"
        if self.pinned:
            return "pinned"
        return "being recorded" if self.running else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """`going`, oldest first, so that what is left after an interruption is a smaller record, not another one.

    `spared` would go too, had it not a reason to stay: model id -> reason.
    """

    going: tuple[VersionRecord, ...]
    spared: Mapping[str, str]


def choose(
    versions: Sequence[VersionRecord],
    pooled: Mapping[str, str],
    *,
    keep: int | None = None,
    older_than_days: int | None = None,
    now_ms: int = 0,
) -> Choice:
    """What is beyond the newest `keep` versions, or older than so many days, but for what must stay.

    `pooled` maps the model ids of versions in a pool to the reason. What an interrupted prune left goes in any case.
    """
    newest_first = sorted(versions, key=lambda v: (v.last_ms, v.model_id), reverse=True)
    before = now_ms - (older_than_days or 0) * DAY_MS
    old = newest_first[keep:] if keep is not None else [v for v in newest_first if v.last_ms < before]
    asked = {v.model_id for v in old}
    chosen = [v for v in reversed(newest_first) if v.model_id in asked or v.half]
    reasons = {v.model_id: reason for v in chosen if (reason := v.bound or pooled.get(v.model_id))}
    return Choice(going=tuple(v for v in chosen if v.model_id not in reasons), spared=reasons)
