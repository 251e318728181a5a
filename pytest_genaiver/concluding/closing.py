"""The end of a session: records -> results -> comparison -> decision -> report -> store."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from importlib.util import find_spec
from statistics import fmean
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.concluding.judging import evaluated
from pytest_genaiver.core.jsonform import finite
from pytest_genaiver.core.observed import Observed
from pytest_genaiver.core.policy import MetricPolicy, policy_for
from pytest_genaiver.core.records import Plan, RepeatRecord, assemble
from pytest_genaiver.core.results import SessionFacts, Version, VersionResults
from pytest_genaiver.core.spend import missing_lines, of_app, of_judges
from pytest_genaiver.report.parts import Counts, Link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from pytest_genaiver.adapters.tracking.place import Place
    from pytest_genaiver.core.decision import Decision
    from pytest_genaiver.options.settings import Settings


@dataclass(slots=True)
class Ledger:
    """What the processes with tests reported: records by version, case and repeat, traces produced and not stored.

    `seen` and `params` are by the model id of a version: what its calls show of its configuration, and the parameters
    that were logged.
    """

    records: dict[tuple[str | None, str, int], RepeatRecord] = field(default_factory=dict)
    produced: dict[str, str] = field(default_factory=dict)
    unwritten: dict[str, str] = field(default_factory=dict)
    errors: set[str] = field(default_factory=set)
    judgements: dict[str, Any] = field(default_factory=dict)
    seen: dict[str, Observed] = field(default_factory=dict)
    params: dict[str, dict[str, str]] = field(default_factory=dict)
    unused: int = 0
    crashed: list[str] = field(default_factory=list)

    def add(self, records: Iterable[Mapping[str, Any]]) -> None:
        for data in records:
            record = RepeatRecord.from_json(data)
            self.records[record.version, record.case, record.repeat] = record
            # Counted here too: a worker that crashes later never counts what it produced.
            self.produced.update(dict.fromkeys(record.traces, record.case))

    def count(self, counted: Mapping[str, Any]) -> None:
        """Add what `TestProcess.finish` returned."""
        self.produced.update(counted["produced"])
        self.unwritten.update(counted["missing"])
        self.errors.update(counted["errors"])
        self.judgements.update(counted["judgements"])
        for version, shown in counted["seen"].items():
            self.seen.setdefault(version, Observed()).add(Observed.from_json(shown))
        for version, params in counted["params"].items():
            self.params.setdefault(version, {}).update(params)
        self.add(counted["records"])
        self.unused += counted["unused"]

    def versions(self) -> list[str]:
        """The other versions that something was recorded of, in the order in which they were first seen."""
        return list(dict.fromkeys(r.version for r in self.snapshot() if r.version is not None))

    def of(self, version: str | None) -> list[RepeatRecord]:
        """The records of one version; None is the session's own."""
        return [r for r in self.snapshot() if r.version == version]

    def snapshot(self) -> list[RepeatRecord]:
        """All records; under xdist they are read on one thread while another still adds."""
        return list(self.records.values())

    def ran(self) -> set[str]:
        return {record.case for record in self.snapshot() if not record.refused}

    @property
    def refused(self) -> bool:
        """Whether the cost limit kept something from being called."""
        return any(record.refused or record.unscored for record in self.snapshot())

    def following(self, more: Mapping[str, int]) -> dict[str, list[int]]:
        """Case -> which repeats are the next ones, that many of them."""
        last: dict[str, int] = {}
        for record in self.of(None):
            last[record.case] = max(record.repeat, last.get(record.case, -1))
        return {case: [last.get(case, -1) + 1 + i for i in range(n)] for case, n in more.items()}


def results_of(
    version: Version,
    facts: SessionFacts,
    plan: Plan,
    ledger: Ledger,
    declared: Sequence[MetricPolicy],
    aggregates: Iterable[str] = (),
    *,
    of: str | None = None,
) -> VersionResults:
    """What the session recorded about one version: its own, or `of` another one."""
    records = ledger.of(of)
    cases = assemble(plan.cases, records)
    names = dict.fromkeys([*(m for c in cases.values() for m in c.scores), *aggregates])
    policies = [policy_for(n, declared) for n in names]
    sources = {metric: mark for record in records for metric, mark in record.scorers.items()}
    if "cost" in names:
        sources["cost"] = price_list()
    return VersionResults(version=version, session=facts, policy=policies, cases=cases, sources=sources)


def price_list() -> str:
    """Whose prices a cost is reckoned in: MLflow prefers litellm's where that can be imported."""
    return "litellm" if find_spec("litellm") else "mlflow"


def not_collected(plan: Plan, root: Path) -> Callable[[str], bool]:
    """Tells by a baseline case's id with its variant whether this session left the case out by its own selection."""

    def left_out(case: str) -> bool:
        """A case that is in its file still, or whose file was not collected whole, was left out, not removed."""
        path = case.partition("::")[0]
        if not (root / path).exists():
            return False
        return path not in plan.whole or case in plan.collected

    return left_out


def cut_short(session: pytest.Session, plan: Plan, ledger: Ledger, settings: Settings) -> str | None:
    """Why the session ended early; None where it did not."""
    unrun = plan.cases.keys() - ledger.ran()
    left = f"{len(unrun)} of {len(plan.cases)} cases did not run" if unrun else "every case had run"
    if ledger.crashed:
        return f"xdist worker {', '.join(ledger.crashed)} crashed"
    if session.exitstatus in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR):
        return f"interrupted, {left}"
    if ledger.refused:
        return f"the known cost has reached --genai-max-cost, {settings.max_cost:g} USD: {left}"
    if unrun:
        why = str(session.shouldstop or session.shouldfail or "stopped early")
        return f"{why}: {left}"
    return None


def counts_of(
    ledger: Ledger, results: VersionResults, settings: Settings, missing: Iterable[str], told: Iterable[str]
) -> Counts:
    worked = {record.case for record in ledger.snapshot() if not record.idle}
    nothing = sorted(results.cases.keys() - worked)
    lost = sorted({ledger.produced.get(t, "") or "outside any test" for t in missing})
    return Counts(
        evaluated=evaluated(results),
        wanted=settings.min_cases,
        nothing=tuple(nothing),
        lost=tuple(lost),
        soft=tuple(f"{case}: {line}" for case, line in sorted(_softly(ledger).items())),
        told=tuple(told),
    )


def _softly(ledger: Ledger) -> dict[str, str]:
    """Case -> the first line of the first message of those that failed softly."""
    records = sorted(ledger.snapshot(), key=lambda r: -r.repeat)
    return {r.case: r.rationale.partition("\n")[0] for r in records if r.rationale}


def notices(ledger: Ledger, plan: Plan, session: SessionFacts) -> list[str]:
    """One-line warnings about what was measured."""
    lines = [f"{c.id}: {note}" for c in plan.cases.values() for note in c.notes]
    if len(lines) > 3:
        lines = [*lines[:3], f"{len(lines) - 3} more cases have values without a JSON form"]
    calls = sum(r.calls for r in ledger.records.values())
    unknown = sum(r.without_usage for r in ledger.records.values())
    if unknown:
        lines.append(
            f"tokens and cost are unknown for {unknown} of {calls} LLM calls (no usage was reported; "
            "for openai streams ask for it with stream_options={'include_usage': True})"
        )
    lines += _few(missing_lines(ledger.snapshot()))
    lines += [f"traces were not stored: {error}" for error in sorted(ledger.errors)[:3]]
    if session.traces_stored is not None and session.traces_stored < session.traces_produced:
        lines.append(f"{session.traces_produced - session.traces_stored} traces are missing from the store")
    return lines


_MOST_REASONS = 10


def _few(lines: Sequence[str]) -> list[str]:
    more = len(lines) - _MOST_REASONS
    return [*lines[:_MOST_REASONS], *([f"and {more} more reasons for missing values"] if more > 0 else [])]


def spent(ledger: Ledger, whose: str = "") -> list[str]:
    """What the app and its judges did, a line each; nothing where nothing was called."""
    records = ledger.snapshot()
    app, judges = of_app(records), of_judges(records)
    return [
        *([app.line(f"{whose}app")] if app.calls else []),
        *([judges.line(f"{whose}judges")] if judges.calls or judges.reused else []),
        *([f"{ledger.unused} targets were called ahead, and no test used the answer"] if ledger.unused else []),
    ]


def links(place: Place, experiment_id: str, version: Version, run_id: str, baseline_run: str | None) -> list[Link]:
    """Where to look: pages of a server, or the command that serves a local store."""
    if root := page_of(place, experiment_id):
        compare_to = f"&compareToRunUuid={baseline_run}" if baseline_run else ""
        return [
            Link(label="evaluation", target=f"{root}/evaluation-runs?selectedRunUuid={run_id}{compare_to}"),
            Link(label="version", target=f"{root}/models/{version.model_id}"),
        ]
    from pytest_genaiver.adapters.tracking.store import shown_uri

    return [Link(label="look", target=f"mlflow ui --backend-store-uri {shown_uri(place.uri)}")]


def page_of(place: Place, experiment_id: str) -> str:
    """The experiment's page on a server; empty for a store that nothing serves."""
    if not place.uri.startswith(("http://", "https://")):
        return ""
    from pytest_genaiver.adapters.tracking.store import shown_uri

    return f"{shown_uri(place.uri).rstrip('/')}/#/experiments/{experiment_id}"


def table_of(results: VersionResults) -> dict[str, list[Any]]:
    """The cases as columns, for MLflow's artifact table."""
    rows = [
        (c.id, metric, fmean(known), len(known))
        for c in results.cases.values()
        for metric, values in c.scores.items()
        if (known := [v for v in values if v is not None])
    ]
    return {name: [r[i] for r in rows] for i, name in enumerate(("case", "metric", "mean", "values"))}


def aggregates(results: VersionResults, decision: Decision | None) -> dict[str, float]:
    """Metric -> the mean over cases of each case's mean, for MLflow's version table; and what else was decided on."""
    means: dict[str, list[float]] = {}
    for case in results.cases.values():
        for metric, values in case.scores.items():
            if known := [v for v in values if v is not None]:
                means.setdefault(metric, []).append(fmean(known))
    decided = (
        {} if decision is None else {m.name: m.current for m in decision.metrics.values() if m.current is not None}
    )
    return {**decided, **{metric: fmean(values) for metric, values in means.items()}}


def details_text(ledger: Ledger) -> str:
    return json.dumps(finite(_details(ledger.snapshot())), allow_nan=False, separators=(",", ":"))


def details_of(ledger: Ledger) -> dict[str, dict[str, Any]]:
    """What is worth seeing of each repeat of the session's own version: case -> repeat -> inputs, output, reasons."""
    return _details(ledger.of(None))


def _details(records: Iterable[RepeatRecord]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for record in sorted(records, key=lambda r: r.repeat):
        if record.details:
            found.setdefault(record.case, {})[str(record.repeat)] = record.details
    return found


def results_text(results: VersionResults) -> str:
    return json.dumps(results.to_json(), allow_nan=False, separators=(",", ":"))
