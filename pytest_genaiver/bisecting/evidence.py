"""What the store holds of the commits of a search, under the names of one set of cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_genaiver.baseline.recorded import Recorded
from pytest_genaiver.core.contrast import Evidence
from pytest_genaiver.core.matching import match
from pytest_genaiver.core.pooling import pool
from pytest_genaiver.core.variants import full_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_genaiver.adapters.tracking.store import Store, VersionRef
    from pytest_genaiver.core.pooling import Pool
    from pytest_genaiver.core.results import VersionResults

BATCH = 500


class Known:
    """The recorded sessions of these commits, in one variant of the app; read once, until `load` is asked anew."""

    def __init__(self, store: Store, app: str, variant: str | None) -> None:
        self._store, self._app, self._variant = store, app, variant
        self._recorded = Recorded(store)
        self._pools: dict[str, Pool] = {}
        self._newest: dict[str, VersionResults] = {}

    @property
    def warnings(self) -> list[str]:
        """What could not be read, a line each."""
        return self._recorded.warnings

    @property
    def commits(self) -> set[str]:
        """Those of which something is recorded."""
        return {*self._pools}

    def load(self, commits: Sequence[str]) -> None:
        """Look all of them up at once, and read what there is."""
        for start in range(0, len(commits), BATCH):
            for ref in self._store.versions_of_commits(commits[start : start + BATCH], self._app):
                if ref.variant == self._variant and ref.commit:
                    self._read(ref.commit, ref)

    def _read(self, commit: str, ref: VersionRef) -> None:
        newest = self._recorded.sessions(ref, None)
        if newest:
            self._newest[commit] = newest[0]
            self._pools[commit] = pool(self._recorded.sessions(ref, newest[0].cases))

    def newest(self, commit: str) -> VersionResults | None:
        """The last complete session of a commit."""
        return self._newest.get(commit)

    def metrics(self, commit: str, reference: str) -> dict[str, Evidence]:
        """Every metric of one commit, by the cases of the commit `reference`."""
        if commit not in self._pools:
            return {}
        names = sorted({metric for case in self._pools[commit].cases.values() for metric in case.scores})
        every = {metric: self.of(metric, reference, [commit]).get(commit) for metric in names}
        return {metric: evidence for metric, evidence in every.items() if evidence is not None}

    def of(self, metric: str, reference: str, commits: Iterable[str]) -> dict[str, Evidence]:
        """The metric in each of these commits, by the cases of the commit `reference`.

        A case whose inputs or expectations were others then is left out, a renamed one goes by its name there; so is
        a metric that something else measured: another judge, scorer or price list.
        """
        if reference not in self._pools:
            return {}
        warned = {full_id(case) for case in self._newest[reference].cases.values() if case.gate != "fail"}
        wanted = {name: case for name, case in self._pools[reference].cases.items() if name not in warned}
        source = self._pools[reference].sources.get(metric)
        found: dict[str, Evidence] = {}
        for commit in commits:
            held = self._pools.get(commit)
            if held is not None and (source is None or held.sources.get(metric, source) == source):
                matches = match(wanted, held.cases)
                names = {**matches.same, **matches.renamed}
                scored = {names[c]: case for c, case in held.cases.items() if c in names and metric in case.scores}
                found[commit] = Evidence(
                    values={name: case.scores[metric] for name, case in scored.items()},
                    sessions={name: case.sessions[metric] for name, case in scored.items()},
                )
        return found
