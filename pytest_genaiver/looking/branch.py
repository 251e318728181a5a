"""The versions along the branch that is checked out, with one metric's values and where it changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import islice
from statistics import fmean
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters import git
from pytest_genaiver.adapters.tracking.measured import measured, newest_measured, unfinished_runs
from pytest_genaiver.adapters.tracking.store import metric_key
from pytest_genaiver.baseline.recorded import Recorded
from pytest_genaiver.core.changepoints import change_points, on_line, shift_between
from pytest_genaiver.core.identity import sanitise
from pytest_genaiver.core.policy import LOG_KINDS, builtin_kind
from pytest_genaiver.errors import ConfigError
from pytest_genaiver.looking.recordings import policy_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_genaiver.adapters.tracking.measured import Measured
    from pytest_genaiver.adapters.tracking.store import Store, VersionRef
    from pytest_genaiver.core.changepoints import ChangePoint, Shift
    from pytest_genaiver.core.policy import Kind, MetricPolicy
    from pytest_genaiver.core.results import VersionResults
    from pytest_genaiver.options.settings import Settings
    from pytest_genaiver.version import Surveyed


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A version of the branch. `when` is its commit's date, outside git that of its first session. `values` are the
    metric's means of its complete sessions; of those that were cut short, where there are no others.
    """

    ref: VersionRef
    when: datetime
    subject: str
    values: tuple[float, ...]
    cut_short: bool

    @property
    def value(self) -> float | None:
        return fmean(self.values) if self.values else None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """`points` newest first. `changes` are positions in them: the metric changed with that version."""

    metric: str
    policy: MetricPolicy
    kind: Kind
    where: str
    points: tuple[Point, ...]
    changes: Mapping[int, ChangePoint]
    metrics: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def direction(self) -> str:
        return "lower" if self.kind in LOG_KINDS else self.policy.direction or "higher"


def history(store: Store, surveyed: Surveyed, settings: Settings, *, metric: str | None, limit: int) -> History:
    """The newest `limit` versions along first parents of HEAD; outside git those that were recorded last.

    Raises ConfigError for a metric that none of them holds.
    """
    where = _where(surveyed)
    found = list(islice(_along(store, surveyed, settings), limit))
    unfinished = set(unfinished_runs(store)) if found else set()
    recorded = Recorded(store)
    newest = _newest(recorded, found)
    names = tuple(newest.metric_names()) if newest else ()
    chosen = metric or _foremost(names, settings.metrics)
    key = metric_key(chosen)
    if metric is not None and found and not any(key in one.means for one, _ in found):
        raise ConfigError(f"--metric: no version {where} holds {metric!r}; they hold {', '.join(names) or 'none'}")
    policy = policy_of(chosen, settings.metrics, newest.policy if newest else ())
    points = tuple(_point(one, commit, key, unfinished) for one, commit in found)
    return History(
        metric=chosen,
        policy=policy,
        kind=policy.kind or builtin_kind(chosen) or "score",
        where=where,
        points=points,
        changes=_changes(points, recorded, policy, settings.alpha),
        metrics=names,
        warnings=tuple(recorded.warnings),
    )


def _where(surveyed: Surveyed) -> str:
    head = surveyed.head
    if head is None or head.commit is None:
        return f"of {surveyed.app}"
    return f"along {head.branch}" if head.branch else f"along {head.commit[:8]} (detached HEAD)"


def _along(store: Store, surveyed: Surveyed, settings: Settings) -> Iterator[tuple[Measured, git.Logged | None]]:
    """The recorded versions of the configured variant, newest commit first, a commit's dirty versions before it."""
    head, variant = surveyed.head, sanitise(settings.variant) if settings.variant else None
    if head is None or head.commit is None:
        # There may be as many of other variants; the store is asked once.
        for one in newest_measured(store, surveyed.app, _MOST):
            if one.ref.variant == variant:
                yield one, None
        return
    for commits in git.first_parents(head.toplevel, head.commit):
        place = {commit.sha: i for i, commit in enumerate(commits)}
        found = [m for m in measured(store, list(place), surveyed.app) if m.ref.variant == variant]
        found.sort(key=lambda m: (place[m.ref.commit or ""], not m.ref.dirty, -m.ref.created_ms))
        yield from ((one, commits[place[one.ref.commit or ""]]) for one in found)


_MOST = 10_000


def _newest(recorded: Recorded, found: Sequence[tuple[Measured, git.Logged | None]]) -> VersionResults | None:
    """The newest session that can be read: it says how metrics are spelled and judged."""
    for one, _ in found[:5]:
        for cut_short in (False, True):
            if sessions := recorded.sessions(one.ref, None, cut_short=cut_short):
                return sessions[0]
    return None


def _foremost(names: Sequence[str], declared: Sequence[MetricPolicy]) -> str:
    """The metric to show where none was named: the first of the user's own that gates, else `passed`."""
    own = [name for name in names if builtin_kind(name) is None]
    lines = [policy.name for policy in declared if policy.gate == "fail"]
    return next((name for name in (*(line for line in lines if line in own), *own)), "passed")


def _point(one: Measured, commit: git.Logged | None, key: str, unfinished: set[str]) -> Point:
    means = one.means.get(key, {})
    whole = [value for run, value in means.items() if run not in unfinished]
    runs = {run for of_metric in one.means.values() for run in of_metric}
    recorded = datetime.fromtimestamp(one.ref.created_ms / 1000, tz=timezone.utc)
    return Point(
        ref=one.ref,
        when=commit.committed if commit else recorded,
        subject=commit.subject if commit else "",
        values=tuple(whole or means.values()),
        cut_short=runs <= unfinished,
    )


def _changes(
    points: Sequence[Point], recorded: Recorded, policy: MetricPolicy, alpha: float
) -> dict[int, ChangePoint]:
    """Only what may serve as a baseline says anything: clean versions with a complete session."""
    line = [p for p in reversed(points) if p.value is not None and not p.cut_short and not p.ref.dirty]
    kind = policy.kind or builtin_kind(policy.name) or "score"

    def test(before: Sequence[int], after: Sequence[int]) -> Shift | None:
        old, new = ([s for i in side for s in recorded.sessions(line[i].ref, None)] for side in (before, after))
        return shift_between(old, new, policy)

    found = change_points([on_line(p.value or 0.0, kind) for p in line], test, alpha=alpha)
    place = {point.ref.model_id: i for i, point in enumerate(points)}
    return {place[line[change.at].ref.model_id]: change for change in found}


def to_json(found: History) -> dict[str, Any]:
    """Everything, as plain JSON values."""
    return {
        "metric": found.metric,
        "kind": found.kind,
        "direction": found.direction,
        "where": found.where,
        "versions": [
            {
                "name": p.ref.name,
                "model_id": p.ref.model_id,
                "commit": p.ref.commit,
                "date": p.when.isoformat(),
                "subject": p.subject,
                "value": p.value,
                "sessions": len(p.values),
                "dirty": p.ref.dirty,
                "cut_short": p.cut_short,
            }
            for p in found.points
        ],
        "change_points": [
            {
                "version": found.points[place].ref.name,
                "commit": found.points[place].ref.commit,
                "worse": change.shift.worse,
                "before": change.shift.before,
                "after": change.shift.after,
                "cases": change.shift.cases,
                "p": change.shift.p,
                "level": change.level,
            }
            for place, change in found.changes.items()
        ],
        "metrics": list(found.metrics),
        "warnings": list(found.warnings),
    }
