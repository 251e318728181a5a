"""Whole processes, timed in turn (A B A B …), so that a machine that changes speed changes both."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One run: CPU and wall seconds, those of child processes included."""

    cpu: float
    wall: float


def time_once(command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Run:
    """Run a command to its end. Raises RuntimeError with its output when it fails."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} exited {done.returncode}:\n{done.stdout}\n{done.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(cpu, wall)


def in_turn(commands: Mapping[str, Sequence[str]], cwd: Path, env: Mapping[str, str], runs: int) -> dict[str, Run]:
    """Name -> the median of CPU and of wall over `runs`, after one run of each that does not count."""
    found: dict[str, list[Run]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, command in commands.items():
            run = time_once(command, cwd, env)
            if turn:
                found[name].append(run)
    return {n: Run(median(r.cpu for r in rs), median(r.wall for r in rs)) for n, rs in found.items()}
