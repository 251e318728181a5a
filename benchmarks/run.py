"""Run every benchmark and print its table: `make bench`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ALL = (
    ["benchmarks/inert.py"],
    ["benchmarks/rows.py"],
    ["benchmarks/path_of_a_test.py"],
    ["benchmarks/targets.py"],
    ["benchmarks/judged_again.py"],
    ["benchmarks/looking_back.py"],
    ["benchmarks/gate_speed.py"],
    ["-m", "benchmarks.gate.soft"],
    ["benchmarks/lookups.py"],
    ["-m", "benchmarks.gate.run"],
    ["-m", "benchmarks.bisection"],
)


def main() -> int:
    failed = 0
    for name in ALL:
        print(f"\n## {name[-1]}\n", flush=True)
        failed += subprocess.run([sys.executable, *name], cwd=HERE.parent, check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
