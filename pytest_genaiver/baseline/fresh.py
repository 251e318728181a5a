"""A baseline that runs now: another commit's app, under the tests of this session (`--genai-baseline run:REF`)."""

from __future__ import annotations

import os
import uuid
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_genaiver import opening
from pytest_genaiver.adapters.tracking.files import DETAILS
from pytest_genaiver.adapters.tracking.stored_traces import trace_ids
from pytest_genaiver.baseline.finder import Baseline
from pytest_genaiver.concluding import closing
from pytest_genaiver.concluding.closing import Ledger
from pytest_genaiver.concluding.snapshots import Snapshots
from pytest_genaiver.core.latency import INTERLEAVED
from pytest_genaiver.core.pooling import BaselineFacts, pool
from pytest_genaiver.core.records import Plan
from pytest_genaiver.core.results import SessionFacts, Version, VersionResults
from pytest_genaiver.errors import ConfigError, DependencyError, StoreError
from pytest_genaiver.running.spending import SharedPurse
from pytest_genaiver.running.waiting import WithOthers
from pytest_genaiver.twin.ground import Ground, prepared
from pytest_genaiver.twin.lockstep import lockstep
from pytest_genaiver.twin.places import moved, with_this_package
from pytest_genaiver.version import default_name, identify, session_tags, version_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import pytest

    from pytest_genaiver.core.decision import Decision
    from pytest_genaiver.core.judgements import Judgements
    from pytest_genaiver.core.policy import MetricPolicy
    from pytest_genaiver.opening import Opened
    from pytest_genaiver.options.settings import Settings
    from pytest_genaiver.running.pool import Limits
    from pytest_genaiver.running.process import TestProcess
    from pytest_genaiver.running.spending import Purse
    from pytest_genaiver.running.waiting import Shown

FORM = "run:"


@dataclass(slots=True, kw_only=True)
class Fresh:
    """`reference` is REF as the user wrote it, `sha` its commit, `folder` where the twins' own files lie.

    `ledger` holds what the twins recorded, `plan` what they collected; `cases` are this session's.
    """

    opened: Opened
    settings: Settings
    reference: str
    sha: str
    distance: int | None
    folder: Path
    ledger: Ledger = field(default_factory=Ledger)
    plan: Plan | None = None
    cases: frozenset[str] = frozenset()
    notices: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    order: dict[str, Any] = field(default_factory=dict)
    """What a twin is told, as plain JSON."""
    _there: Opened | None = None
    _run_id: str = ""
    _tests: str = ""
    _as_installed: bool = True
    _saved: bool = False
    _started: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    _stack: ExitStack = field(default_factory=ExitStack)

    @property
    def version(self) -> Version:
        assert self._there is not None
        return self._there.version

    def begin(self, plan: Plan, config: pytest.Config, say: Callable[[str], None]) -> Baseline:
        """Check the commit out, lay the tests of now over it, record its version; what is known before it runs.

        Raises GenaiverError.
        """
        root, named = self.opened.surveyed.root, self._named
        self.cases = frozenset(plan.cases)
        try:
            ground = prepared(self._stack, root, self.sha, plan.files, lambda text: say(f"genaiver: {text}"))
        except DependencyError as error:
            raise ConfigError(f"{named}: {error}") from error
        top, environment = ground.top, ground.environment
        self._tests, self._as_installed = ground.tests, not environment.differs
        self._record(ground)
        if environment.differs:
            self.notices.append(f"{named}: it runs with its own dependencies: {', '.join(environment.differs)}")
        if ground.same_app:
            same = f"nothing but tests ({ground.tests}) differs from this version: the same app runs on both sides"
            self.notices.append(f"{named}: {same}")
        session = opening.worker_input(self.opened, self._run_id, self.settings, str(self.folder), workers=2)
        cwd = moved(os.path.realpath(config.invocation_params.dir), root, top)
        Path(cwd).mkdir(parents=True, exist_ok=True)
        self.order = {
            "session": {**session, "version": asdict(self.version)},
            "folder": str(self.folder),
            "pid": os.getpid(),
            "top": str(top),
            "beside": str(root),
            "cwd": cwd,
            "args": [moved(argument, root, top) for argument in config.invocation_params.args],
            "python": str(environment.python),
            "env": with_this_package(environment.variables),
            "judgements": {},
            "named": named,
            "sha": self.sha,
            "most": self.settings.repeats[1],
        }
        return Baseline(pool=None, facts=self.facts, warnings=tuple(self.notices))

    def stand_beside(self, config: pytest.Config, process: TestProcess | None, judgements: Judgements) -> None:
        """Start a twin beside the process with the tests; xdist's workers do so themselves. Raises TwinError."""
        self.order["judgements"] = judgements.known_to_json()
        # Where a file cannot be collected pytest runs nothing, unless it is told to.
        session: Any = config.pluginmanager.get_plugin("session")
        runs = not session.testsfailed or config.option.continue_on_collection_errors
        if process is not None and runs:
            partner = lockstep(self.order, "twin")
            self._stack.callback(partner.twin.stop)
            self.met(partner.start(self.cases))
            process.runner.partner = partner

    def _record(self, ground: Ground) -> None:
        """The version of REF's commit, and a session of it."""
        store, surveyed = self.opened.store, replace(self.opened.surveyed, root=ground.top, head=ground.head)
        found = identify(surveyed, self.settings, default_name(surveyed, replace(self.settings, version_name=None)))
        model_id = store.version(found.name, version_tags(found, surveyed), {})
        # Where its tests are those of its own commit, this is a session like any other.
        own = self.opened.surveyed.head
        now = f"{own.commit}{'-dirty-' + own.dirty if own.dirty else ''}" if own else ""
        tree = f"{found.tree}+{now}" if ground.other_tests else found.tree
        self._there = replace(self.opened, surveyed=surveyed, version=replace(found, model_id=model_id, tree=tree))
        tags = session_tags(self.version) | ({"genaiver.tests_from": now} if ground.other_tests else {})
        self._run_id = store.start_session(found.name, tags, model_id)

    def met(self, ready: Mapping[str, Any]) -> None:
        """A twin has collected; under xdist each worker's collects the same."""
        if self.plan is None:
            self.plan = Plan.from_json(ready["plan"])
            self.notices += ready["notices"]

    @property
    def _named(self) -> str:
        return f"--genai-baseline {FORM}{self.reference}"

    def shared(self, limits: Limits, shown: Shown) -> tuple[Limits, Purse, Shown]:
        """What a process may call, when its twin calls as much: half at once, and one purse for both."""
        half = replace(limits, concurrency=max(limits.concurrency // 2, 1))
        return half, SharedPurse(self.settings.max_cost, self.folder, "session"), WithOthers(shown, self.folder)

    def take(self, records: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Keep what partners recorded of its version; the others are returned."""
        known = list(records)
        name = None if self._there is None else self.version.name
        self.ledger.add({**r, "version": None} for r in known if name is not None and r["version"] == name)
        return [r for r in known if name is None or r["version"] != name]

    def count(self, told: Mapping[str, Any]) -> None:
        """Take what a process's partner finished with."""
        self.ledger.add(told["records"])
        if told["finished"] is not None:
            self.ledger.count({**told["finished"], "records": []})
        if told["trouble"] is not None:
            self.troubles.append(told["trouble"])

    def results(
        self, facts: SessionFacts, declared: Sequence[MetricPolicy], aggregates: Iterable[str]
    ) -> VersionResults:
        plan = self.plan or Plan()
        return closing.results_of(self.version, facts, plan, self.ledger, declared, aggregates)

    def baseline(self, declared: Sequence[MetricPolicy], aggregates: Iterable[str]) -> Baseline:
        """What there is so far. All its values count: none was run because an earlier one was bad."""
        most = max((r.repeat + 1 for r in self.ledger.of(None)), default=1)
        facts = SessionFacts(
            id=INTERLEAVED, run_id=self._run_id, started=self._started.isoformat(), complete=True, repeats=most
        )
        taken = self._taken("")
        return Baseline(
            pool=pool([self.results(facts, declared, aggregates)]),
            facts=self.facts,
            warnings=tuple(self.notices),
            snapshot=None if taken is None else taken.of(self.version.model_id or ""),
        )

    def _taken(self, command: str) -> Snapshots | None:
        """What is known of the app that ran; nothing where it ran with other packages than this process sees."""
        known = self._there if self._as_installed else None
        return None if known is None else Snapshots.take(known, self.ledger, command)

    @property
    def facts(self) -> BaselineFacts:
        """Before it has run too."""
        return BaselineFacts(
            why=f"{FORM}{self.reference}, under the tests of now: {self._tests}",
            name=self.version.name,
            commit=self.sha,
            model_id=self.version.model_id,
            distance=self.distance,
            age=0.0,
            sessions=1,
            fresh=True,
        )

    def asking(self, decision: Decision) -> Decision:
        """What the gate wants, else the cases of which the provider failed the baseline's only call, once."""
        failed: dict[str, int] = {}
        for record in self.ledger.of(None):
            failed[record.case] = failed.get(record.case, 0) + 1 if record.outcome == "provider" else 2
        again = {case: 1 for case, calls in sorted(failed.items()) if calls == 1}
        if self.ledger.refused:
            return replace(decision, more={})
        if decision.more or not again or self.troubles:
            return decision
        has = "it has" if len(again) == 1 else "they have"
        return replace(decision, more=again, next_look=None, why_more=f"{has} no value of the baseline yet")

    def honest(self, decision: Decision) -> Decision:
        """Without a whole baseline no regression is not shown; one that was found is."""
        if not self.troubles or decision.verdict == "regressed":
            return decision
        cases = {r.case for r in self.ledger.of(None)}
        return replace(
            decision,
            verdict="inconclusive",
            reason=f"the baseline ran only {len(cases)} of its cases: {self.troubles[0]}",
        )

    def save(self, own: SessionFacts, declared: Sequence[MetricPolicy], aggregates: Iterable[str]) -> None:
        """Record it as a session of its version, where there was a case to run. Raises StoreError."""
        if self._there is None:
            return
        store, run_id = self.opened.store, self._run_id
        produced = self.ledger.produced
        stored = trace_ids(store, run_id, among=produced)
        facts = replace(
            own,
            id=uuid.uuid4().hex,
            run_id=run_id,
            complete=own.complete and not self.troubles and not self.ledger.refused,
            cut_short=own.cut_short or next(iter(self.troubles), None),
            traces_produced=len(produced),
            traces_stored=len(stored & produced.keys()),
            calls_failed=sum(r.outcome == "provider" for r in self.ledger.snapshot()),
            verdict=None,
            moved=(),
            accepted=(),
        )
        results = self.results(facts, declared, aggregates)
        model_id, taken = self.version.model_id or "", self._taken(own.command or "")
        more = {DETAILS: closing.details_text(self.ledger), **(taken.files(model_id) if taken else {})}
        tags = {"genaiver.complete": str(facts.complete).lower()}
        if taken is not None:
            results.snapshot = taken.of(model_id)
            tags["genaiver.snapshot"] = results.snapshot.digest
        store.save_results(run_id, closing.results_text(results), closing.table_of(results), more)
        store.save_metrics(run_id, model_id, closing.aggregates(results, None))
        store.end_session(run_id, tags, ok=facts.complete)
        self._saved = True
        if taken is not None:
            taken.record(model_id, run_id)

    def close(self) -> None:
        """End its twin, remove its files; a session that came to nothing is closed as what it is."""
        self._stack.close()
        if self._run_id and not self._saved:
            with suppress(StoreError):
                self.opened.store.end_session(self._run_id, {}, ok=False)
