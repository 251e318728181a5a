"""What the installed plugin costs a pytest run that does not use it.

Aim: the CPU of an empty run within 1.05x of the same run with `-p no:genaiver`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measure import in_turn

RUNS = 25


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_empty.py").write_text("def test_nothing():\n    pass\n")
        pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        env = {"PYTHONDONTWRITEBYTECODE": "", "PYTEST_ADDOPTS": ""}
        found = in_turn({"without": [*pytest, "-p", "no:genaiver"], "with": pytest}, Path(folder), env, RUNS)
    print("| run without --genai-version | CPU | wall |\n|---|---|---|")
    for name, run in found.items():
        print(f"| plugin {'installed' if name == 'with' else 'switched off'} | {run.cpu:.3f} s | {run.wall:.3f} s |")
    print(f"\nCPU ratio {found['with'].cpu / found['without'].cpu:.3f} (median of {RUNS} runs each, in turn)")


if __name__ == "__main__":
    main()
