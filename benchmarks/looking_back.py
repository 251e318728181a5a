"""What looking back costs in a store of 1,000 versions: `genaiver history`, `compare` and `show`, whole processes.

Aim: `history` of all 1,000 under 3 s on sqlite. Beside them, what importing MLflow and opening the store takes alone.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from measure import in_turn

from pytest_genaiver.core.results import CaseResult, SessionFacts, Version, VersionResults

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_genaiver.adapters.tracking.store import Store

VERSIONS = 1_000
CASES = 40
RUNS = 5
FELL = 600
"""The metric falls with this version, counted from the oldest."""

TABLES = {
    "logged_models": "model_id",
    "logged_model_tags": "model_id",
    "logged_model_metrics": "model_id",
    "runs": "run_uuid",
    "tags": "run_uuid",
    "metrics": "run_uuid",
    "latest_metrics": "run_uuid",
}
"""Where MLflow keeps versions and sessions, and the column that says whose a row is."""

OPENED = (
    "import mlflow; from mlflow import MlflowClient; "
    "MlflowClient('sqlite:///mlflow.db').get_experiment_by_name('app')"
)


def git(folder: Path, *arguments: str, given: str | None = None) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, input=given, check=True, capture_output=True, encoding="utf-8"
    )
    return done.stdout.strip()


def make_commits(folder: Path, count: int) -> list[str]:
    """A branch of that many commits; their SHAs, oldest first."""
    git(folder, "init", "--quiet", "--initial-branch=main")
    lines = []
    for i in range(count):
        lines += ["commit refs/heads/main", f"committer Ada <ada@example.com> {1_700_000_000 + 3600 * i} +0000"]
        subject = f"Change {i}"
        lines += [f"data {len(subject)}", subject, f"M 100644 inline app.py\ndata {len(str(i))}", str(i)]
        if i == 0:
            ini = "[pytest]\ngenai_app = app\n"
            lines += [f"M 100644 inline pytest.ini\ndata {len(ini)}", ini]
    git(folder, "fast-import", "--quiet", given="\n".join([*lines, ""]))
    git(folder, "reset", "--quiet", "--hard", "main")
    return git(folder, "rev-list", "--first-parent", "--reverse", "main").split()


def make_store(folder: Path, shas: list[str]) -> None:
    """One session of each commit. The first is recorded as the plugin does it; the others are copies of its rows and
    files under other names, with values of their own: MLflow would take minutes to write them one by one.
    """
    from pytest_genaiver.adapters.tracking.place import place_of
    from pytest_genaiver.adapters.tracking.store import Store

    store = Store(place_of(f"sqlite:///{folder / 'mlflow.db'}", folder))
    store.open("app")
    first = record(store, 0, shas[0])
    with contextlib.closing(sqlite3.connect(folder / "mlflow.db")) as connection, connection:
        rows = {table: rows_of(connection, table, column, first) for table, column in TABLES.items()}
        [recorded] = folder.glob("mlruns/**/genaiver/results.json")
        text = recorded.read_text(encoding="utf-8")
        for number, sha in enumerate(shas[1:], start=1):
            given = {
                first.session.run_id or "": f"{number:032x}",
                first.version.model_id or "": f"m-{number:032x}",
                shas[0]: sha,
                shas[0][:8]: sha[:8],
            }
            copy_rows(connection, rows, given, number)
            copied = Path(renamed(str(recorded), given))
            copied.parent.mkdir(parents=True)
            results = json.loads(renamed(text, given))
            scored = VersionResults.from_json({**results, "cases": {}})
            scored.cases = cases(number)
            copied.write_text(json.dumps(scored.to_json()), encoding="utf-8")


def rows_of(
    connection: sqlite3.Connection, table: str, column: str, of: VersionResults
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The columns of a table, and its rows about this session or its version."""
    wanted = of.version.model_id if column == "model_id" else of.session.run_id
    found = connection.execute(f"SELECT * FROM {table} WHERE {column} = ?", (wanted,))
    return [name for name, *_ in found.description], found.fetchall()


def copy_rows(
    connection: sqlite3.Connection,
    rows: Mapping[str, tuple[list[str], list[tuple[Any, ...]]]],
    given: Mapping[str, str],
    number: int,
) -> None:
    known = means(cases(number))
    for table, (columns, found) in rows.items():
        key = "key" if "key" in columns else "metric_name"
        value = "value" if "value" in columns else "metric_value"
        for row in found:
            named = dict(zip(columns, (renamed(cell, given) for cell in row), strict=True))
            if "metrics" in table:
                named[value] = known[named[key]]
            marks = ", ".join("?" * len(columns))
            connection.execute(f"INSERT INTO {table} VALUES ({marks})", list(named.values()))


def renamed(cell: Any, given: Mapping[str, str]) -> Any:
    for old, new in given.items():
        cell = cell.replace(old, new) if isinstance(cell, str) else cell
    return cell


def means(scored: Mapping[str, CaseResult]) -> dict[str, float]:
    metrics = {metric for case in scored.values() for metric in case.scores}
    return {
        m: fmean(value for case in scored.values() for value in case.scores[m] if value is not None) for m in metrics
    }


def record(store: Store, number: int, sha: str) -> VersionResults:
    from pytest_genaiver.concluding import closing
    from pytest_genaiver.version import session_tags

    name = f"app-{sha[:8]}"
    tags = {"genaiver.app": "app", "genaiver.version": name, "genaiver.commit": sha, "genaiver.dirty": "false"}
    model_id = store.version(name, tags, {})
    version = Version(name=name, app="app", model_id=model_id, commit=sha)
    run_id = store.start_session(name, session_tags(version), model_id)
    facts = SessionFacts(id=run_id, run_id=run_id, started="2026-01-02T03:04:05+00:00", complete=True, repeats=1)
    results = VersionResults(version=version, session=facts, cases=cases(number))
    store.save_results(run_id, closing.results_text(results), closing.table_of(results))
    store.save_metrics(run_id, model_id, closing.aggregates(results, None))
    store.end_session(run_id, {"genaiver.complete": "true", "genaiver.verdict": "pass"}, ok=True)
    return results


def cases(number: int) -> dict[str, CaseResult]:
    made: dict[str, CaseResult] = {}
    for case in range(CASES):
        # No two versions alike, and no chance: (case + version) modulo a prime number.
        failed = (31 * case + 17 * number) % 97 < (5 if number < FELL else 30)
        topic, cost = 0.0 if failed else 1.0, 0.001 + 0.0001 * (case % 7)
        scores: dict[str, list[float | None]] = {"on_topic": [topic], "passed": [1.0], "cost": [cost]}
        name = f"test_app.py::test_it[{case}]"
        made[name] = CaseResult(id=name, digest=str(case), function="test_app.py::test_it", scores=scores)
    return made


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made).resolve()
        with contextlib.redirect_stderr(io.StringIO()):
            shas = make_commits(folder, VERSIONS)
            make_store(folder, shas)
        genaiver = [sys.executable, "-c", "from pytest_genaiver.cli.main import run; run()"]
        commands = {
            "MLflow imported, store opened": [sys.executable, "-c", OPENED],
            "`genaiver history` (the newest 30)": [*genaiver, "history"],
            f"`genaiver history -n {VERSIONS}`": [*genaiver, "history", "-n", str(VERSIONS)],
            "`genaiver compare A B`": [*genaiver, "compare", shas[0], shas[-1]],
            "`genaiver show VERSION`": [*genaiver, "show", shas[0]],
        }
        found = in_turn(commands, folder, {"MLFLOW_DISABLE_TELEMETRY": "true"}, RUNS)
        history = [*genaiver, "history", "-n", str(VERSIONS), "--json"]
        printed = subprocess.run(history, cwd=folder, env=dict(os.environ), capture_output=True, check=True).stdout
    changes = [shas.index(change["commit"]) for change in json.loads(printed)["change_points"]]
    print(f"| {VERSIONS:,} versions of {CASES} cases | wall | CPU |\n|---|---|---|")
    for name, run in found.items():
        print(f"| {name} | {run.wall:.2f} s | {run.cpu:.2f} s |")
    print(f"\nThe fall with version {FELL} is marked at {', '.join(map(str, changes)) or 'none'}.")


if __name__ == "__main__":
    main()
