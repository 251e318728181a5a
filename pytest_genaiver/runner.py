"""Runs the cases in the process that holds the tests: repeats, tracing around each, one record for each."""

from __future__ import annotations

import contextlib
import itertools
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from pytest_genaiver import soft
from pytest_genaiver.cases import GenaiCase, GenaiVersion, mean_scores
from pytest_genaiver.core.failures import is_provider_failure
from pytest_genaiver.core.records import Outcome, PlannedCase, RepeatRecord
from pytest_genaiver.core.variants import bare_id

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from mlflow.entities import Trace

    from pytest_genaiver.adapters.traces.scope import Scope
    from pytest_genaiver.adapters.traces.tracer import Tracer

RECORDS = "genaiver"
"""The attribute of a report that carries its case's records to the session, through xdist too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A case that will run, with the values that do not travel between processes. `test_name`: its whole node id."""

    case: PlannedCase
    test_name: str
    case_id: str | None
    inputs: Mapping[str, Any]
    expectations: Mapping[str, Any]
    repeats: int
    soft: bool = False


PLANNED = pytest.StashKey[Planned]()


class Sibling(pytest.Item):
    """Never run. As `nextitem` it makes pytest tear an item down and leave everything wider up."""

    def runtest(self) -> None:
        """Nothing: pytest asks every item for it."""


@dataclass(slots=True)
class Execution:
    """One execution of one item, from its setup to its teardown."""

    scope: Scope
    case: GenaiCase | None = None
    outcome: Outcome | None = None
    rationale: str | None = None
    root: Any = None
    exit: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)


class Told(Protocol):
    """Who is told of each finished repeat."""

    def __call__(self, item: pytest.Item, records: list[RepeatRecord]) -> None: ...


class Runner:
    """The plugin object of a process that runs tests (under xdist: of each worker)."""

    def __init__(self, tracer: Tracer, *, told: Told, version: GenaiVersion) -> None:
        self._tracer = tracer
        self.version = version
        self._told = told
        # Unique in the process too: a context that outlives its session must not pass for one of this one.
        self._keys = (f"{uuid.uuid4().hex[:8]}-{n}" for n in itertools.count())
        self._now: Execution | None = None
        self._repeat = 0
        self._records: list[RepeatRecord] = []
        self._history: dict[str, dict[int, RepeatRecord]] = {}
        self._failed: dict[int, pytest.TestReport] = {}
        self._soft: dict[int, str] = {}
        self._sections = 0

    @property
    def case(self) -> GenaiCase | None:
        """The case that is running, for the fixture."""
        return self._now.case if self._now else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        """Run all repeats but the last, which pytest itself runs and reports."""
        planned = item.stash.get(PLANNED, None)
        self._begin(0)
        if planned is None or planned.repeats == 1:
            return
        for _ in range(planned.repeats - 1):
            run_again(item, sibling_of(item))
            self._repeat += 1

    def again(
        self, wanted: Sequence[tuple[pytest.Item, int]], last: pytest.Item | None
    ) -> Iterator[list[dict[str, Any]]]:
        """Run each item as that repeat, unreported; yields the records of each. `last` stands behind them."""
        items = [item for item, _ in wanted]
        for (item, repeat), after in zip(wanted, [*items[1:], last], strict=True):
            self._begin(repeat)
            run_again(item, sibling_of(item) if after is item else after)
            yield [r.to_json() for r in self._records]

    def _begin(self, repeat: int) -> None:
        self._repeat, self._records, self._failed, self._soft, self._sections = repeat, [], {}, {}, 0

    def abandon(self) -> None:
        """Leave an execution that never reached its teardown (Ctrl-C), or what follows would seem to belong to it."""
        if self._now is not None:
            self._now.exit.close()
            self._now = None

    def records(self) -> list[dict[str, Any]]:
        """Everything that was recorded in this process, as plain JSON."""
        return [r.to_json() for records in self._history.values() for r in records.values()]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, Any, Any]:
        planned = item.stash.get(PLANNED, None)
        now = Execution(scope=self._scope(item, planned))
        if planned is not None:
            now.case = GenaiCase(
                id=bare_id(planned.case),
                inputs=planned.inputs,
                expectations=planned.expectations,
                repeat=self._repeat,
                trace=self._trace(now.scope),
            )
        self._now = now
        # A rerun (pytest-rerunfailures) is the same repeat again: its last attempt counts.
        self._failed.pop(self._repeat, None)
        self._soft.pop(self._repeat, None)
        now.exit.enter_context(self._tracer.open(now.scope))
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        now = self._now
        if now is None or now.case is None:
            return (yield)
        with self._tracer.root(now.scope, item.name, now.case.inputs) as span:
            try:
                return (yield)
            finally:
                if now.case.has_output:
                    span.set_outputs(now.case.output)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Generator[None, Any, Any]:
        try:
            return (yield)
        finally:
            if self._now is not None:
                self._now.exit.close()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        planned = item.stash.get(PLANNED, None)
        if planned is None or self._now is None:
            if report.when == "teardown":
                self._close_plain()
            return report
        self._now.outcome = outcome_of(report, call, self._now.outcome)
        if planned.soft and self._now.outcome == "failed" and (why := soft.soften(report, call)) is not None:
            self._now.rationale = self._soft[self._repeat] = why
        last = self._repeat == planned.repeats - 1
        # pytest keeps one list of captured output for all executions of an item.
        shown = len(report.sections)
        report.sections = report.sections[self._sections :]
        if report.failed:
            self._failed.setdefault(self._repeat, report)
        if last and self._failed and (report.failed or (report.when == "call" and report.passed)):
            report = as_failed(report, self._failed, planned.repeats)
        elif last and self._soft and not self._failed:
            soft.mark(report, self._soft, planned.repeats)
        if report.when == "teardown":
            self._sections = shown
            self._finish(item, planned, self._now)
            if last:
                setattr(report, RECORDS, [r.to_json() for r in self._records])
        return report

    def _finish(self, item: pytest.Item, planned: Planned, now: Execution) -> None:
        record = self._record(planned, now)
        self._records = [r for r in self._records if r.repeat != record.repeat] + [record]
        history = self._history.setdefault(record.case, {})
        history[record.repeat] = record
        self._now = None
        self._told(item, list(history.values()))

    def _record(self, planned: Planned, now: Execution) -> RepeatRecord:
        assert now.case is not None
        outcome: Outcome = now.outcome or "error"
        measured = self._tracer.measured(now.scope)
        recorded = bool(measured.calls or measured.latency is not None or now.case.scores or now.case.has_output)
        scores = scores_of(now.case, outcome, measured.scores())
        traces = self._tracer.close(now.scope, feedback_for(now.case, scores.get("passed"), now.rationale))
        return RepeatRecord(
            case=planned.case.id,
            repeat=self._repeat,
            outcome=outcome,
            scores=scores,
            traces=traces,
            calls=measured.calls,
            without_usage=measured.calls_without_usage,
            recorded=recorded,
            rationale=now.rationale,
        )

    def _close_plain(self) -> None:
        if self._now is not None:
            self._tracer.close(self._now.scope, ())
            self._now = None

    def _scope(self, item: pytest.Item, planned: Planned | None) -> Scope:
        from pytest_genaiver.adapters.traces.scope import Scope

        key = next(self._keys)
        if planned is None:
            return Scope(key=key, test_name=item.nodeid)
        return Scope(
            key=key,
            test_name=planned.test_name,
            case_id=planned.case_id,
            request_id=planned.case.request_id(self._repeat),
        )

    def _trace(self, scope: Scope) -> Callable[[], Trace | None]:
        return lambda: self._tracer.trace_of(scope)


def sibling_of(item: pytest.Item) -> pytest.Item:
    sibling: pytest.Item = Sibling.from_parent(item.parent or item.session, name="genaiver-repeat")
    return sibling


def run_again(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """One more execution of an item, unreported: fixtures of function scope anew, wider ones kept."""
    runner: Any = item.config.pluginmanager.get_plugin("runner")
    runner.runtestprotocol(item, log=False, nextitem=nextitem)


def outcome_of(report: pytest.TestReport, call: pytest.CallInfo[None], before: Outcome | None) -> Outcome | None:
    """The outcome of an execution, from each of its reports in turn."""
    if report.when in {"teardown", "setup"}:
        if report.failed:
            return "error"
        return "skipped" if report.skipped else before
    if hasattr(report, "wasxfail"):
        return "passed" if report.passed else "failed"
    if report.passed or "[XPASS(strict)]" in str(report.longrepr):
        # Each failed subtest has a report of its own, before that of its test, which passes.
        return before if before in ("failed", "provider") else "passed"
    if report.skipped:
        return "skipped"
    return "provider" if is_provider_failure(call.excinfo.value if call.excinfo else None) else "failed"


def scores_of(case: GenaiCase, outcome: Outcome, measured: Mapping[str, float]) -> dict[str, float | None]:
    """Metric -> value of one execution. A provider's failure leaves everything missing: it is never quality 0."""
    own = mean_scores(case.scores)
    if outcome == "provider":
        return dict.fromkeys((*own, "passed"))
    if outcome == "skipped":
        return {}
    passed = {"passed": 1.0, "failed": 0.0}.get(outcome)
    return {"passed": passed, **own, **measured}


def feedback_for(case: GenaiCase, passed: float | None, why: str | None = None) -> list[Any]:
    """The scores of one execution as MLflow feedback; `why` is the rationale of `passed`."""
    from pytest_genaiver.adapters.traces.feedback import feedback_of

    given = [feedback_of(s.name, s.given, s.rationale) for s in case.scores]
    return given if passed is None else [feedback_of("passed", bool(passed), why), *given]


def as_failed(report: pytest.TestReport, failed: Mapping[int, pytest.TestReport], repeats: int) -> pytest.TestReport:
    """The report of the last repeat, failing as the first failed one did: an item fails once."""
    if repeats > 1:
        first = failed[min(failed)]
        which = ", ".join(str(repeat + 1) for repeat in sorted(failed))
        report.outcome, report.longrepr = "failed", first.longrepr
        report.sections = [*first.sections, ("genaiver", f"repeat {which} of {repeats} failed")]
    return report
