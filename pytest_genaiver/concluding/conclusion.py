"""The end of a session in its order: decide, save, summarise, report."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.tracking import files
from pytest_genaiver.adapters.tracking.stored_traces import trace_ids
from pytest_genaiver.concluding import beside, closing, judging, junit
from pytest_genaiver.concluding.reporting import Reports
from pytest_genaiver.concluding.snapshots import Snapshots, since
from pytest_genaiver.core.command_line import masked as masked_command
from pytest_genaiver.core.results import SessionFacts, VersionResults
from pytest_genaiver.core.secrets import secret_values
from pytest_genaiver.errors import ResultsError, StoreError, warn
from pytest_genaiver.options.settings import SessionGate
from pytest_genaiver.report import json_report
from pytest_genaiver.report.changed import changed
from pytest_genaiver.report.masking import masked
from pytest_genaiver.report.summary import summarise, tier, versus, with_tiers

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from pytest_genaiver.baseline.finder import Baseline
    from pytest_genaiver.baseline.fresh import Fresh
    from pytest_genaiver.concluding.beside import Beside
    from pytest_genaiver.concluding.closing import Ledger
    from pytest_genaiver.concluding.code import Keeper
    from pytest_genaiver.concluding.judging import Judge
    from pytest_genaiver.core.compare import Comparison
    from pytest_genaiver.core.decision import Decision
    from pytest_genaiver.core.records import Plan
    from pytest_genaiver.core.secrets import Mask
    from pytest_genaiver.core.since import Since
    from pytest_genaiver.opening import Opened
    from pytest_genaiver.options.settings import Settings
    from pytest_genaiver.report.parts import Counts, Summary


@dataclass(slots=True, kw_only=True)
class Conclusion:
    """What the session comes to. `verdicts` are those of this version's earlier sessions, oldest first."""

    config: pytest.Config
    settings: Settings
    opened: Opened
    run_id: str
    ledger: Ledger
    plan: Plan
    fresh: Fresh | None
    judge: Judge
    keeper: Keeper
    verdicts: list[str]
    notices: list[str]
    mask: Mask
    baseline: Baseline = field(init=False)
    decision: Decision | None = None
    summary: Summary | None = None
    failure: str | None = None
    _told: list[str] = field(default_factory=list)
    _missing: list[str] = field(default_factory=list)
    _beside: list[Beside] = field(default_factory=list)
    _tracked: dict[str, Decision | None] = field(default_factory=dict)

    def facts(self, started: datetime, cut_short: str | None) -> SessionFacts:
        """The session's own record; counts what was produced against what the store holds."""
        stored = self._stored(lambda: trace_ids(self.opened.store, self.run_id, among=self.ledger.produced))
        self._missing = [t for t in self.ledger.produced if t not in stored] if stored is not None else []
        kept = None if stored is None else len(self.ledger.produced) - len(self._missing)
        self._missing = self._missing or list(self.ledger.unwritten)
        return SessionFacts(
            id=uuid.uuid4().hex,
            run_id=self.run_id,
            started=started.isoformat(timespec="seconds"),
            seconds=round((datetime.now(timezone.utc) - started).total_seconds(), 3),
            complete=cut_short is None,
            cut_short=cut_short,
            repeats=self.settings.repeats[0],
            traces_produced=len(self.ledger.produced),
            traces_stored=kept,
            calls_failed=sum(r.outcome == "provider" for r in self.ledger.records.values()),
            command=self.mask.text(masked_command(["pytest", *self.config.invocation_params.args])),
        )

    def reach(self, comparison: Comparison, baseline: Baseline) -> None:
        """Decide, save, summarise, report."""
        self.baseline = baseline
        self.mask.learn(secret_values(os.environ))
        if self.settings.gate is not SessionGate.OFF:
            self.decision = self._decide(comparison)
        self._tracked = self._track(comparison)
        current = comparison.current
        taken = Snapshots.take(self.opened, self.ledger, current.session.command or "")
        current.snapshot = taken.of(self.opened.version.model_id or "")
        self._beside = beside.others(self.ledger, self.plan, current, self.judge.declared, self.judge)
        self._save(current, taken)
        beside_it = closing.spent(self.fresh.ledger, "baseline's ") if self.fresh is not None else []
        self._told = [*closing.spent(self.ledger), *beside_it, *self._told]
        counts = closing.counts_of(self.ledger, comparison.current, self.settings, self._missing, self._told)
        counts = replace(counts, evaluated=counts.evaluated + sum(judging.evaluated(b.results) for b in self._beside))
        between = since(self.opened, self.baseline, comparison, current.snapshot)
        self._report(comparison, counts, between)
        self.failure = judging.failure(self.decision, self.settings, counts.evaluated)

    def _decide(self, comparison: Comparison) -> Decision:
        judge, results = self.judge, comparison.current
        asked = judge.ask(comparison)
        aggregated = judge.with_aggregates(comparison, judge.settle(comparison, asked))
        decision = aggregated.decision
        self.notices += [*filter(None, [judging.denied(asked)]), *aggregated.troubles]
        judge.record(results, decision)
        lowered = judge.lowered(comparison)
        strict = judge.strictly(decision, lowered)
        decided: Decision = self.config.hook.pytest_genai_decide(
            config=self.config,
            comparison=comparison,
            decision=strict if self.fresh is None else self.fresh.honest(strict),
        )
        judge.record(results, decided)
        told, luck = judging.judged_before(self.verdicts, decided.verdict)
        self._told += filter(None, [told])
        if comparison.baseline is None and results.version.commit and not results.version.dirty:
            self._told += filter(None, [judging.offer(results, len(self.verdicts), self.settings)])
        self.notices += [f"the bar is lower than the baseline's: {what}" for what in lowered]
        self.notices += [f"a regression of {metric} is accepted: {why}" for metric, why in judge.accepted.items()]
        self.notices += filter(None, [luck])
        return decided

    def _track(self, comparison: Comparison) -> dict[str, Decision | None]:
        """Gate mode -> what its cases show, for those that are tracked only; tested where they are to warn."""
        modes = {case.gate for case in comparison.current.cases.values()} - {"fail"}
        tested = self.judge.tracked(comparison) if self.decision is not None and "warn" in modes else None
        return {mode: tested if mode == "warn" else None for mode in sorted(modes, reverse=True)}

    def _save(self, results: VersionResults, taken: Snapshots) -> None:
        store, run_id, model_id = self.opened.store, self.run_id, self.opened.version.model_id or ""
        complete = results.session.complete
        tags = {
            "genaiver.snapshot": taken.of(model_id).digest,
            "genaiver.verdict": self.decision.verdict if self.decision else "off",
            "genaiver.baseline": self.baseline.facts.name or "none",
            "genaiver.complete": "true" if complete else "false",
        }

        def write() -> None:
            more = {files.DETAILS: closing.details_text(self.ledger), **taken.files(model_id)}
            if self.ledger.judgements:
                more[files.JUDGEMENTS] = json.dumps(self.mask.plain(self.ledger.judgements))
            store.save_results(run_id, closing.results_text(results), closing.table_of(results), more)
            store.save_metrics(run_id, model_id, closing.aggregates(results, self.decision))
            store.end_session(run_id, tags, ok=complete)
            beside.save(self.opened, self._beside, taken)
            self.notices += filter(None, [taken.record(model_id, run_id)])
            if self.fresh is not None:
                self.fresh.save(results.session, self.judge.declared, self.judge.aggregates)

        self._stored(write)
        self.notices += filter(None, [self.keeper.keep()])

    def _stored(self, action: Callable[[], Any]) -> Any:
        """A store that fails now loses the record, said so in the report, never the verdict."""
        try:
            return action()
        except (StoreError, ResultsError) as error:
            self.notices.append(str(error))
            return None

    def _summarise(self, comparison: Comparison, counts: Counts, between: Since | None) -> Summary:
        results, store = comparison.current, self.opened.store
        newest = self.baseline.pool.sessions[0].run_id if self.baseline.pool else None
        measured = closing.notices(self.ledger, self.plan, results.session)
        shown = summarise(
            results,
            comparison,
            self.decision,
            baseline=self.baseline.facts,
            counts=counts,
            gate=self.settings.gate.value,
            warnings=[*self.baseline.warnings, *self.notices, *measured],
            links=closing.links(store.place, store.experiment_id, results.version, self.run_id, newest),
        )
        sides = tuple(versus(*side) for side in self._sides())
        shown = replace(shown, versus=sides, since=tuple(changed(between)) if between else ())
        tiers = [tier(gate, comparison, found) for gate, found in self._tracked.items()]
        return masked(with_tiers(shown, tiers), self.mask)

    def _sides(self) -> list[tuple[VersionResults, Comparison | None, Decision | None]]:
        return [(one.results, one.comparison, one.decision) for one in self._beside]

    def _report(self, comparison: Comparison, counts: Counts, between: Since | None) -> None:
        facts, sides = self.baseline.facts, self._sides()
        summary = self._summarise(comparison, counts, between)
        payload = json_report.payload(
            comparison,
            self.decision,
            baseline=facts,
            warnings=summary.warnings,
            tracked=self._tracked,
            beside=sides,
            since=between,
        )
        reports = Reports(
            settings=self.settings,
            opened=self.opened,
            ledger=self.ledger,
            baseline=self.baseline,
            mask=self.mask,
            summary=summary,
            comparison=comparison,
            decision=self.decision,
        )
        reports.write(payload)
        junit.record(self.config, summary)
        self.summary = summary
        if self.decision is None:
            return
        try:
            self.config.hook.pytest_genai_report(config=self.config, comparison=comparison, decision=self.decision)
        except Exception as error:
            warn(f"pytest_genai_report failed: {error!r}")


def abandon(opened: Opened, run_id: str) -> None:
    """Nothing was collected: the run is closed as what it is."""
    if run_id:
        with contextlib.suppress(StoreError):
            opened.store.end_session(run_id, {}, ok=False)
