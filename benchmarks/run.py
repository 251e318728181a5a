"""Run every benchmark and print its table: `make bench`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ALL = ("inert.py", "path_of_a_test.py", "gate_speed.py")


def main() -> int:
    failed = 0
    for name in ALL:
        print(f"\n## {name}\n", flush=True)
        failed += subprocess.run([sys.executable, str(HERE / name)], check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
