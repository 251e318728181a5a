from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from pytest_genaiver.core.inputs import build_metrics
from pytest_genaiver.core.permutation import DRAWS, EXACT_LIMIT, MeanTest, count_labelings, least_p, mean_test
from pytest_genaiver.core.policy import Kind, MetricPolicy
from pytest_genaiver.core.sample import pair

if TYPE_CHECKING:
    from collections.abc import Sequence

Side = dict[str, list[float]]


def run(before: Side, now: Side, kind: Kind = "score") -> MeanTest:
    (metric,) = build_metrics({"m": before}, {"m": now}, {"m": MetricPolicy("m", kind)}, None)
    return mean_test(pair(metric, metric.current), kind)


def brute_force(pairs: Sequence[tuple[list[float], list[float]]], weights: Sequence[float]) -> float:
    """p by listing every relabeling, straight from its definition."""
    sums = [0.0]
    for (x, y), weight in zip(pairs, weights, strict=True):
        pool = x + y
        total = sum(pool)
        drops = [
            weight * ((total - sum(chosen)) / len(x) - sum(chosen) / len(y)) for chosen in combinations(pool, len(y))
        ]
        sums = [a + b for a in sums for b in drops]
    observed = sum(w * (sum(x) / len(x) - sum(y) / len(y)) for (x, y), w in zip(pairs, weights, strict=True))
    return sum(value >= observed - 1e-9 for value in sums) / len(sums)


def test_five_of_five_against_none_of_five_is_1_in_252() -> None:
    test = run({"c": [1] * 5}, {"c": [0] * 5}, "binary")
    assert test.p == pytest.approx(1 / 252)
    assert test.floor == pytest.approx(1 / 252)
    assert test.drop == 1


def test_unequal_numbers_of_values_are_exact() -> None:
    pairs = [([0.9, 0.7, 0.8], [0.5]), ([0.4, 0.6], [0.5, 0.1])]
    test = run({"a": pairs[0][0], "b": pairs[1][0]}, {"a": pairs[0][1], "b": pairs[1][1]})
    assert test.p == pytest.approx(brute_force(pairs, [1, 1]))
    assert test.floor == pytest.approx(1 / (4 * 6))


def test_binary_cases_are_weighted_by_their_pooled_rate() -> None:
    pairs: list[tuple[list[float], list[float]]] = [([1, 1, 1], [0]), ([1, 1, 1, 1, 0], [1]), ([0, 1, 1, 1], [1])]
    weights = [1 / math.sqrt(q * (1 - q)) for q in (3.5 / 5, 5.5 / 7, 4.5 / 6)]
    before = {f"c{i}": x for i, (x, _) in enumerate(pairs)}
    now = {f"c{i}": y for i, (_, y) in enumerate(pairs)}
    assert brute_force(pairs, weights) == pytest.approx(0.375)
    assert run(before, now, "binary").p == pytest.approx(0.375)
    assert run(before, now, "score").p == pytest.approx(brute_force(pairs, [1, 1, 1]))


def test_drop_and_standard_error_are_over_all_cases_unweighted() -> None:
    test = run({"a": [1, 1, 0], "b": [1, 1]}, {"a": [0, 1], "b": [1]}, "binary")
    variance = np.var([1, 1, 0, 0, 1], ddof=1)
    assert test.drop == pytest.approx((2 / 3 - 1 / 2 + 0) / 2)
    assert test.se == pytest.approx(math.sqrt(variance * (1 / 3 + 1 / 2)) / 2)
    assert test.upper == pytest.approx(test.drop + 1.645 * test.se)
    assert test.informative == 1


def test_equal_values_carry_no_information() -> None:
    test = run({"a": [0.1] * 3, "b": [0.3]}, {"a": [0.1], "b": [0.3] * 3})
    assert (test.p, test.drop, test.se, test.informative) == (1.0, 0.0, 0.0, 0)


def test_the_other_tail_is_tested_only_where_the_metric_rose() -> None:
    better, worse = run({"c": [0] * 5}, {"c": [1] * 5}, "binary"), run({"c": [1] * 5}, {"c": [0] * 5}, "binary")
    assert better.p_improved == pytest.approx(1 / 252)
    assert better.p == 1
    assert worse.p_improved is None


def test_log_kinds_compare_ratios_of_clipped_values() -> None:
    slow = {"a": [1.0, 1.1, 0.9, 1.05, 50.0], "b": [2.0, 2.1, 1.9, 2.2, 2.0]}
    test = run(slow, {"a": [1.0, 1.1], "b": [2.0, 2.1]}, "latency")
    logs = {case: np.log([*slow[case], *now]) for case, now in (("a", [1.0, 1.1]), ("b", [2.0, 2.1]))}
    deviations = {case: values - np.median(values) for case, values in logs.items()}
    sizes = np.abs(np.concatenate(list(deviations.values())))
    limit = 3 * 1.4826 * np.median(sizes[sizes > 0])
    clipped = {case: np.clip(values, -limit, limit) for case, values in deviations.items()}
    expected = np.mean([values[5:].mean() - values[:5].mean() for values in clipped.values()])
    assert limit < deviations["a"][4]
    assert test.drop == pytest.approx(expected)


def test_scores_are_not_clipped() -> None:
    assert run({"a": [0.1, 0.2, 0.1], "b": [9.0, 0.1]}, {"a": [0.1], "b": [0.1]}).drop == pytest.approx(
        (0.4 / 3 - 0.1 + 4.45) / 2
    )


def test_values_at_or_below_zero_are_floored_before_their_log() -> None:
    assert run({"a": [1e-9]}, {"a": [-3.0]}, "cost").drop == 0


def test_labelings_are_counted_up_to_the_exact_limit() -> None:
    assert count_labelings([(5, 5), (2, 1)]) == 756
    assert count_labelings([(5, 5)] * 3) == EXACT_LIMIT + 1
    assert least_p(756) == 1 / 756
    assert least_p(EXACT_LIMIT + 1) == 1 / (DRAWS + 1)


@pytest.mark.parametrize(("r0", "r1"), [(5, 5), (2, 9), (20, 5), (15, 12)])
def test_drawn_relabelings_agree_with_the_normal_limit(r0: int, r1: int) -> None:
    rng = np.random.default_rng(3)
    before = {f"c{i}": rng.normal(0, 1, r0).tolist() for i in range(60)}
    now = {f"c{i}": rng.normal(-0.1, 1, r1).tolist() for i in range(60)}
    test = run(before, now)
    assert test.floor == 1 / (DRAWS + 1)
    assert test.p == pytest.approx(stats.norm.sf(test.drop / test.se), abs=0.03)


def test_drawn_binary_relabelings_agree_with_the_exact_convolution() -> None:
    rng = np.random.default_rng(5)
    before = {f"c{i}": [1.0] * 3 + [0.0] * 2 for i in range(30)}
    now = {f"c{i}": rng.permutation([1.0, 1.0, 0.0, 0.0, 0.0]).tolist() for i in range(30)}
    table = stats.hypergeom(10, 5, 5).pmf(np.arange(6))
    exact = np.array([1.0])
    for _ in range(30):
        exact = np.convolve(exact, table)
    observed = int(sum(map(sum, now.values())))
    assert run(before, now, "binary").p == pytest.approx(exact[: observed + 1].sum(), abs=0.02)


def test_an_impossible_result_has_the_least_p_of_the_drawn_relabelings() -> None:
    before, now = {f"c{i}": [1.0] * 5 for i in range(20)}, {f"c{i}": [0.0] * 5 for i in range(20)}
    assert run(before, now, "binary").p == 1 / (DRAWS + 1)


def test_same_data_same_p_in_any_order_and_under_any_names() -> None:
    rng = np.random.default_rng(9)
    before = {f"c{i}": rng.normal(0, 1, 5).tolist() for i in range(30)}
    now = {f"c{i}": rng.normal(0, 1, 2).tolist() for i in range(30)}
    renamed = {f"x{99 - i}": values for i, values in enumerate(before.values())}
    renamed_now = {f"x{99 - i}": values[::-1] for i, values in enumerate(now.values())}
    first = run(before, now)
    again = run(dict(reversed(before.items())), now)
    other = run(renamed, renamed_now)
    assert first == again
    assert (first.p, first.drop) == (other.p, pytest.approx(other.drop))
