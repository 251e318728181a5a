"""What `genaiver prune` would drop, said in full before anything goes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.tracking import pruning
from pytest_genaiver.adapters.tracking.store import shown_uri
from pytest_genaiver.baseline.kept import pooled_versions
from pytest_genaiver.cli.moments import now, short_moment
from pytest_genaiver.cli.output import progress, shown, table
from pytest_genaiver.core.pruning import choose
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pytest_genaiver.adapters.tracking.store import Store
    from pytest_genaiver.cli.project import Project
    from pytest_genaiver.core.pruning import VersionRecord

_SHOWN = 10
_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "KB"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """A version that goes: its traces with their bytes, and the bytes of its files (None: on a server)."""

    version: VersionRecord
    traces: Mapping[str, int]
    artifacts: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What goes, and what stays although it is as old. `recorded` counts all versions."""

    store: Store
    recorded: int
    going: Sequence[Going]
    spared: Mapping[str, str]

    @property
    def traces(self) -> int:
        return sum(len(g.traces) for g in self.going)

    @property
    def trace_bytes(self) -> int:
        return sum(sum(g.traces.values()) for g in self.going)

    @property
    def artifact_bytes(self) -> int | None:
        known = [g.artifacts for g in self.going if g.artifacts is not None]
        return sum(known) if len(known) == len(self.going) else None

    def totals(self) -> str:
        sessions = sum(len(g.version.runs) for g in self.going)
        return ", ".join(
            (_count(len(self.going), "version"), _count(sessions, "session"), _count(self.traces, "trace"))
        )

    def lines(self) -> Iterator[str]:
        """What would go, oldest first, and what would not."""
        stays = Counter(self.spared.values())
        if self.going:
            yield f"to drop, of {_count(self.recorded, 'version')}: {self.totals()}"
            head = ("version", "last session", "sessions", "traces", "size")
            yield from table(head, map(_row, self.going[:_SHOWN]), left=2)
            if len(self.going) > _SHOWN:
                yield f"and {len(self.going) - _SHOWN} more (--json lists them)"
            files = "not known of a server" if self.artifact_bytes is None else size(self.artifact_bytes)
            yield f"about {size(self.trace_bytes)} of traces in the database; files of sessions: {files}"
        else:
            yield f"nothing to drop, of {_count(self.recorded, 'version')}"
        if stays:
            reasons = ", ".join(f"{number} {reason}" for reason, number in sorted(stays.items()))
            yield f"kept all the same: {shown(reasons)}"

    def to_json(self) -> dict[str, Any]:
        return {
            "recorded": self.recorded,
            "versions": [
                {
                    "name": g.version.name,
                    "model_id": g.version.model_id,
                    "last_session": _moment(g.version).isoformat(),
                    "sessions": len(g.version.runs),
                    "traces": len(g.traces),
                    "trace_bytes": sum(g.traces.values()),
                    "artifact_bytes": g.artifacts,
                }
                for g in self.going
            ],
            "kept": dict(self.spared),
            "traces": self.traces,
            "trace_bytes": self.trace_bytes,
            "artifact_bytes": self.artifact_bytes,
        }

    def drop(self, told: Callable[[int], None]) -> Iterator[str]:
        """Drop all that goes; yields the names of those that may not go any more."""
        for one in self.going:
            if pruning.still_free(self.store, one.version):
                pruning.drop(self.store, one.version, list(one.traces), told)
            else:
                yield one.version.name

    def rest(self) -> str:
        """What MLflow still holds of it."""
        place = self.store.place
        uri = shown_uri(place.uri)
        # Both: the first alone is refused.
        where = f"`mlflow gc --backend-store-uri {uri} --tracking-uri {uri}`" if place.database else "`mlflow gc`"
        return f"MLflow keeps deleted sessions and their files until somebody runs {where}"


def plan(project: Project, *, keep: int | None, days: int | None) -> Plan:
    """Look at everything; nothing is changed. Raises ConfigError where it is unknown which versions are baselines."""
    store, app = project.store, project.surveyed.app
    versions = pruning.inventory(store, app)
    pooled = _pooled(project, versions)
    moment = int(now().timestamp() * 1000)
    chosen = choose(versions, pooled, keep=keep, older_than_days=days, now_ms=moment)
    going = []
    for i, version in enumerate(chosen.going, 1):
        traces, files = pruning.traces_of(store, version), pruning.artifact_bytes(store, version)
        going.append(Going(version=version, traces=traces, artifacts=files))
        if i % 100 == 0:
            progress(f"{i} of {len(chosen.going)} versions looked at")
    return Plan(store=store, recorded=len(versions), going=going, spared=chosen.spared)


def _pooled(project: Project, versions: Sequence[VersionRecord]) -> dict[str, str]:
    head = project.surveyed.head
    if head is not None and head.shallow:
        raise ConfigError(
            "this clone is shallow: which versions are baselines cannot be known; run `git fetch --unshallow` first"
        )
    if head is None and any(v.commit for v in versions):
        raise ConfigError(
            "outside git it cannot be known which versions are baselines; run prune in a clone of the project"
        )
    variants = dict.fromkeys(v.variant for v in versions)
    found = pooled_versions(project.store, project.surveyed, variants)
    return dict.fromkeys(found, "in the pool of a baseline")


def size(number: float) -> str:
    """Bytes in words: `1.4 MB`."""
    for unit, name in _UNITS:
        if number >= unit:
            return f"{number / unit:.1f} {name}"
    return f"{number:.0f} bytes"


def _row(one: Going) -> tuple[str, ...]:
    total = sum(one.traces.values()) + (one.artifacts or 0)
    when = short_moment(_moment(one.version))
    return one.version.name, when, str(len(one.version.runs)), f"{len(one.traces):,}", size(total)


def _moment(version: VersionRecord) -> datetime:
    return datetime.fromtimestamp(version.last_ms / 1000, tz=timezone.utc)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
