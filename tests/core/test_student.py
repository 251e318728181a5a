from __future__ import annotations

import math

import pytest
from scipy import stats

from pytest_genaiver.core.student import fisher_all_failed, t_quantile, t_sf


@pytest.mark.parametrize("df", [0.5, 1, 1.7, 2, 5, 29, 149.5, 1e5])
@pytest.mark.parametrize("t", [-40, -2.5, -0.1, 0, 1e-3, 0.3, 1.96, 12, 500])
def test_t_tail_agrees_with_scipy(t: float, df: float) -> None:
    assert t_sf(t, df) == pytest.approx(stats.t.sf(t, df), rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("df", [1, 2, 3.5, 10, 200])
@pytest.mark.parametrize("p", [0.6, 0.9, 0.95, 0.999])
def test_t_quantile_agrees_with_scipy(p: float, df: float) -> None:
    assert t_quantile(p, df) == pytest.approx(stats.t.ppf(p, df), rel=1e-9)


def test_infinite_t_leaves_no_tail() -> None:
    assert t_sf(math.inf, 5) == 0
    assert t_sf(-math.inf, 5) == 1


def test_t_tail_of_an_extreme_value_is_zero_not_an_error() -> None:
    assert t_sf(1e200, 3) == 0


@pytest.mark.parametrize(("fails", "successes", "runs"), [(4, 5, 5), (5, 9, 10), (1, 1, 1), (10, 16, 20), (3, 0, 4)])
def test_fisher_agrees_with_scipy(fails: int, successes: int, runs: int) -> None:
    expected = stats.fisher_exact([[0, fails], [successes, runs - successes]], alternative="less").pvalue
    assert fisher_all_failed(fails, successes, runs) == pytest.approx(expected)


@pytest.mark.parametrize("t", [1e-12, 1e-8, 1e8])
def test_t_tail_with_one_degree_of_freedom_is_the_arctangent(t: float) -> None:
    assert t_sf(t, 1) == pytest.approx(math.atan2(1, t) / math.pi, rel=1e-12)
