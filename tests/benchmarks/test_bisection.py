"""A short form of the benchmark: the whole one is `python -m benchmarks.bisection`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def bench() -> Iterator[Any]:
    """The benchmark, which is run from the project's folder and not installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[2])
        yield import_module("benchmarks.bisection")


def test_a_planted_regression_among_64_commits_is_found_with_hardly_more_runs_than_without_noise(bench: Any) -> None:
    trials = bench.measure(bench.SETTINGS[0], trials=20, seed=2)
    assert sum(trial.right for trial in trials) >= 19
    assert sum(trial.runs for trial in trials) / len(trials) < 7.5
    assert bench.measure(bench.SETTINGS[0], trials=1, seed=2)[0].advice == trials[0].advice


def test_recorded_versions_save_runs(bench: Any) -> None:
    recorded = next(setting for setting in bench.SETTINGS if setting.recorded)
    trials = bench.measure(recorded, trials=5)
    assert all(trial.at_ends == 0 for trial in trials)
    assert sum(trial.runs for trial in trials) / len(trials) < 5


def test_the_table(bench: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "SETTINGS", bench.SETTINGS[1:2])
    assert bench.main(["--trials", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert "| 1 of 1 |" in lines[-1]
