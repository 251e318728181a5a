"""The reports that a session leaves as files: what they need beyond the summary, and where they go."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters import git, results_file
from pytest_genaiver.adapters.tracking.files import DETAILS, RESULTS
from pytest_genaiver.adapters.tracking.history import metrics_of_commits
from pytest_genaiver.adapters.tracking.store import metric_key
from pytest_genaiver.concluding import closing
from pytest_genaiver.errors import GenaiverError, warn
from pytest_genaiver.report import html, markdown
from pytest_genaiver.report.cases import NONE, Case, Details, Recorded, cases_of
from pytest_genaiver.report.masking import masked
from pytest_genaiver.report.parts import Past

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pytest_genaiver.baseline.finder import Baseline
    from pytest_genaiver.concluding.closing import Ledger
    from pytest_genaiver.core.compare import Comparison
    from pytest_genaiver.core.decision import Decision
    from pytest_genaiver.core.secrets import Mask
    from pytest_genaiver.opening import Opened
    from pytest_genaiver.options.settings import Settings
    from pytest_genaiver.report.parts import Summary

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
"""Names the file that GitHub shows on the page of a job."""

_MOST_VERSIONS = 30
_MOST_SESSIONS = 5


@dataclass(slots=True, kw_only=True)
class Reports:
    """Writes them. One that cannot be written is a warning, and never changes the verdict.

    What a report needs beyond the summary is read only where such a report is asked for.
    """

    settings: Settings
    opened: Opened
    ledger: Ledger
    baseline: Baseline
    mask: Mask
    summary: Summary
    comparison: Comparison
    decision: Decision | None
    _cases: tuple[Case, ...] | None = None

    def write(self, payload: Mapping[str, Any]) -> None:
        """Every report that the user asked for, and the summary of the CI job that runs the session."""
        for path in self.settings.reports:
            self._try(lambda path=path: self._write(path, payload))  # type: ignore[misc]
        if given := os.environ.get(STEP_SUMMARY):
            self._try(lambda: results_file.append_text(Path(given), self._markdown()))

    def _try(self, action: Callable[[], None]) -> None:
        try:
            action()
        except GenaiverError as error:
            warn(str(error))

    def _write(self, path: Path, payload: Mapping[str, Any]) -> None:
        if path.suffix.lower() == ".json":
            results_file.write(path, self.mask.plain(payload))
        else:
            results_file.write_text(path, self._html() if path.suffix.lower() == ".html" else self._markdown())

    def _markdown(self) -> str:
        outputs = self._all_cases() if self.settings.report_outputs else ()
        return markdown.document(self.summary, app=self.opened.version.app, outputs=outputs)

    def _html(self) -> str:
        page = closing.page_of(self.opened.store.place, self.opened.store.experiment_id)
        extra = html.Extra(
            cases=self._all_cases(),
            history=self._history(),
            keys={row.metric: metric_key(row.metric) for row in self.summary.rows},
            traces_page=f"{page}/traces/" if page else "",
            app=self.opened.version.app,
        )
        return html.document(self.summary, self.decision, extra)

    def _all_cases(self) -> tuple[Case, ...]:
        if self._cases is None:
            found = cases_of(self.comparison, self.decision, closing.details_of(self.ledger), self._recorded())
            self._cases = masked(found, self.mask)
        return self._cases

    def _recorded(self) -> Recorded:
        """What the baseline's newest sessions left, as much as it takes to know every case."""
        pool = self.baseline.pool
        if pool is None:
            return NONE
        wanted = {*self.comparison.pairs.values(), *self.comparison.removed}
        details: Details = {}
        runs = [session.run_id for session in pool.sessions if session.run_id]
        for run_id in islice(runs, _MOST_SESSIONS):
            for case, found in self._read(run_id, DETAILS).items():
                details.setdefault(case, found)
            if wanted <= details.keys():
                break
        cases = self._read(runs[0], RESULTS).get("cases", {}) if runs else {}
        return Recorded(details=details, traces={name: case.get("traces", []) for name, case in cases.items()})

    def _read(self, run_id: str, name: str) -> dict[str, Any]:
        try:
            text = self.opened.store.read_more(run_id, name)
            return dict(json.loads(text)) if text else {}
        except (GenaiverError, ValueError) as error:
            warn(f"the report lacks what run {run_id} of the baseline left: {error}")
            return {}

    def _history(self) -> tuple[Past, ...]:
        """Recorded versions along the first parents, oldest first, and this one."""
        results = self.comparison.current
        now = closing.aggregates(results, self.decision)
        current = Past(version=results.version.name, metrics={metric_key(k): v for k, v in now.items()})
        try:
            older = [past for past in self._older() if past.version != current.version]
        except GenaiverError as error:
            warn(f"the report lacks the history: {error}")
            older = []
        return (*reversed(older[: _MOST_VERSIONS - 1]), current)

    def _older(self) -> Iterator[Past]:
        """Nearest first."""
        head, version = self.opened.surveyed.head, self.opened.version
        tip = (head.tested or head.commit) if head else None
        if head is None or tip is None:
            return
        nearest = next(iter(git.ancestors(head.toplevel, tip)), [])
        for name, metrics in metrics_of_commits(self.opened.store, nearest, version.app, version.variant):
            yield Past(version=name, metrics=metrics)
