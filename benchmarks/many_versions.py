"""A store of many versions, made quickly: one session is recorded as always, and its rows are copied."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pytest_genaiver import opening
from pytest_genaiver.concluding import closing as finishing
from pytest_genaiver.core.digest import digest
from pytest_genaiver.core.policy import policy_for
from pytest_genaiver.core.records import PlannedCase
from pytest_genaiver.core.results import CaseResult, SessionFacts, VersionResults
from pytest_genaiver.options.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pytest_genaiver.opening import Opened

METRICS = ("passed", "good", "latency", "input_tokens", "output_tokens", "total_tokens", "cost")
FUNCTION = "test_app.py::test_answer"
_OF_A_VERSION = ("logged_models", "logged_model_tags", "logged_model_params", "logged_model_metrics")
_OF_A_RUN = ("runs", "tags", "latest_metrics", "metrics")
SETTINGS = Settings(app="app")


@dataclass
class ManyVersions:
    """A project whose last `ancestors` commits are recorded, beside so many versions of other commits."""

    path: Path
    commits: list[str]
    opened: Opened
    cases: dict[str, PlannedCase]
    ids: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Commit -> model id and run id."""

    @property
    def database(self) -> Path:
        return self.path / "mlflow.db"

    def execute(self, statement: str, *rows: Sequence[Any]) -> None:
        """SQL on the store, for states that would take long to record."""
        with closing(sqlite3.connect(self.database)) as connection, connection:
            connection.executemany(statement, rows)

    def add_traces(self, commit: str, number: int) -> None:
        """Rows of so many traces, each of one span, of one version."""
        model, run = self.ids[commit]
        ids = [f"tr-{i:032x}" for i in range(number)]
        location = self.opened.store.experiment_id
        self.execute(
            "INSERT INTO trace_info (request_id, experiment_id, timestamp_ms, execution_time_ms, status) "
            "VALUES (?, ?, 1700000000000, 5, 'OK')",
            *((i, location) for i in ids),
        )
        for key, value in (("mlflow.sourceRun", run), ("mlflow.modelId", model), ("mlflow.trace.sizeBytes", "900")):
            self.execute(
                "INSERT INTO trace_request_metadata (request_id, key, value) VALUES (?, ?, ?)",
                *((i, key, value) for i in ids),
            )


def make(folder: Path, *, versions: int, ancestors: int, cases: int = 40) -> ManyVersions:
    """A repository in `folder`, which becomes the current one, and its store; the last commit is not recorded."""
    commits = _commits(folder, ancestors + 2)
    os.chdir(folder)
    subprocess.run(["git", "checkout", "--quiet", commits[1]], cwd=folder, check=True)
    results = _recorded(folder, cases)
    made = ManyVersions(
        path=folder,
        commits=commits,
        opened=_opened(folder),
        cases={c.id: PlannedCase(id=c.id, digest=c.digest, function=c.function) for c in results.cases.values()},
    )
    others = [f"{i:040x}" for i in range(versions - ancestors)]
    template = (results.version.commit or "", results.version.model_id or "", results.session.run_id or "")
    _copy(made, template, [*commits[2:], *others])
    made.ids[commits[1]] = template[1:]
    _copy_files(made, results, commits[2:])
    subprocess.run(["git", "checkout", "--quiet", "main"], cwd=folder, check=True)
    return made


def _commits(folder: Path, number: int) -> list[str]:
    """So many commits on main, the newest first."""
    git = ["git", "-c", "init.defaultBranch=main"]
    subprocess.run([*git, "init", "--quiet", str(folder)], check=True)
    stream = "".join(_commit(i) for i in range(number))
    subprocess.run([*git, "fast-import", "--quiet"], cwd=folder, input=stream, text=True, check=True)
    listed = subprocess.run([*git, "rev-list", "main"], cwd=folder, check=True, capture_output=True, text=True)
    return listed.stdout.split()


def _commit(number: int) -> str:
    ignored = "mlflow.db\nmlruns\n.genaiver\n"
    files = {"app.py": f"# {number}\n", ".gitignore": ignored, "pytest.ini": "[pytest]\ngenai_app = app\n"}
    written = "".join(f"M 100644 inline {name}\ndata {len(text)}\n{text}\n" for name, text in files.items())
    who = f"committer Ada <ada@example.com> {1_700_000_000 + number * 60} +0000"
    return f"commit refs/heads/main\n{who}\ndata 1\n{number % 10}\n{written}\n"


def _opened(folder: Path) -> Opened:
    surveyed, place = opening.look(folder, SETTINGS, {})
    return opening.open_store(surveyed, place, SETTINGS, lambda default: default)


def _recorded(folder: Path, cases: int) -> VersionResults:
    """One session, as `pytest --genai-version` records it."""
    opened = _opened(folder)
    run_id = opening.start_run(opened)
    results = VersionResults(
        version=opened.version,
        session=SessionFacts(
            id=run_id, run_id=run_id, started="2026-01-01T00:00:00+00:00", complete=True, repeats=1, verdict="pass"
        ),
        policy=[policy_for(metric, ()) for metric in METRICS],
        cases={case.id: case for case in _cases(cases)},
    )
    store = opened.store
    store.save_results(run_id, finishing.results_text(results), finishing.table_of(results))
    store.save_metrics(run_id, opened.version.model_id or "", finishing.aggregates(results, None))
    store.end_session(run_id, {"genaiver.complete": "true", "genaiver.verdict": "pass"}, ok=True)
    return results


def _cases(number: int) -> Iterator[CaseResult]:
    for i in range(number):
        yield CaseResult(
            id=f"{FUNCTION}[q{i}]",
            digest=digest({"question": f"q{i}"}, {}, {})[0],
            function=FUNCTION,
            scores={metric: [1.0] for metric in METRICS},
        )


def _copy(made: ManyVersions, template: tuple[str, str, str], commits: Sequence[str]) -> None:
    """The template's rows again for each commit, under its own ids and name."""
    old_commit, old_model, old_run = template
    new_ids = [(f"m-{i:032x}", f"{i:032x}") for i in range(1, len(commits) + 1)]
    made.ids |= dict(zip(commits, new_ids, strict=True))
    with closing(sqlite3.connect(made.database)) as connection, connection:
        for tables, column, old in ((_OF_A_VERSION, "model_id", old_model), (_OF_A_RUN, "run_uuid", old_run)):
            for table in tables:
                rows = connection.execute(f"SELECT * FROM {table} WHERE {column} = ?", (old,)).fetchall()
                if not rows:
                    continue
                marks = ", ".join("?" * len(rows[0]))
                for commit, (model, run) in zip(commits, new_ids, strict=True):
                    swaps = ((old_commit, commit), (old_model, model), (old_run, run), (old_commit[:8], commit[:8]))
                    copies = [[_swapped(value, swaps) for value in row] for row in rows]
                    connection.executemany(f"INSERT INTO {table} VALUES ({marks})", copies)


def _swapped(value: Any, swaps: Sequence[tuple[str, str]]) -> Any:
    if isinstance(value, str):
        for old, new in swaps:
            value = value.replace(old, new)
    return value


def _copy_files(made: ManyVersions, results: VersionResults, commits: Sequence[str]) -> None:
    """The results of the ancestors' sessions; nobody reads those of the others."""
    folder = next((made.path / "mlruns").rglob("results.json")).parents[2]
    for commit in commits:
        model, run = made.ids[commit]
        version = replace(results.version, commit=commit, name=f"app-{commit[:8]}", model_id=model)
        session = replace(results.session, id=run, run_id=run)
        copy = folder.parent / run / "artifacts" / "genaiver" / "results.json"
        copy.parent.mkdir(parents=True)
        copy.write_text(json.dumps(replace(results, version=version, session=session).to_json()), encoding="utf-8")
