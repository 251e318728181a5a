"""An active session: pytest's hooks in their order, each delegating. Under xdist this is the controller's side."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from pytest_genaiver import opening
from pytest_genaiver.adapters.traces.surroundings import calm, prepare
from pytest_genaiver.baseline.choosing import choose, fresh
from pytest_genaiver.baseline.finder import Baseline, Finder
from pytest_genaiver.baseline.judged import remember
from pytest_genaiver.baseline.rescoring import Rescoring
from pytest_genaiver.collecting.collector import Collector
from pytest_genaiver.concluding import closing, code, judging, telling
from pytest_genaiver.concluding.aggregating import told_apart, with_aggregates
from pytest_genaiver.concluding.conclusion import Conclusion, abandon
from pytest_genaiver.concluding.judging import Judge
from pytest_genaiver.core.compare import Comparison, compare
from pytest_genaiver.core.judgements import Judgements
from pytest_genaiver.core.pooling import BaselineFacts
from pytest_genaiver.core.results import SessionFacts
from pytest_genaiver.core.secrets import Mask, secret_values
from pytest_genaiver.errors import GenaiverError
from pytest_genaiver.options.settings import SessionGate
from pytest_genaiver.options.usage import usage
from pytest_genaiver.options.values import with_hook_metrics
from pytest_genaiver.running import soft, waiting
from pytest_genaiver.running.looks import Looks, Wanted
from pytest_genaiver.running.pool import Limits
from pytest_genaiver.running.process import TestProcess, quieten
from pytest_genaiver.running.runner import RECORDS
from pytest_genaiver.running.spending import Purse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_genaiver.baseline.fresh import Fresh
    from pytest_genaiver.core.aggregates import Aggregate
    from pytest_genaiver.core.decision import Decision
    from pytest_genaiver.core.policy import MetricPolicy
    from pytest_genaiver.core.records import Plan
    from pytest_genaiver.opening import Opened
    from pytest_genaiver.options.settings import Settings
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
        self.judgements = Judgements(reuse=not settings.rejudge)
        self.mask = Mask(secret_values(os.environ))
        self.plan: Plan | None = None
        self.opened: Opened
        self.run_id = ""
        self.declared: tuple[MetricPolicy, ...] = ()
        self.aggregates: dict[str, Aggregate] = {}
        self.collector: Collector | None = None
        self.process: TestProcess | None = None
        self.elsewhere: Elsewhere | None = None
        self.fresh: Fresh | None = None
        self.baseline: Baseline = Baseline(pool=None, facts=BaselineFacts(why="nothing was collected"))
        self.summary: Summary | None = None
        self._reference: Any = None
        self._finder: Finder
        self._keeper: code.Keeper
        self._started = datetime.now(timezone.utc)
        self._notices: list[str] = []
        self._items: list[pytest.Item] = []
        self._accepted: dict[str, str] = {}
        self._verdicts: list[str] = []

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
        opening.refuse(settings, distributed=self.distributed)
        answers, self.aggregates = told_apart(hook.pytest_genai_metrics(config=self.config))
        self.declared = with_aggregates(with_hook_metrics(settings.metrics, answers), self.aggregates)
        started = self.config.invocation_params.dir
        surveyed, place = opening.look(self.config.rootpath, settings, os.environ, started=started)
        self._notices += surveyed.warnings
        self.opened = opening.open_store(surveyed, place, settings, self._name)
        misled = opening.misled(self.config.invocation_params.args, self.config.inipath, started)
        self._notices += [*opening.hints(self.opened), *misled]
        self._finder = Finder(store=self.opened.store, surveyed=surveyed, version=self.opened.version)
        self._reference = hook.pytest_genai_baseline(config=self.config, version=self.opened.version)
        self.fresh = fresh(self._reference, self.opened, settings, self._finder.distance)
        if self.fresh is not None:
            self.config.add_cleanup(self.fresh.close)
        elif isinstance(self._reference, str):
            self._finder.check(self._reference)
        self._accepted, wrong = opening.accepted(surveyed)
        self._notices += wrong
        self._verdicts = opening.verdicts(self.opened)
        self._keeper = code.Keeper(self.opened, settings.code, self.config.add_cleanup)
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
        settings, opened = self.settings, self.opened
        self.collector = Collector(
            opened.surveyed.root, settings.repeats[0], scorers=settings.scorers, soft=settings.soft_assertions
        )
        self.config.pluginmanager.register(self.collector, "genaiver-collector")
        limits = Limits(concurrency=settings.concurrency, timeout=settings.call_timeout)
        purse, shown = Purse(settings.max_cost), waiting.for_terminal(self._terminal())
        if self.fresh is not None:
            limits, purse, shown = self.fresh.shared(limits, shown)
        self.process = TestProcess(
            opened.store,
            opened.version,
            self.run_id,
            autolog=settings.autolog,
            limits=limits,
            purse=purse,
            shown=shown,
            judgements=self.judgements,
        )
        self.config.add_cleanup(self.process.stop)
        self.process.start(self.config)
        looks = Looks(self.process.runner, ask=self.wanted, got=self.got)
        self.config.pluginmanager.register(looks, "genaiver-looks")

    def pytest_report_header(self) -> list[str]:
        return telling.header(self.opened, self._terminal())

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        # pytest calls this hook after a usage error too.
        if self.collector is not None and self.collector.error is None:
            self._items = session.items
            self.planned(self.collector.plan(self.config, session.items))

    def planned(self, plan: Plan) -> None:
        """The cases are known: choose the baseline, and say what will be run before anything is paid for."""
        usage(self._keeper.check)
        self.declared = judging.with_lower(self.declared, plan.lower)
        self._finder.not_collected = closing.not_collected(plan, self.opened.surveyed.root)
        usage(lambda: self._choose(plan))
        remember(self.judgements, plan, self.opened, self.baseline)
        self._rescore(plan)
        if plan.cases:
            telling.announce(plan, self.settings.repeats[0], self.baseline.facts, self._terminal())
            if self.fresh is not None:
                usage(partial(self.fresh.stand_beside, self.config, self.process, self.judgements))
        # Only now: a session that was refused has nothing to conclude.
        self.plan = plan

    def _rescore(self, plan: Plan) -> None:
        """Let today's judges judge what the baseline answered, where others did so then."""
        pool, process = self.baseline.pool, self.process
        if not self.settings.rescore_baseline or pool is None or process is None:
            return
        rescoring = Rescoring(opened=self.opened, scoring=process.runner.scoring)
        self.baseline = replace(self.baseline, pool=rescoring.of(pool, self._items, process.runner.ahead.wait))
        self._notices += rescoring.troubles
        if rescoring.asked:
            telling.between(f"genaiver: the baseline was judged anew, {rescoring.asked} calls", self._terminal())

    def _choose(self, plan: Plan) -> None:
        if self.fresh is None:
            self.baseline = choose(self._reference, self._finder, plan.cases)
        elif plan.cases:
            self.baseline = self.fresh.begin(plan, self.config, partial(telling.between, reporter=self._terminal()))
        if self.settings.require_baseline and self.baseline.facts.name is None and plan.cases:
            why = " ".join([self.baseline.facts.why, *self.baseline.warnings])
            raise GenaiverError(f"--genai-require-baseline: no baseline was found: {why}")

    def _terminal(self) -> Any:
        return self.config.pluginmanager.get_plugin("terminalreporter")

    def wanted(self) -> Wanted:
        """Ask the gate what it wants run again; empty when it is sure, or decides nothing."""
        if self.plan is None or self.settings.gate is SessionGate.OFF or self.ledger.refused:
            return {}
        facts = SessionFacts(id="", started="", complete=False, repeats=0)
        decision = self._judge(self.plan).ask(self._compared(facts, self.plan))
        decision = decision if self.fresh is None else self.fresh.asking(decision)
        if decision.more:
            telling.between(judging.look_line(decision), self._terminal())
        return self.ledger.following(decision.more)

    def _judge(self, plan: Plan) -> Judge:
        return Judge(
            settings=self.settings,
            declared=self.declared,
            plan=plan,
            accepted=self._accepted,
            aggregates=self.aggregates,
        )

    def _compared(self, facts: SessionFacts, plan: Plan) -> Comparison:
        if self.fresh is not None and plan.cases:
            self.baseline = self.fresh.baseline(self.declared, self.aggregates)
        results = closing.results_of(self.opened.version, facts, plan, self.ledger, self.declared, self.aggregates)
        return compare(self.baseline.pool, results, not_collected=self._finder.not_collected)

    def got(self, records: Sequence[Mapping[str, Any]]) -> None:
        """What the tests recorded, this version's and that of a baseline that runs beside it."""
        self.ledger.add(records if self.fresh is None else self.fresh.take(records))

    def count(self, counted: Mapping[str, Any]) -> None:
        """What a process with tests finished with."""
        self.ledger.count(counted)
        if self.fresh is not None and counted["partner"] is not None:
            self.fresh.count(counted["partner"])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A case's records ride on its last report, which xdist carries over from the workers."""
        self.ledger.add(getattr(report, RECORDS, ()))

    def pytest_report_teststatus(self, report: pytest.TestReport) -> Any:
        return soft.status(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int | pytest.ExitCode) -> None:
        """Decide before pytest draws its last line, so that the exit code and that line are pytest's own."""
        if self.process is not None:
            interrupted = int(exitstatus) == pytest.ExitCode.INTERRUPTED
            self.count(self.process.finish(interrupted=interrupted))
            self.process.stop()
        if self.elsewhere is not None:
            self.elsewhere.finish()
        if self.plan is None:
            abandon(self.opened, self.run_id)
            return
        reason = self._conclude(self.plan, closing.cut_short(session, self.plan, self.ledger, self.settings))
        if reason is not None and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            session.shouldfail = reason

    def _conclude(self, plan: Plan, cut_short: str | None) -> str | None:
        conclusion = Conclusion(
            config=self.config,
            settings=self.settings,
            opened=self.opened,
            run_id=self.run_id,
            ledger=self.ledger,
            plan=plan,
            fresh=self.fresh,
            judge=self._judge(plan),
            keeper=self._keeper,
            verdicts=self._verdicts,
            notices=self._notices,
            mask=self.mask,
        )
        conclusion.reach(self._compared(conclusion.facts(self._started, cut_short), plan), self.baseline)
        self.summary = conclusion.summary
        return conclusion.failure

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        telling.summary(self.summary, terminalreporter)
