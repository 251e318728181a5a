"""The gate's benchmark in short: it runs, it repeats itself, and what it says of the rules is sane."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORT = ("20 cases, flaky pass rate of .7", "20 cases, pass rate .95 -> .75", "30 cases, 1 breaks")


@pytest.fixture(scope="module")
def bench() -> Iterator[Any]:
    """The benchmark's modules, which are run from the project's folder and not installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[2])
        names = ("scenarios", "rules", "run", "visible", "soft")
        yield SimpleNamespace(**{name: import_module(f"benchmarks.gate.{name}") for name in names})


@pytest.fixture(scope="module")
def short(bench: Any) -> list[Any]:
    return [scenario for scenario in bench.scenarios.ALL if scenario.name in SHORT]


@pytest.fixture(scope="module")
def found(bench: Any, short: list[Any]) -> Any:
    return bench.run.measure(short, list(bench.rules.RULES), trials=20, seed=1)


def test_the_gate_finds_what_it_should_and_little_else(found: Any) -> None:
    unchanged, fell, broke = (found[name]["this gate"] for name in SHORT)
    assert unchanged.regressed <= 0.1
    assert fell.regressed >= 0.9
    assert broke.regressed >= 0.9
    assert 1 < broke.calls < unchanged.calls < 5


def test_a_threshold_raises_false_alarms_and_a_t_test_misses_a_broken_case(found: Any) -> None:
    unchanged, _, broke = (found[name] for name in SHORT)
    assert unchanged["any drop fails"].regressed >= 0.25
    assert unchanged["any drop fails"].regressed >= unchanged["drop > 2 %"].regressed
    assert broke["paired t, Bonferroni, 5 repeats"].regressed <= 0.5
    assert broke["paired t, Bonferroni, 5 repeats"].calls == 5


def test_the_same_seed_gives_the_same_figures(bench: Any, short: list[Any], found: Any) -> None:
    again = bench.run.measure(short[::-1], ["this gate"], trials=20, seed=1)
    assert {name: rates["this gate"] for name, rates in found.items()} == {
        n: r["this gate"] for n, r in again.items()
    }


def test_the_tables_have_a_row_for_each_rule_and_each_scenario(
    bench: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--trials", "2", "--scenario", "5 cases*", "--rules", "*Bonferroni"]
    assert bench.run.main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.endswith("| 1.00 / 1.00 |") for line in lines) == 3
    assert sum(line.startswith("| 5 cases, ") for line in lines) == 2
    with pytest.raises(SystemExit):
        bench.run.main(["--scenario", "no such"])


def test_a_drawn_version_has_the_declared_drop_and_missing_values(bench: Any) -> None:
    scenarios = bench.scenarios
    models = (scenarios.binary(drop=0.1), scenarios.score(drop=0.06), scenarios.tokens(drop=0.12))
    draw = scenarios.draw(scenarios.Scenario(name="s", cases=2_000, models=models, missing=0.03), 1, 0)
    fell = {m: np.nanmean(draw.baseline[m]) - np.nanmean(draw.current[m]) for m in ("on_topic", "similarity")}
    assert fell == {"on_topic": pytest.approx(0.1, abs=0.01), "similarity": pytest.approx(0.06, abs=0.01)}
    logs = [np.nanmean(np.log(side["output_tokens"])) for side in (draw.baseline, draw.current)]
    assert np.exp(logs[1] - logs[0]) == pytest.approx(1.12, abs=0.01)
    assert np.isnan(draw.current["on_topic"]).mean() == pytest.approx(0.06, abs=0.01)


def test_a_session_drifts_as_a_whole(bench: Any) -> None:
    scenarios = bench.scenarios
    suite = scenarios.Scenario(
        name="s", cases=2_000, models=(scenarios.latency(drift=0.3),), sessions=3, per_session=2
    )
    draw = scenarios.draw(suite, 1, 0)
    assert draw.sessions == (0, 0, 1, 1, 2, 2)
    means = np.log(draw.baseline["latency"]).mean(axis=0)
    assert means[::2] == pytest.approx(means[1::2], abs=0.03)
    assert np.ptp(means) > 0.2
    assert np.ptp(np.log(draw.current["latency"]).mean(axis=0)) < 0.05


def test_the_usual_tests_are_scipys(bench: Any) -> None:
    drops = np.random.default_rng(3).normal(0.4, 1, 30)
    expected = stats.ttest_1samp(drops, 0, alternative="greater").pvalue
    assert bench.rules.t_test(drops) == pytest.approx(expected)
    assert bench.rules.sign_flip(drops) == pytest.approx(expected, abs=0.01)
    assert bench.rules.bootstrap(drops) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(("worse", "expected"), [(7, False), (8, True)])
def test_mlflows_rule_is_mcnemars_test_on_pass_rates(bench: Any, worse: int, expected: bool) -> None:
    scenarios = bench.scenarios
    before, now = np.ones((20, 1)), np.ones((20, 1))
    now[:worse], before[worse : worse + 1], now[worse] = 0, 0, 1
    draw = scenarios.Draw(baseline={"on_topic": before}, current={"on_topic": now}, sessions=(0,))
    suite = scenarios.Scenario(name="s", cases=20, models=(scenarios.binary(),))
    p = stats.binomtest(1, worse + 1, 0.5).pvalue
    assert (float(p) < 0.05) is expected
    assert bench.rules.mlflow(suite, draw).regressed is expected


def test_more_cases_and_more_repeats_make_a_smaller_drop_visible(bench: Any) -> None:
    kind = replace(bench.visible.KINDS[2], label="score")
    options = {"sessions": 5, "trials": 60, "seed": 1}
    small, large = (bench.visible.smallest_drop(kind, cases, 1, **options) for cases in (10, 60))
    repeated = bench.visible.smallest_drop(kind, 10, 5, **options)
    assert large < 0.6 * small
    assert repeated < 0.8 * small


def test_soft_cases_of_an_unchanged_suite_fail_few_sessions_where_hard_ones_fail_most(
    bench: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    found = bench.soft.measure(2, trials=40)
    assert found.soft <= 0.05
    assert found.hard > 0.7
    assert 1 <= found.calls < 2
    assert bench.soft.main(["--trials", "2"]) == 0
    assert capsys.readouterr().out.count("| ") >= 5
