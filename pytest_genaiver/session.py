"""An active session: pytest's hooks in their order, each delegating. Under xdist this is the controller's side."""

from __future__ import annotations

import os
import uuid
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from pytest_genaiver import closing, opening, telling
from pytest_genaiver.adapters import results_file
from pytest_genaiver.adapters.traces.surroundings import calm, prepare
from pytest_genaiver.baseline import Baseline, Finder
from pytest_genaiver.collecting import Collector
from pytest_genaiver.core.records import Plan
from pytest_genaiver.core.results import SessionFacts, VersionResults
from pytest_genaiver.errors import GenaiverError, StoreError, warn
from pytest_genaiver.looks import Looks, Wanted
from pytest_genaiver.option_values import with_hook_metrics
from pytest_genaiver.options import SessionGate
from pytest_genaiver.process import RUNNER, TestProcess, quieten
from pytest_genaiver.public import NO_BASELINE
from pytest_genaiver.report import json_report
from pytest_genaiver.report.parts import BaselineFacts
from pytest_genaiver.report.summary import summarise
from pytest_genaiver.runner import RECORDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_genaiver.core.compare import Comparison
    from pytest_genaiver.core.decision import Decision
    from pytest_genaiver.core.policy import MetricPolicy
    from pytest_genaiver.opening import Opened
    from pytest_genaiver.options import Settings
    from pytest_genaiver.report.parts import Summary


class Elsewhere(Protocol):
    """The processes that hold the tests, where this one does not."""

    def finish(self) -> None:
        """Gather what they recorded and counted."""


class Session:
    """Opens the record of the session, gathers what the tests measured, decides, reports, saves."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self.config = config
        self.settings = settings
        self.ledger = closing.Ledger()
        self.plan: Plan | None = None
        self.opened: Opened
        self.run_id = ""
        self.declared: tuple[MetricPolicy, ...] = ()
        self.collector: Collector | None = None
        self.process: TestProcess | None = None
        self.elsewhere: Elsewhere | None = None
        self.baseline: Baseline = Baseline(pool=None, facts=BaselineFacts(why="nothing was collected"))
        self.decision: Decision | None = None
        self.summary: Summary | None = None
        self._reference: Any = None
        self._finder: Finder
        self._started = datetime.now(timezone.utc)
        self._notices: list[str] = []

    # The built-in implementations of our own hooks: `trylast`, so that anybody else's wins.

    @pytest.hookimpl(trylast=True)
    def pytest_genai_version(self) -> str:
        return self._default_name

    @pytest.hookimpl(trylast=True)
    def pytest_genai_baseline(self) -> str:
        return self.settings.baseline

    @pytest.hookimpl(trylast=True)
    def pytest_genai_decide(self, decision: Decision) -> Decision:
        return decision

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Before xdist starts its workers, which are given the version and the run."""
        with calm():
            self.config.add_cleanup(prepare())
            usage(self._open)

    def _open(self) -> None:
        hook, settings = self.config.hook, self.settings
        opening.flavours(settings.autolog)
        self.declared = with_hook_metrics(settings.metrics, hook.pytest_genai_metrics(config=self.config))
        started = self.config.invocation_params.dir
        surveyed, place = opening.look(self.config.rootpath, settings, os.environ, started=started)
        self._notices += surveyed.warnings
        self.opened = opening.open_store(surveyed, place, settings, self._name)
        self._notices += opening.hints(self.opened)
        self._notices += opening.misled(self.config.invocation_params.args, self.config.inipath, started)
        version = self.opened.version
        self._finder = Finder(store=self.opened.store, surveyed=surveyed, version=version)
        self._reference = hook.pytest_genai_baseline(config=self.config, version=version)
        if isinstance(self._reference, str):
            self._finder.check(self._reference)
        self.run_id = opening.start_run(self.opened)
        if not self.distributed:
            self._start_here()

    def _name(self, default: str) -> str | None:
        self._default_name = default
        name: str | None = self.config.hook.pytest_genai_version(config=self.config)
        return name

    @property
    def distributed(self) -> bool:
        """Whether xdist runs the tests elsewhere."""
        return self.config.pluginmanager.has_plugin("dsession")

    def _start_here(self) -> None:
        quieten(self.config)
        self.collector = Collector(self.opened.surveyed.root, self.settings.repeats[0])
        self.config.pluginmanager.register(self.collector, "genaiver-collector")
        self.process = TestProcess(self.opened.store, self.opened.version, self.run_id, self.settings.autolog)
        self.config.add_cleanup(self.process.stop)
        self.process.start()
        self.config.pluginmanager.register(self.process.runner, RUNNER)
        looks = Looks(self.process.runner, ask=self.wanted, got=self.ledger.add)
        self.config.pluginmanager.register(looks, "genaiver-looks")

    def pytest_report_header(self) -> list[str]:
        return telling.header(self.opened, self._terminal())

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        # pytest calls this hook after a usage error too.
        if self.collector is not None and self.collector.error is None:
            self.planned(self.collector.plan(self.config, session.items))

    def planned(self, plan: Plan) -> None:
        """The cases are known: choose the baseline, and say what will be run before anything is paid for."""
        self.plan = plan
        usage(lambda: self._choose(plan))
        if plan.cases:
            telling.announce(plan, self.settings.repeats[0], self.baseline.facts, self._terminal())

    def _choose(self, plan: Plan) -> None:
        reference = self._reference
        if reference is NO_BASELINE:
            self.baseline = self._finder.find("none", plan.cases)
        elif isinstance(reference, VersionResults):
            self.baseline = self._finder.given(reference, plan.cases, "given by pytest_genai_baseline")
        elif isinstance(reference, str):
            self.baseline = self._finder.find(reference, plan.cases)
        else:
            raise GenaiverError(
                f"pytest_genai_baseline returned {reference!r}; allowed are a reference (str), VersionResults, "
                "NO_BASELINE, or None for the next implementation"
            )
        if self.settings.require_baseline and self.baseline.pool is None and plan.cases:
            why = " ".join([self.baseline.facts.why, *self.baseline.warnings])
            raise GenaiverError(f"--genai-require-baseline: no baseline was found: {why}")

    def _terminal(self) -> Any:
        return self.config.pluginmanager.get_plugin("terminalreporter")

    def wanted(self) -> Wanted:
        """Ask the gate what it wants run again; empty when it is sure, or decides nothing."""
        if self.plan is None or self.settings.gate is SessionGate.OFF:
            return {}
        facts = SessionFacts(id="", started="", complete=False, repeats=0)
        decision = closing.asked(self._compared(facts, self.plan), self.plan, self.settings, self.declared)
        reporter = self._terminal()
        if decision.more and reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(closing.look_line(decision))
        return self.ledger.following(decision.more)

    def _compared(self, facts: SessionFacts, plan: Plan) -> Comparison:
        results = closing.results_of(self.opened.version, facts, plan, self.ledger, self.declared)
        return closing.compared(self.baseline, results, plan, self.opened.surveyed.root)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A case's records ride on its last report, which xdist carries over from the workers."""
        self.ledger.add(getattr(report, RECORDS, ()))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int | pytest.ExitCode) -> None:
        """Decide before pytest draws its last line, so that the exit code and that line are pytest's own."""
        if self.process is not None:
            self.ledger.count(self.process.finish())
            self.process.stop()
        if self.elsewhere is not None:
            self.elsewhere.finish()
        if self.plan is None:
            self._abandon()
            return
        reason = self._conclude(session, self.plan, int(exitstatus))
        if reason is not None and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            session.shouldfail = reason

    def _abandon(self) -> None:
        """Nothing was collected: the run is closed as what it is."""
        if self.run_id:
            self._stored(lambda: self.opened.store.end_session(self.run_id, {}, ok=False))

    def _conclude(self, session: pytest.Session, plan: Plan, exitstatus: int) -> str | None:
        facts = self._facts(plan, self._cut_short(session, plan, exitstatus))
        results = closing.results_of(self.opened.version, facts, plan, self.ledger, self.declared)
        comparison = closing.compared(self.baseline, results, plan, self.opened.surveyed.root)
        if self.settings.gate is not SessionGate.OFF:
            decision = closing.decided(comparison, plan, self.settings, self.declared)
            self.decision = self.config.hook.pytest_genai_decide(
                config=self.config, comparison=comparison, decision=decision
            )
            # What joins the baseline's pool is the balanced prefix: retries of failed cases would bias it.
            results.session = replace(facts, repeats=decision.look or facts.repeats)
        self._save(results)
        counts = closing.counts_of(self.ledger, results, self.settings, self._missing)
        self.summary = self._summarise(results, comparison, counts)
        self._report(comparison)
        return closing.failure(self.decision, self.settings, counts.evaluated)

    def _cut_short(self, session: pytest.Session, plan: Plan, exitstatus: int) -> str | None:
        unrun = plan.cases.keys() - self.ledger.ran()
        if self.ledger.crashed:
            return f"xdist worker {', '.join(self.ledger.crashed)} crashed"
        if exitstatus in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR):
            return f"interrupted, {len(unrun)} of {len(plan.cases)} cases did not run"
        if unrun:
            why = str(session.shouldstop or session.shouldfail or "stopped early")
            return f"{why}: {len(unrun)} of {len(plan.cases)} cases did not run"
        return None

    def _facts(self, plan: Plan, cut_short: str | None) -> SessionFacts:
        stored = self._stored(lambda: self.opened.store.trace_ids(self.run_id))
        self._missing = list(self.ledger.unwritten)
        if stored is not None:
            self._missing = [t for t in self.ledger.produced if t not in stored]
        return SessionFacts(
            id=uuid.uuid4().hex,
            run_id=self.run_id,
            started=self._started.isoformat(timespec="seconds"),
            seconds=round((datetime.now(timezone.utc) - self._started).total_seconds(), 3),
            complete=cut_short is None,
            cut_short=cut_short,
            repeats=self.settings.repeats[0],
            traces_produced=len(self.ledger.produced),
            traces_stored=None if stored is None else len(self.ledger.produced) - len(self._missing),
            calls_failed=sum(r.outcome == "provider" for r in self.ledger.records.values()),
            command=" ".join(["pytest", *self.config.invocation_params.args]),
        )

    def _save(self, results: VersionResults) -> None:
        store, run_id, version = self.opened.store, self.run_id, self.opened.version
        verdict = self.decision.verdict if self.decision else "off"
        complete = results.session.complete
        tags = {
            "genaiver.verdict": verdict,
            "genaiver.baseline": self.baseline.facts.name or "none",
            "genaiver.complete": "true" if complete else "false",
        }

        def write() -> None:
            store.save_results(run_id, closing.results_text(results), closing.table_of(results))
            store.save_metrics(run_id, version.model_id or "", closing.aggregates(results))
            store.end_session(run_id, tags, ok=complete)

        self._stored(write)

    def _stored(self, action: Callable[[], Any]) -> Any:
        """A store that fails now loses the record, said so in the report, never the verdict."""
        try:
            return action()
        except StoreError as error:
            self._notices.append(str(error))
            return None

    def _summarise(self, results: VersionResults, comparison: Comparison, counts: Any) -> Summary:
        newest = self.baseline.pool.sessions[0].run_id if self.baseline.pool else None
        store = self.opened.store
        return summarise(
            results,
            comparison,
            self.decision,
            baseline=self.baseline.facts,
            counts=counts,
            gate=self.settings.gate.value,
            warnings=[
                *self.baseline.warnings,
                *self._notices,
                *closing.notices(self.ledger, self.plan or Plan(), results.session),
            ],
            links=closing.links(store.place, store.experiment_id, results.version, self.run_id, newest),
        )

    def _report(self, comparison: Comparison) -> None:
        payload = json_report.payload(comparison, self.decision, baseline=self.baseline.facts)
        for path in self.settings.reports:
            try:
                results_file.write(path, payload)
            except GenaiverError as error:
                warn(str(error))
        if self.decision is None:
            return
        try:
            self.config.hook.pytest_genai_report(config=self.config, comparison=comparison, decision=self.decision)
        except Exception as error:
            warn(f"pytest_genai_report failed: {error!r}")

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.summary is not None:
            telling.summary(self.summary, terminalreporter)


def usage(action: Callable[[], Any]) -> None:
    """A mistake of the user is a usage error (exit 4) of one sentence."""
    try:
        action()
    except GenaiverError as error:
        raise pytest.UsageError(str(error)) from error
