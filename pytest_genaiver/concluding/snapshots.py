"""The snapshots of a session: taken, stored, and held against what is recorded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_genaiver.adapters import git
from pytest_genaiver.adapters.snapshot import distributions, machine
from pytest_genaiver.adapters.tracking import files, snapshots
from pytest_genaiver.core.observed import Observed
from pytest_genaiver.core.since import Since, otherwise, seen
from pytest_genaiver.core.snapshot import Snapshot, changes

if TYPE_CHECKING:
    from pytest_genaiver.adapters.snapshot.distributions import Installed
    from pytest_genaiver.baseline.finder import Baseline
    from pytest_genaiver.concluding.closing import Ledger
    from pytest_genaiver.core.compare import Comparison
    from pytest_genaiver.opening import Opened

MOST_COMMITS = 100
"""Commits since the baseline that are listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshots:
    """What the session saw of each version that it evaluated. `command` is how pytest was called, without secrets."""

    opened: Opened
    ledger: Ledger
    command: str
    installed: list[Installed]

    @classmethod
    def take(cls, opened: Opened, ledger: Ledger, command: str) -> Snapshots:
        return cls(opened=opened, ledger=ledger, command=command, installed=distributions.installed())

    def of(self, model_id: str) -> Snapshot:
        """The snapshot of one version: all share the code, the dependencies and the machine."""
        version, head = self.opened.version, self.opened.surveyed.head
        models, prompts = self.ledger.seen.get(model_id, Observed()).settled()
        return Snapshot(
            commit=version.commit,
            branch=version.branch,
            remote=version.remote,
            dirty=head.dirty if head else None,
            tree=version.tree,
            params=dict(sorted(self.ledger.params.get(model_id, {}).items())),
            models=models,
            prompts=prompts,
            dependencies=distributions.dependencies(self.installed),
            python=machine.python_version(),
            platform=machine.platform_name(),
            command=self.command,
        )

    def files(self, model_id: str) -> dict[str, str]:
        """The files of a session of this version, by name."""
        snapshot = self.of(model_id)
        return {
            files.SNAPSHOT: json.dumps(snapshot.to_json(), indent=1),
            files.REQUIREMENTS: distributions.requirements(self.installed, snapshot.python),
        }

    def record(self, model_id: str, run_id: str) -> str | None:
        """Tag the version with its snapshot, if it has none yet; else say what is otherwise now.

        Raises StoreError or ResultsError.
        """
        now, store = self.of(model_id), self.opened.store
        before = snapshots.recorded(store, model_id, now, run_id)
        return None if before is None else otherwise(before, now)


def since(opened: Opened, baseline: Baseline, comparison: Comparison, now: Snapshot) -> Since | None:
    """What lies between the baseline and this version; None where there is no baseline."""
    if baseline.facts.name is None:
        return None
    head, before = opened.surveyed.head, baseline.snapshot
    old, new = baseline.facts.commit, opened.version.commit
    commits = git.log(head.toplevel, old, new, MOST_COMMITS) if head and old and new else []
    return Since(
        changes=None if before is None else seen(changes(before, now), whole=_is_whole(comparison)),
        commits=tuple(commits),
        count=git.distance(head.toplevel, old, new) if head and old and new else None,
    )


def _is_whole(comparison: Comparison) -> bool:
    """Whether every case of the baseline was run again, or is gone for good."""
    cases = comparison.baseline.cases if comparison.baseline else {}
    return not cases.keys() - {*comparison.pairs.values(), *comparison.changed, *comparison.removed}
