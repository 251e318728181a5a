"""What looking back costs in a store of 1,000 versions: `genaiver history`, `compare` and `show`, whole processes.

Aim: `history` of all 1,000 under 3 s on sqlite. Beside them, what importing MLflow and opening the store takes alone.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from many_versions import make
from measure import in_turn

if TYPE_CHECKING:
    from many_versions import ManyVersions

VERSIONS = 1_000
FELL = 600
"""The metric falls with this version, counted from the oldest."""
RUNS = 5

OPENED = (
    "import mlflow; from mlflow import MlflowClient; "
    "MlflowClient('sqlite:///mlflow.db').get_experiment_by_name('app')"
)


def plant(made: ManyVersions, fell: int) -> list[str]:
    """Give each version values of its own, lower from number `fell` on; the recorded commits, oldest first."""
    commits = made.commits[:0:-1]
    means = []
    for number, commit in enumerate(commits):
        model, run = made.ids[commit]
        [file] = (made.path / "mlruns").rglob(f"{run}/artifacts/genaiver/results.json")
        results = json.loads(file.read_text(encoding="utf-8"))
        for place, case in enumerate(results["cases"].values()):
            # No two versions alike, and no chance: (case + version) modulo a prime number.
            failed = (31 * place + 17 * number) % 97 < (5 if number < fell else 30)
            case["scores"]["good"] = [0.0 if failed else 1.0]
        file.write_text(json.dumps(results), encoding="utf-8")
        means.append((fmean(case["scores"]["good"][0] for case in results["cases"].values()), model))
    made.execute(
        "UPDATE logged_model_metrics SET metric_value = ? WHERE model_id = ? AND metric_name = 'good'", *means
    )
    return commits


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder).resolve()
        with contextlib.redirect_stderr(io.StringIO()):
            commits = plant(make(place, versions=VERSIONS, ancestors=VERSIONS - 1), FELL)
        genaiver = [sys.executable, "-c", "from pytest_genaiver.cli.main import run; run()"]
        whole = [*genaiver, "history", "-n", str(VERSIONS)]
        commands = {
            "MLflow imported, store opened": [sys.executable, "-c", OPENED],
            "`genaiver history` (the newest 30)": [*genaiver, "history"],
            f"`genaiver history -n {VERSIONS}`": whole,
            "`genaiver compare A B`": [*genaiver, "compare", commits[0], commits[-1]],
            "`genaiver show VERSION`": [*genaiver, "show", commits[0]],
        }
        found = in_turn(commands, place, {"MLFLOW_DISABLE_TELEMETRY": "true"}, RUNS)
        printed = subprocess.run([*whole, "--json"], cwd=place, capture_output=True, check=True).stdout
        os.chdir("/")
    changes = [commits.index(change["commit"]) for change in json.loads(printed)["change_points"]]
    print(f"| {VERSIONS:,} versions of 40 cases | wall | CPU |\n|---|---|---|")
    for name, run in found.items():
        print(f"| {name} | {run.wall:.2f} s | {run.cpu:.2f} s |")
    print(f"\nThe fall with version {FELL} is marked at {', '.join(map(str, changes)) or 'none'}.")


if __name__ == "__main__":
    main()
