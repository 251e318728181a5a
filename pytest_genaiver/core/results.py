"""What one session recorded about one version, and its JSON form."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from pytest_genaiver.core.jsonform import (
    as_list,
    as_object,
    as_texts,
    finite,
    record,
    required,
    shown,
    typed,
)
from pytest_genaiver.core.policy import MetricPolicy
from pytest_genaiver.core.snapshot import Snapshot
from pytest_genaiver.errors import GenaiverError, ResultsError

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = 1
GATES = ("fail", "warn", "off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """The app at one commit. `tree` is the SHA of the tested tree, `tested` that of a tested merge commit."""

    name: str
    app: str
    model_id: str | None = None
    commit: str | None = None
    branch: str | None = None
    dirty: bool = False
    variant: str | None = None
    tree: str | None = None
    remote: str | None = None
    tested: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """One session. `started` is ISO 8601 in UTC, `repeats` how often every case ran at least.

    `cut_short` says why the session ended early; `traces_stored` is None when the store was not asked;
    `calls_failed` counts calls that the provider failed, which are missing values. `verdict` is the gate's (None:
    it was off), `moved` the metrics that it found regressed or improved, `accepted` those of which a regression was
    accepted. `alpha`, `gate` and `inference` are the bar that the session was held to.
    """

    id: str
    started: str
    complete: bool
    repeats: int
    run_id: str | None = None
    seconds: float | None = None
    cut_short: str | None = None
    traces_produced: int = 0
    traces_stored: int | None = None
    calls_failed: int = 0
    command: str | None = None
    verdict: str | None = None
    moved: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    alpha: float | None = None
    gate: str | None = None
    inference: str | None = None

    @property
    def unchanged(self) -> bool:
        """Whether the gate looked and found no change: only then do older versions say anything about this one."""
        return self.verdict in ("pass", "inconclusive")


@dataclass(slots=True, kw_only=True)
class CaseResult:
    """One case. `scores[metric][j]` is repeat j; a missing value is None in its place.

    `function` is the node id without parameters, `location` is "file:line". `variant` maps the parameters that belong
    to the app to their values, as text; `id` ends with it where the session held several. `params` are those that
    could belong to it.
    """

    id: str
    digest: str
    function: str
    gate: str = "fail"
    scores: dict[str, list[float | None]] = field(default_factory=dict)
    traces: list[str] = field(default_factory=list)
    location: str | None = None
    notes: list[str] = field(default_factory=list)
    variant: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class VersionResults:
    """Everything that one session recorded about one version; `cases` is keyed by case id.

    `sources` names what measured a metric: a judge's or scorer's fingerprint, a price list. A metric that the test
    itself scored has none. `snapshot` is there in a report's results, and in those of the session that is running.
    """

    version: Version
    session: SessionFacts
    policy: list[MetricPolicy] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    cases: dict[str, CaseResult] = field(default_factory=dict)
    snapshot: Snapshot | None = None

    def metric_names(self) -> list[str]:
        """Every metric that a case scored, in the order in which they were first seen."""
        return list(dict.fromkeys(name for case in self.cases.values() for name in case.scores))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types only; NaN and infinities become None. The snapshot has a file of its own."""
        plain = {
            "schema": SCHEMA,
            "version": asdict(self.version),
            "session": {**asdict(self.session), "sources": self.sources},
            "policy": [policy.to_json() for policy in self.policy],
            "cases": {name: _case_to_json(case) for name, case in self.cases.items()},
        }
        return {key: finite(value) for key, value in plain.items()}

    @classmethod
    def from_json(cls, data: object) -> VersionResults:
        """The inverse of `to_json`. Unknown keys are ignored.

        Raises ResultsError, which names the path inside the data and the value found there.
        """
        top = as_object(data, "the data")
        _check_schema(top)
        cases = as_object(required(top, "cases", "the data"), "cases")
        return cls(
            version=record(Version, required(top, "version", "the data"), "version"),
            session=_session(required(top, "session", "the data")),
            policy=_policies(top.get("policy", [])),
            sources=_sources(top["session"].get("sources", {})),
            cases={name: _case(name, value) for name, value in cases.items()},
            snapshot=_snapshot(top.get("snapshot")),
        )


def _snapshot(value: object) -> Snapshot | None:
    try:
        return None if value is None else Snapshot.from_json(value)
    except ResultsError as error:
        raise ResultsError(f"snapshot: {error}") from error


def _case_to_json(case: CaseResult) -> dict[str, Any]:
    return {
        "digest": case.digest,
        "function": case.function,
        "gate": case.gate,
        "scores": {
            metric: [None if value is None else float(value) for value in values]
            for metric, values in case.scores.items()
        },
        "traces": case.traces,
        "location": case.location,
        "notes": case.notes,
        "variant": case.variant,
        "params": case.params,
    }


def _check_schema(top: Mapping[str, Any]) -> None:
    schema = typed(required(top, "schema", "the data"), "int", "schema")
    if schema > SCHEMA:
        raise ResultsError(
            f"schema is {shown(schema)}, newer than {SCHEMA}, the newest that this version of "
            "pytest-genaiver reads: upgrade pytest-genaiver"
        )
    if schema < 1:
        raise ResultsError(f"schema is {shown(schema)}, but the first one is 1")


def _session(value: object) -> SessionFacts:
    session = record(SessionFacts, value, "session")
    if session.repeats < 0:
        raise ResultsError(f"session.repeats is {shown(session.repeats)}, but it must be 0 or more")
    return session


def _policies(value: object) -> list[MetricPolicy]:
    known = {item.name for item in fields(MetricPolicy)}
    policies = []
    for index, item in enumerate(as_list(value, "policy")):
        path = f"policy[{index}]"
        given = {key: setting for key, setting in as_object(item, path).items() if key in known}
        try:
            policies.append(MetricPolicy.from_json(given))
        except (GenaiverError, OverflowError) as error:
            raise ResultsError(f"{path} is not a metric's policy: {error}") from error
    return policies


def _sources(value: object) -> dict[str, str]:
    given = as_object(value, "session.sources")
    return {metric: typed(source, "str", f"session.sources[{metric!r}]") for metric, source in given.items()}


def _case(name: str, value: object) -> CaseResult:
    path = f"cases[{name!r}]"
    given = as_object(value, path)
    gate = typed(given.get("gate", "fail"), "str", f"{path}.gate")
    if gate not in GATES:
        raise ResultsError(f"{path}.gate is {shown(gate)}, but must be one of {', '.join(GATES)}")
    scores = as_object(required(given, "scores", path), f"{path}.scores")
    variant = as_object(given.get("variant", {}), f"{path}.variant")
    params = as_object(given.get("params", {}), f"{path}.params")
    return CaseResult(
        id=name,
        digest=typed(required(given, "digest", path), "str", f"{path}.digest"),
        function=typed(given.get("function", _function(name)), "str", f"{path}.function"),
        gate=gate,
        scores={metric: _values(values, f"{path}.scores[{metric!r}]") for metric, values in scores.items()},
        traces=as_texts(given.get("traces", []), f"{path}.traces"),
        location=typed(given.get("location"), "str | None", f"{path}.location"),
        notes=as_texts(given.get("notes", []), f"{path}.notes"),
        variant={key: typed(text, "str", f"{path}.variant[{key!r}]") for key, text in variant.items()},
        params={key: typed(text, "str", f"{path}.params[{key!r}]") for key, text in params.items()},
    )


def _function(name: str) -> str:
    return re.split(r"[\[{]", name, maxsplit=1)[0]


def _values(value: object, path: str) -> list[float | None]:
    return [
        float(item) if isinstance(item, bool) else typed(item, "float | None", f"{path}[{index}]")
        for index, item in enumerate(as_list(value, path))
    ]
