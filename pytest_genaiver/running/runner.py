"""Runs the cases in the process that holds the tests: repeats, tracing around each, one record for each."""

from __future__ import annotations

import itertools
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.adapters.traces.scope import Scope
from pytest_genaiver.cases import using
from pytest_genaiver.collecting.planned import PLANNED
from pytest_genaiver.errors import CallRefused
from pytest_genaiver.running import soft
from pytest_genaiver.running.ahead import Ahead
from pytest_genaiver.running.execution import Around, Execution, begun
from pytest_genaiver.running.outcomes import as_failed, outcome_of, request_id, score_properties, with_own_output
from pytest_genaiver.running.partner import Alone
from pytest_genaiver.running.prints import Prints
from pytest_genaiver.running.recording import Recorder
from pytest_genaiver.running.repeating import run_again, sibling_of
from pytest_genaiver.running.scoring import Scoring
from pytest_genaiver.running.secrets import learn

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from pytest_genaiver.adapters.traces.tracer import Tracer
    from pytest_genaiver.cases import GenaiCase, GenaiVersion
    from pytest_genaiver.core.judgements import Judgements
    from pytest_genaiver.core.records import RepeatRecord
    from pytest_genaiver.running.execution import Told
    from pytest_genaiver.running.partner import Partner
    from pytest_genaiver.running.pool import Limits
    from pytest_genaiver.running.spending import Purse
    from pytest_genaiver.running.waiting import Shown

RECORDS = "genaiver"
"""The attribute of a report that carries its case's records to the session, through xdist too."""


class Runner:
    """The plugin object of a process that runs tests (under xdist: of each worker)."""

    def __init__(
        self,
        tracer: Tracer,
        *,
        told: Told,
        version: GenaiVersion,
        limits: Limits,
        purse: Purse,
        shown: Shown,
        judgements: Judgements,
        others: Mapping[str, str],
    ) -> None:
        """`purse` says whether more may be called, `shown` shows what is waited for, `others` maps the names of other
        versions in use to their model ids."""
        self._tracer = tracer
        self.version = version
        self._purse = purse
        self._prints = Prints()
        self.ahead = Ahead(
            make=self._execution,
            tracer=tracer,
            prints=self._prints,
            size=limits.concurrency,
            timeout=limits.timeout,
            purse=purse,
            shown=shown,
        )
        self.scoring = Scoring(tracer=tracer, pool=self.ahead.pool, judgements=judgements, purse=purse)
        self._recorder = Recorder(tracer=tracer, scoring=self.scoring, told=told, others=others)
        self._mask = tracer.mask
        # Unique in the process too: a context that outlives its session must not pass for one of this one.
        self.partner: Partner = Alone()
        self.first = 0  # as which repeat pytest begins an item
        self._keys = (f"{uuid.uuid4().hex[:8]}-{n}" for n in itertools.count())
        self._now: Around | None = None
        self._repeat = 0
        self._records: list[RepeatRecord] = []
        self._failed: dict[int, pytest.TestReport] = {}
        self._soft: dict[int, str] = {}
        self._sections = 0

    @property
    def case(self) -> GenaiCase | None:
        """The case that is running, for the fixture."""
        return self._now.case if isinstance(self._now, Execution) else None

    def expect(self, items: Sequence[pytest.Item]) -> None:
        """These items will run, in this order, with all their repeats: their targets may be called."""
        planned = [(item, found) for item in items if (found := item.stash.get(PLANNED, None)) is not None]
        for name in (found.version for _, found in planned if found.version is not None):
            self.version.id_of(name)
        self.plan([(item, repeat) for item, found in planned for repeat in range(found.repeats)])

    def plan(self, wanted: Sequence[tuple[pytest.Item, int]]) -> None:
        """These repeats will run, in this order: here, and at the partner's."""
        self._prints.tap()
        learn(self._mask)
        self.partner.plan(wanted)
        self.ahead.plan(wanted)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        """Run all repeats but the last, which pytest itself runs and reports."""
        planned = item.stash.get(PLANNED, None)
        self._begin(self.first)
        if planned is None:
            return
        for _ in range(planned.repeats - 1):
            self._run_again(item, sibling_of(item))
            self._repeat += 1
        self.partner.before(item, self._repeat, reported=True)

    def reported(self, item: pytest.Item) -> None:
        """pytest has run and reported the item: the last of its repeats."""
        if PLANNED in item.stash:
            self.partner.after(item, self._repeat, reported=True)

    def _run_again(self, item: pytest.Item, after: pytest.Item | None) -> None:
        self.partner.before(item, self._repeat, reported=False)
        run_again(item, after)
        self.partner.after(item, self._repeat, reported=False)

    def again(
        self, wanted: Sequence[tuple[pytest.Item, int]], last: pytest.Item | None
    ) -> Iterator[list[dict[str, Any]]]:
        """Run each item as that repeat, unreported; yields the records of each. `last` stands behind them."""
        items = [item for item, _ in wanted]
        self.plan(wanted)
        for (item, repeat), after in zip(wanted, [*items[1:], last], strict=True):
            self.once(item, repeat, sibling_of(item) if after is item else after)
            yield self.latest()

    def once(self, item: pytest.Item, repeat: int, after: pytest.Item | None) -> None:
        """Run an item as that repeat, unreported."""
        self._begin(repeat)
        self._run_again(item, after)

    def latest(self) -> list[dict[str, Any]]:
        """The records of the item that was begun last, as plain JSON; what scorers have not answered is missing."""
        return [r.to_json() for r in self._records]

    def _begin(self, repeat: int) -> None:
        self._repeat, self._records, self._failed, self._soft, self._sections = repeat, [], {}, {}, 0

    def abandon(self) -> None:
        """Leave an execution that never reached its teardown (Ctrl-C), or what follows would seem to belong to it."""
        if self._now is not None:
            self._now.exit.close()
            self._now = None

    def settled(self) -> list[dict[str, Any]]:
        """Everything that was recorded in this process, as plain JSON, once all scorers have answered."""
        self._recorder.settle(self.ahead.wait)
        return [*self.recorded(), *self.partner.settled()]

    def recorded(self) -> list[dict[str, Any]]:
        return self._recorder.records()

    def stop(self, why: str, *, interrupted: bool) -> None:
        """No more calls: what still runs is given a moment."""
        self.abandon()
        if not interrupted:
            self._recorder.settle(self.ahead.wait)
        self.ahead.stop(why)
        self._recorder.give_up()
        self._prints.untap()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, Any, Any]:
        now = self._now = self._begun(item)
        # A rerun (pytest-rerunfailures) is the same repeat again: its last attempt counts.
        self._failed.pop(self._repeat, None)
        self._soft.pop(self._repeat, None)
        learn(self._mask)
        now.exit.enter_context(self._tracer.open(now.scope))
        if isinstance(now, Execution):
            now.exit.enter_context(using(now.planned.version))
        self._prints.tap()
        result = yield
        self.ahead.up(item)
        return result

    def refuse(self) -> None:
        """Skip the case that is about to be set up, where nothing may be called any more."""
        now = self._now
        if isinstance(now, Execution) and now.call is None and (why := self._purse.refusal()):
            now.refused = True
            pytest.skip(why)

    def _begun(self, item: pytest.Item) -> Around:
        if PLANNED not in item.stash:
            return Around(scope=Scope(key=next(self._keys), test_name=item.nodeid))
        return self.ahead.take(item, self._repeat) or self._execution(item, self._repeat)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        now = self._now
        self._prints.tap()
        if not isinstance(now, Execution):
            return (yield)
        return (yield from (self._body(item, now) if now.planned.target is None else self._body_of_target(item, now)))

    def _body(self, item: pytest.Item, now: Execution) -> Generator[None, Any, Any]:
        with self._tracer.root(now.scope, item.name, now.case.inputs) as span:
            try:
                return (yield)
            finally:
                learn(self._mask)
                if now.case.has_output:
                    span.set_outputs(now.case.output)

    def _body_of_target(self, item: pytest.Item, now: Execution) -> Generator[None, Any, Any]:
        self.ahead.start(item, now)
        call = now.call
        assert call is not None
        self.ahead.wait(call)
        if isinstance(call.error, CallRefused):
            now.refused = True
            pytest.skip(str(call.error))
        with now.answering(), self._tracer.inside(now.scope, "app"):
            result = yield
        if call.error is not None and not now.seen:
            # A test that never asked for the answer must not pass where there is none.
            call.result()
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, Any, Any]:
        self.ahead.before_teardown(item, nextitem)
        try:
            return (yield)
        finally:
            if self._now is not None:
                self._now.exit.close()

    def pytest_fixture_post_finalizer(self, fixturedef: Any) -> None:
        self.ahead.down(fixturedef)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        planned = item.stash.get(PLANNED, None)
        now = self._now
        if planned is None or not isinstance(now, Execution):
            if report.when == "teardown":
                self._close_plain()
            return report
        now.outcome = outcome_of(report, call, now.outcome)
        if planned.soft and now.outcome == "failed" and (why := soft.soften(report, call)) is not None:
            now.rationale = self._soft[self._repeat] = self._mask.text(why)
        last = self._repeat == planned.repeats - 1
        shown = with_own_output(report, self._sections, now.printed)
        if report.failed:
            self._failed.setdefault(self._repeat, report)
        if last and self._failed and (report.failed or (report.when == "call" and report.passed)):
            report = as_failed(report, self._failed, planned.repeats)
        elif last and self._soft and not self._failed:
            soft.mark(report, self._soft, planned.repeats)
        if report.when == "teardown":
            self._sections = shown
            self._finish(item, now)
            if last:
                setattr(report, RECORDS, [r.to_json() for r in self._records])
                report.user_properties += score_properties(self._records)
        return report

    def _finish(self, item: pytest.Item, now: Execution) -> None:
        self._now = None
        record = self._recorder.finish(item, now)
        self._records = [r for r in self._records if r.repeat != record.repeat] + [record]

    def _close_plain(self) -> None:
        if self._now is not None:
            self._tracer.close(self._now.scope, ())
            self._now = None

    def _execution(self, item: pytest.Item, repeat: int) -> Execution:
        """Also called ahead of the item's turn, on other threads."""
        planned = item.stash[PLANNED]
        scope = Scope(
            key=next(self._keys),
            test_name=planned.test_name,
            case_id=planned.case_id,
            request_id=request_id(planned.case, repeat),
            row_tags=planned.tags,
            model_id=None if planned.version is None else self.version.id_of(planned.version),
        )
        return begun(Execution(scope=scope, planned=planned, repeat=repeat), self._tracer)
