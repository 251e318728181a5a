"""Recorded versions side by side: what they score on the same cases, what changed between them, which is best."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters import git
from pytest_genaiver.baseline.recorded import Recorded
from pytest_genaiver.core.best import find_best
from pytest_genaiver.core.moved import moved
from pytest_genaiver.core.shared import decide_between, shared
from pytest_genaiver.core.side_by_side import rows, variant_rows
from pytest_genaiver.core.snapshot import changes
from pytest_genaiver.errors import ConfigError
from pytest_genaiver.looking.recordings import load, policy_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_genaiver.adapters.tracking.store import Store, VersionRef
    from pytest_genaiver.core.best import Best
    from pytest_genaiver.core.decision import MetricDecision
    from pytest_genaiver.core.moved import Moved
    from pytest_genaiver.core.policy import MetricPolicy
    from pytest_genaiver.core.shared import Partner, Shared
    from pytest_genaiver.core.side_by_side import MetricRow
    from pytest_genaiver.core.snapshot import Change
    from pytest_genaiver.looking.recordings import Recording
    from pytest_genaiver.options.settings import Settings
    from pytest_genaiver.version import Surveyed

MOST_COMMITS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """One version against the reference.

    `changes` is None where a snapshot is missing. `came` are its commits (SHA, subject) that the reference lacks,
    newest first, `went` the reference's that it lacks; both None where a commit is not in this clone. `moved` are
    cases of metrics that gate, under the reference's ids.
    """

    partner: Partner
    changes: tuple[Change, ...] | None
    came: tuple[tuple[str, str], ...] | None
    went: tuple[tuple[str, str], ...] | None
    moved: tuple[Moved, ...]
    unlike: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Everything that `genaiver compare` shows. `recordings` are those that share cases with the first one, which is
    the reference; `apart` do not. `against` has one entry for each recording but the first.
    """

    recordings: tuple[Recording, ...]
    apart: tuple[Recording, ...]
    shared: Shared
    rows: tuple[MetricRow, ...]
    variants: tuple[MetricRow, ...]
    against: tuple[Against, ...]
    wanted: tuple[str, ...]
    best: Best | None
    warnings: tuple[str, ...]

    @property
    def letters(self) -> dict[str, str]:
        """Model id -> the letter that stands for the version, in the order in which they were named."""
        return {r.ref.model_id: letter(i) for i, r in enumerate((*self.recordings, *self.apart))}

    @property
    def is_answered(self) -> bool:
        """Whether something was compared, and the best one was found where it was asked for."""
        return bool(self.against and self.shared.cases) and (self.best is None or self.best.winner is not None)


def letter(place: int) -> str:
    """A, B, … Z, AA, AB."""
    return (letter(place // 26 - 1) if place >= 26 else "") + chr(ord("A") + place % 26)


def compare_versions(
    store: Store, surveyed: Surveyed, settings: Settings, refs: Sequence[VersionRef], best: Sequence[str] = ()
) -> Compared:
    """Read the versions, the reference first, and compare them. Raises ConfigError for what cannot be compared."""
    twice = sorted({ref.name for ref in refs if refs.count(ref) > 1})
    if twice:
        raise ConfigError(f"{', '.join(twice)}: named more than once; name versions that differ")
    recorded = Recorded(store)
    loaded = [load(recorded, ref) for ref in refs]
    meet = [loaded[0], *(r for r in loaded[1:] if shared([loaded[0].pool, r.pool]).cases)]
    found = shared([r.pool for r in meet])
    policies = _policies(found, settings)
    wanted = _wanted(best, found, policies)
    options: dict[str, Any] = {"alpha": settings.alpha, "inference": settings.inference}
    return Compared(
        recordings=tuple(meet),
        apart=tuple(r for r in loaded if all(r is not other for other in meet)),
        shared=found,
        rows=tuple(rows(found, policies, **options)) if found.cases else (),
        variants=tuple(variant_rows(found, policies)),
        against=tuple(_against(surveyed, meet, found, policies, i) for i in range(1, len(meet))),
        wanted=wanted,
        best=_best(found, policies, wanted, options) if wanted and len(meet) > 1 and found.cases else None,
        warnings=tuple(recorded.warnings),
    )


def _policies(found: Shared, settings: Settings) -> dict[str, MetricPolicy]:
    known = [policy for pool in found.pools for policy in pool.policy]
    names = dict.fromkeys(m for i in range(len(found.pools)) for m in found.metrics(i))
    return {m: policy_of(m, settings.metrics, known) for m in names}


def _wanted(best: Sequence[str], found: Shared, policies: Mapping[str, MetricPolicy]) -> tuple[str, ...]:
    for metric in best:
        if found.cases and metric not in policies:
            raise ConfigError(
                f"--best: {metric!r} is no metric of the common cases; they have {', '.join(sorted(policies))}"
            )
    return tuple(dict.fromkeys(best))


def _best(
    found: Shared, policies: Mapping[str, MetricPolicy], metrics: Sequence[str], options: Mapping[str, Any]
) -> Best:
    def decide(one: int, other: int, metric: str) -> MetricDecision | None:
        gated = {metric: replace(policies[metric], gate="fail")}
        return decide_between(found, one, other, gated, **options).metrics.get(metric)

    return find_best(len(found.pools), metrics, decide, partial(_held, found), alpha=options["alpha"])


def _held(found: Shared, version: int, metric: str) -> float:
    """Values a case that the version has."""
    known = [sum(v is not None for v in values) for values in found.values(version, metric).values()]
    return sum(known) / len(known)


def _against(
    surveyed: Surveyed,
    recordings: Sequence[Recording],
    found: Shared,
    policies: Mapping[str, MetricPolicy],
    place: int,
) -> Against:
    reference, recording = recordings[0], recordings[place]
    both = reference.snapshot, recording.snapshot
    came, went = _commits(surveyed, reference.ref, recording.ref)
    metrics = found.comparable(0, place)
    told = [m for m in metrics if policies[m].gate == "fail"] or metrics
    before, after = ({m: found.values(i, m) for m in told} for i in (0, place))
    return Against(
        partner=found.partners[place],
        changes=changes(both[0], both[1]) if both[0] and both[1] else None,
        came=came,
        went=went,
        moved=tuple(moved(before, after, {m: replace(policies[m], gate="fail") for m in told})),
        unlike=found.unlike(0, place),
    )


def _commits(
    surveyed: Surveyed, reference: VersionRef, ref: VersionRef
) -> tuple[tuple[tuple[str, str], ...] | None, tuple[tuple[str, str], ...] | None]:
    head, old, new = surveyed.head, reference.commit, ref.commit
    if head is None or old is None or new is None:
        return None, None
    if git.resolve(head.toplevel, old) is None or git.resolve(head.toplevel, new) is None:
        return None, None
    return (
        tuple(git.log(head.toplevel, old, new, MOST_COMMITS)),
        tuple(git.log(head.toplevel, new, old, MOST_COMMITS)),
    )


def to_json(compared: Compared) -> dict[str, Any]:
    """Everything, as plain JSON values."""
    return {
        "versions": [_version(r) for r in compared.recordings],
        "not_compared": [_version(r) for r in compared.apart],
        "common_cases": list(compared.shared.cases),
        "metrics": [_metric(row) for row in compared.rows],
        "variants": [{"variant": row.variant, **_metric(row)} for row in compared.variants],
        "against_first": [
            _against_json(r, a) for r, a in zip(compared.recordings[1:], compared.against, strict=True)
        ],
        "best": _best_json(compared),
        "warnings": list(compared.warnings),
    }


def _version(recording: Recording) -> dict[str, Any]:
    ref, sessions = recording.ref, recording.pool.sessions
    return {
        **asdict(ref),
        "sessions": [s.id for s in sessions],
        "started": sessions[0].started,
        "cases": len(recording.pool.cases),
        "cut_short": recording.cut_short,
        "snapshot": recording.snapshot.digest if recording.snapshot else None,
    }


def _metric(row: MetricRow) -> dict[str, Any]:
    entries = [entry.to_json() for entry in row.entries]
    return {"metric": row.metric, "kind": row.kind, "gate": row.gate, "cases": row.cases, "versions": entries}


def _against_json(recording: Recording, against: Against) -> dict[str, Any]:
    commits = {"came": against.came, "went": against.went}
    return {
        "version": recording.ref.name,
        "changes": None if against.changes is None else [asdict(c) for c in against.changes],
        "commits": {k: None if v is None else [list(c) for c in v] for k, v in commits.items()},
        "moved": [asdict(m) for m in against.moved],
        "measured_otherwise": list(against.unlike),
        "cases": {
            "new": list(against.partner.new),
            "removed": list(against.partner.removed),
            "changed": list(against.partner.changed),
            "variants": dict(against.partner.variants),
        },
    }


def _best_json(compared: Compared) -> dict[str, Any] | None:
    best = compared.best
    if best is None:
        return None
    names = [r.ref.name for r in compared.recordings]
    return {
        "metrics": list(compared.wanted),
        "winner": None if best.winner is None else names[best.winner],
        "left": [names[i] for i in best.left],
        "by": best.by,
        "duels": [
            {
                "metric": d.metric,
                "versions": [names[d.one], names[d.other]],
                "winner": None if d.winner is None else names[d.winner],
                "p": d.p,
                "level": d.level,
                "values_needed": d.needed,
            }
            for d in best.duels
        ],
    }
