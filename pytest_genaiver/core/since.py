"""What lies between the baseline and this version: what changed of the app, and the commits."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pytest_genaiver.core.observed import VARIES
from pytest_genaiver.core.snapshot import SERVED, SHORT, Change, Snapshot, changes

if TYPE_CHECKING:
    from collections.abc import Sequence

FEW = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """`changes` is None where the baseline recorded no snapshot. `commits` are SHA and subject, newest first, those
    that are known here; `count` is how many there are, None where that is unknown.
    """

    changes: tuple[Change, ...] | None = None
    commits: tuple[tuple[str, str], ...] = ()
    count: int | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "changes": None if self.changes is None else [asdict(change) for change in self.changes],
            "commits": [{"sha": sha, "subject": subject} for sha, subject in self.commits],
            "count": self.count,
        }


def seen(found: Sequence[Change], *, whole: bool) -> tuple[Change, ...]:
    """The changes that a session can tell of: one that left cases out (not `whole`) does not know what these call."""
    called = ("configuration", "model", "prompt")
    return tuple(c for c in found if whole or c.after is not None or c.area not in called)


def told(change: Change) -> str:
    """`openai 1.2 -> 1.3`; of what came or went, which of both."""
    name = "" if change.name in ("model", "python") else f"{change.name} "
    before, after = (_short(change, side) for side in (change.before, change.after))
    if before is None:
        return f"{name}{after} (new)"
    return f"{name}{before} (gone)" if after is None else f"{name}{before} -> {after}"


def _short(change: Change, value: str | None) -> str | None:
    return value[:SHORT] if value is not None and change.area == "code" else value


def otherwise(recorded: Snapshot, now: Snapshot) -> str | None:
    """Says how a version was recorded before, where that was another app than now; None where it was not.

    A version is one thing. What a session did not call is no contradiction: its cases may be others.
    """
    found = [change for change in changes(recorded, now) if _contradicts(change)]
    if not found:
        return None
    dependencies = all(change.area == "dependency" for change in found)
    more = f" and {len(found) - FEW} more" if len(found) > FEW else ""
    how = "with other dependencies" if dependencies else "otherwise"
    return f"this version was recorded {how}: {', '.join(map(told, found[:FEW]))}{more}"


def _contradicts(change: Change) -> bool:
    if change.area in ("dependency", "python", "code"):
        return True
    if change.before is None or change.after is None or change.name.endswith(SERVED):
        return False
    before, after = _values(change.before), _values(change.after)
    return VARIES not in before + after and not set(before) & set(after)


def _values(text: str) -> list[str]:
    return text.split(", ")
