"""Whole processes, timed in turn (A B A B …), so that a machine that changes speed changes both."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One run: CPU and wall seconds, child processes included; the memory of its largest process at its most, MB."""

    cpu: float
    wall: float
    peak: float = 0.0


def time_once(command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Run:
    """Run a command to its end. Raises RuntimeError with its output when it fails."""
    start = time.perf_counter()
    with tempfile.TemporaryFile(mode="w+", encoding="utf-8", errors="replace") as printed:
        done = subprocess.Popen(command, cwd=cwd, env={**os.environ, **env}, stdout=printed, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(done.pid, 0)
        wall, done.returncode = time.perf_counter() - start, os.waitstatus_to_exitcode(status)
        if done.returncode != 0:
            printed.seek(0)
            raise RuntimeError(f"{' '.join(command)} exited {done.returncode}:\n{printed.read()}")
    return Run(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024)


def in_turn(commands: Mapping[str, Sequence[str]], cwd: Path, env: Mapping[str, str], runs: int) -> dict[str, Run]:
    """Name -> the median over `runs`, after one run of each that does not count."""
    found: dict[str, list[Run]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, command in commands.items():
            run = time_once(command, cwd, env)
            if turn:
                found[name].append(run)
    return {name: middle(of_one) for name, of_one in found.items()}


def middle(runs: Sequence[Run]) -> Run:
    """The median of each number."""
    return Run(median(r.cpu for r in runs), median(r.wall for r in runs), median(r.peak for r in runs))
