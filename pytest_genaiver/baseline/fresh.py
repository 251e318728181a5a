"""A baseline that runs now: another commit's app, under the tests of this session (`--genai-baseline run:REF`)."""

from __future__ import annotations

import os
import tempfile
import uuid
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_genaiver import opening
from pytest_genaiver.adapters import git
from pytest_genaiver.adapters.environments import environment_for
from pytest_genaiver.adapters.tracking.files import DETAILS
from pytest_genaiver.adapters.tracking.place import OURS
from pytest_genaiver.adapters.tracking.stored_traces import trace_ids
from pytest_genaiver.baseline.finder import Baseline
from pytest_genaiver.concluding import closing
from pytest_genaiver.concluding.closing import Ledger
from pytest_genaiver.core.ci import CiFacts
from pytest_genaiver.core.latency import INTERLEAVED
from pytest_genaiver.core.pooling import BaselineFacts, pool
from pytest_genaiver.core.records import Plan
from pytest_genaiver.core.results import SessionFacts, Version, VersionResults
from pytest_genaiver.errors import ConfigError, DependencyError, StoreError
from pytest_genaiver.running.spending import SharedPurse
from pytest_genaiver.running.waiting import WithOthers
from pytest_genaiver.twin import overlay
from pytest_genaiver.twin.ending import ended_in_order
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
    _version: Version | None = None
    _run_id: str = ""
    _tests: str = ""
    _saved: bool = False
    _started: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    _stack: ExitStack = field(default_factory=ExitStack)

    @property
    def version(self) -> Version:
        assert self._version is not None
        return self._version

    def begin(self, plan: Plan, config: pytest.Config, say: Callable[[str], None]) -> Baseline:
        """Check the commit out, lay the tests of now over it, record its version; what is known before it runs.

        Raises GenaiverError.
        """
        root = self.opened.surveyed.root
        self._stack.enter_context(ended_in_order())
        top = self._stack.enter_context(git.checkout(root, self.sha))
        self.cases = frozenset(plan.cases)
        # As the commit itself asks for it: pytest's ini file may be the file that says so.
        cache = root / OURS / "environments"
        try:
            environment = environment_for(top, root, cache=cache, say=lambda text: say(f"genaiver: {text}"))
        except DependencyError as error:
            raise ConfigError(f"{self._named}: {error}") from error
        if environment.differs:
            self.notices.append(f"{self._named}: it runs with its own dependencies: {', '.join(environment.differs)}")
        surveyed = replace(self.opened.surveyed, root=top, head=git.read_head(top, CiFacts()))
        laid = overlay.existing(overlay.overlay_of(plan.files), root, top)
        overlay.lay(laid, root, top)
        self._tests = laid.line()
        self._record(surveyed, changed=bool(git.changed(top)))
        if not [path for path in git.changed(root, self.sha) if not laid.covers(path)]:
            self.notices.append(
                f"nothing but tests ({self._tests}) differs between {self.reference} and this version: "
                "the same app runs on both sides"
            )
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
            "named": self._named,
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

    def _record(self, surveyed: Any, *, changed: bool) -> None:
        """The version of REF's commit, and a session of it; `changed`: under other tests than its own."""
        store = self.opened.store
        found = identify(surveyed, self.settings, default_name(surveyed, replace(self.settings, version_name=None)))
        model_id = store.version(found.name, version_tags(found, surveyed), {})
        # Where its tests are those of its own commit, this is a session like any other.
        own = self.opened.surveyed.head
        now = f"{own.commit}{'-dirty-' + own.dirty if own.dirty else ''}" if own else ""
        tree = f"{found.tree}+{now}" if changed else found.tree
        self._version = replace(found, model_id=model_id, tree=tree)
        tags = session_tags(self._version) | ({"genaiver.tests_from": now} if changed else {})
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
        name = None if self._version is None else self.version.name
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
        return Baseline(
            pool=pool([self.results(facts, declared, aggregates)]), facts=self.facts, warnings=tuple(self.notices)
        )

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
        if self._version is None:
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
        details = {DETAILS: closing.details_text(self.ledger)}
        store.save_results(run_id, closing.results_text(results), closing.table_of(results), details)
        store.save_metrics(run_id, self.version.model_id or "", closing.aggregates(results, None))
        store.end_session(run_id, {"genaiver.complete": str(facts.complete).lower()}, ok=facts.complete)
        self._saved = True

    def close(self) -> None:
        """End its twin, remove its files; a session that came to nothing is closed as what it is."""
        self._stack.close()
        if self._run_id and not self._saved:
            with suppress(StoreError):
                self.opened.store.end_session(self._run_id, {}, ok=False)


def fresh(reference: object, opened: Opened, settings: Settings, distance: Any) -> Fresh | None:
    """The baseline that `run:REF` names; None for any other reference. Raises ConfigError."""
    if not isinstance(reference, str) or not reference.startswith(FORM):
        return None
    ref, head = reference.removeprefix(FORM).strip(), opened.surveyed.head
    if head is None:
        raise ConfigError(f"--genai-baseline: {reference!r} needs a git repository, and there is none here")
    sha = git.resolve(head.toplevel, ref)
    if sha is None:
        near = git.near_refs(head.toplevel, ref)
        hint = f"; near: {', '.join(near)}" if near else "; write a branch, tag or commit, such as run:HEAD~1"
        raise ConfigError(f"--genai-baseline: {reference!r}: {ref!r} is no git ref or commit of this clone{hint}")
    if sha in (head.commit, head.tested) and head.dirty is None:
        raise ConfigError(
            f"--genai-baseline: {reference!r} is the version under test itself ({opened.version.name}), "
            "and nothing is changed since; name an earlier commit, such as run:HEAD~1"
        )
    made = tempfile.TemporaryDirectory(prefix="genaiver-twin-")
    found = Fresh(
        opened=opened, settings=settings, reference=ref, sha=sha, distance=distance(sha), folder=Path(made.name)
    )
    found._stack.callback(made.cleanup)
    return found
