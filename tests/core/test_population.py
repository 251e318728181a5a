from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from pytest_genaiver.core.gate import decide
from pytest_genaiver.core.policy import MetricPolicy

if TYPE_CHECKING:
    from pytest_genaiver.core.decision import Decision

Side = dict[str, list[float]]


def run(before: Side, now: Side, inference: str = "population") -> Decision:
    return decide({"m": before}, {"m": now}, {"m": MetricPolicy("m", "score")}, repeats=1, inference=inference)


def functions(n: int, drop: float, spread: float = 0.02) -> tuple[Side, Side]:
    rng = np.random.default_rng(4)
    drops = drop + rng.normal(0, spread, n)
    before = {f"test_f{f}[{i}]": [0.8 + i / 100] for f in range(n) for i in range(2)}
    return before, {case: [value[0] - drops[int(case[6 : case.index("[")])]] for case, value in before.items()}


def test_functions_are_averaged_and_tested_by_a_paired_t() -> None:
    before, now = functions(8, 0.05)
    shown = run(before, now).metrics["m"]
    means = np.array(
        [np.mean([before[f"test_f{f}[{i}]"][0] - now[f"test_f{f}[{i}]"][0] for i in (0, 1)]) for f in range(8)]
    )
    expected = stats.ttest_1samp(means, 0, alternative="greater")
    assert shown.p == pytest.approx(expected.pvalue)
    assert shown.drop == pytest.approx(means.mean())
    assert shown.upper == pytest.approx(means.mean() + 1.645 * means.std(ddof=1) / np.sqrt(8))
    assert shown.verdict == "regressed"


def test_many_cases_of_one_function_do_not_outvote_the_others() -> None:
    before, now = functions(7, 0.0, spread=0.0)
    before |= {f"test_big[{i}]": [0.8] for i in range(50)}
    now |= {f"test_big[{i}]": [0.3] for i in range(50)}
    assert run(before, now).verdict == "pass"
    assert run(before, now, "calls").verdict == "regressed"


def test_an_improvement_is_seen() -> None:
    assert run(*functions(8, -0.05)).verdict == "improved"


def test_fewer_than_six_functions_are_inconclusive() -> None:
    decision = run(*functions(5, 0.3))
    assert decision.verdict == "inconclusive"
    assert decision.reason == "m: inference over test functions needs at least 6 of them; 5 hold this metric"
    assert run(*functions(1, 0.3)).verdict == "inconclusive"


def test_few_functions_without_any_change_pass() -> None:
    before, _ = functions(3, 0.0)
    assert run(before, before).verdict == "pass"


def test_an_identical_drop_everywhere_is_certain() -> None:
    before = {f"test_f{f}": [1.0] for f in range(6)}
    shown = run(before, {case: [0.5] for case in before}).metrics["m"]
    assert (shown.p, shown.verdict) == (0, "regressed")


def test_no_mean_change_is_no_evidence() -> None:
    before = {f"test_f{f}": [0.5] for f in range(6)}
    now = {case: [0.25 if i % 2 else 0.75] for i, case in enumerate(before)}
    assert run(before, now).metrics["m"].p == 1


def test_variants_of_one_function_are_one_function() -> None:
    before = {f"test_f{f // 2}{{model=m{f % 2}}}": [1.0] for f in range(10)}
    decision = run(before, {case: [0.5] for case in before})
    assert decision.reason == "m: inference over test functions needs at least 6 of them; 5 hold this metric"
