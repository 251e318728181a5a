from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from pytest_genaiver.core.gate import decide
from pytest_genaiver.core.inputs import build_metrics
from pytest_genaiver.core.latency import is_advisory, session_test, sessions_seen
from pytest_genaiver.core.permutation import mean_test
from pytest_genaiver.core.policy import MetricPolicy
from pytest_genaiver.core.sample import pair

if TYPE_CHECKING:
    from pytest_genaiver.core.inputs import Labels
    from pytest_genaiver.core.permutation import MeanTest
    from pytest_genaiver.core.sample import Metric, Pairs

CASES = [f"c{i}" for i in range(12)]


def drifting(
    factors: list[float], now: float, noise: float = 0.05
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    rng = np.random.default_rng(1)
    before = {c: [float(f * np.exp(rng.normal(0, noise))) for f in factors] for c in CASES}
    return before, {c: [float(now * np.exp(rng.normal(0, noise)))] for c in CASES}


def metric(before: dict[str, list[float]], now: dict[str, list[float]], labels: Labels | None) -> Metric:
    (found,) = build_metrics({"latency": before}, {"latency": now}, {"latency": MetricPolicy("latency")}, labels)
    return found


def every(labels: list[object]) -> Labels:
    return {"latency": dict.fromkeys(CASES, labels)}


def expected(found: Metric, pairs: Pairs, plain: MeanTest) -> tuple[float, float, float]:
    """Standard error, p and Satterthwaite's degrees of freedom, straight from the formula, for 5 full sessions."""
    assert found.sessions is not None
    per_session = [np.where(found.sessions == label, pairs.x, np.nan) for label in range(5)]
    held = [np.isfinite(values).any(axis=1) for values in per_session]
    means = np.stack([np.nansum(v, axis=1) / np.isfinite(v).sum(axis=1).clip(1) for v in per_session])
    centre = np.array([means[[h[i] for h in held], i].mean() for i in range(len(pairs.rows))])
    v = np.var([(m - centre)[h].mean() for m, h in zip(means, held, strict=True)], ddof=1)
    spread = np.mean([np.var(row[np.isfinite(row)], ddof=1) for row in pairs.pooled])
    between = (v - spread * np.mean([1 / h.sum() for h in held])) * 1.2
    df = (plain.se**2 + between) ** 2 / ((v * 1.2) ** 2 / 4)
    se = math.sqrt(plain.se**2 + between)
    return se, float(stats.t.sf(plain.drop / se, max(4, df))), float(df)


def test_drift_between_sessions_is_added_to_the_noise() -> None:
    before, now = drifting([1, 1.3, 0.8, 1.2, 0.9], 1.25, noise=0.15)
    found = metric(before, {c: v * 5 for c, v in now.items()}, every([1, 2, 3, 4, 5]))
    pairs = pair(found, found.current)
    plain = mean_test(pairs, "latency")
    assert found.sessions is not None
    test = session_test(plain, pairs, found.sessions)
    se, p, df = expected(found, pairs, plain)
    assert df < 3.99
    assert test.se == pytest.approx(se)
    assert test.p == pytest.approx(p)
    assert test.upper == pytest.approx(plain.drop + 1.645 * se)
    assert plain.p < 0.001 < test.p


def test_noise_within_cases_adds_degrees_of_freedom() -> None:
    before, now = drifting([1, 1.3, 0.8, 1.2, 0.9], 1.25)
    before |= {"c0": [0.6], "c1": [1.9]}
    now |= {"c0": [1.5], "c1": [1.0]}
    found = metric(before, now, every([1, 2, 3, 4, 5]))
    pairs = pair(found, found.current)
    plain = mean_test(pairs, "latency")
    assert found.sessions is not None
    _, p, df = expected(found, pairs, plain)
    assert df > 4.1
    assert session_test(plain, pairs, found.sessions).p == pytest.approx(max(p, plain.p))
    assert p > plain.p


def test_a_session_of_several_values_is_known_better_and_its_drift_shows() -> None:
    before, now = drifting([1] * 4 + [1.05] * 4 + [1.08] * 4, 1.25, noise=0.25)
    found = metric(before, now, every([label for label in "abc" for _ in range(4)]))
    pairs = pair(found, found.current)
    assert found.sessions is not None
    sessions = pairs.x.reshape(len(CASES), 3, 4).mean(axis=2).mean(axis=0)
    spread = np.mean([np.var(row, ddof=1) for row in pairs.pooled])
    excess = np.var(sessions, ddof=1) - spread / (4 * len(CASES))
    assert np.var(sessions, ddof=1) - spread / len(CASES) < 0 < excess
    plain = mean_test(pairs, "latency")
    test = session_test(plain, pairs, found.sessions)
    assert test.se == pytest.approx(math.sqrt(plain.se**2 + excess * 4 / 3))


def test_an_improvement_too_is_held_against_the_drift() -> None:
    before, now = drifting([1, 1.3, 0.8, 1.2, 0.9], 0.85)
    found = metric(before, now, every([1, 2, 3, 4, 5]))
    pairs = pair(found, found.current)
    assert found.sessions is not None
    test = session_test(mean_test(pairs, "latency"), pairs, found.sessions)
    assert test.p_improved is not None
    assert test.p_improved > 0.01


def test_without_drift_nothing_is_added() -> None:
    before, now = drifting([1, 1, 1, 1], 1.0, noise=0.2)
    found = metric(before, now, every([1, 2, 3, 4]))
    pairs = pair(found, found.current)
    plain = mean_test(pairs, "latency")
    assert found.sessions is not None
    equalised = pairs.x - pairs.x.mean(axis=0, keepdims=True)
    still = type(pairs)(rows=pairs.rows, x=equalised, y=pairs.y, r0=pairs.r0, r1=pairs.r1)
    assert session_test(plain, still, found.sessions) == plain


def test_a_session_counts_when_half_of_the_cases_have_it() -> None:
    seen = np.array([[0, 1, -1], [0, -1, -1], [0, 1, 2], [0, -1, -1]])
    assert sessions_seen(seen) == [0, 1]


@pytest.mark.parametrize(
    ("labels", "advisory"),
    [
        (None, True),
        ({}, True),
        (every(["a", "a", "b"]), True),
        (every(["a"]), True),
        (every(["a", "b", "c"]), False),
        (every(["interleaved"] * 3), False),
        (every(["interleaved", "a", "a"]), True),
    ],
)
def test_latency_needs_three_baseline_sessions_or_an_interleaved_baseline(
    labels: Labels | None, advisory: bool
) -> None:
    before, now = drifting([1, 1, 1], 1)
    assert is_advisory(metric(before, now, labels)) is advisory


def test_other_kinds_are_never_advisory() -> None:
    (found,) = build_metrics({"m": {"c": [1.5]}}, {"m": {"c": [2.5]}}, {"m": MetricPolicy("m", "cost")}, None)
    assert not is_advisory(found)


def test_too_few_sessions_leave_the_test_as_it_is() -> None:
    before, now = drifting([1, 1.3], 1.5)
    found = metric(before, now, None)
    pairs = pair(found, found.current)
    plain = mean_test(pairs, "latency")
    assert found.sessions is not None
    assert session_test(plain, pairs, found.sessions) == plain


def test_a_slow_day_is_no_regression_where_sessions_drift() -> None:
    before, now = drifting([1, 1.3, 0.8, 1.2, 0.9], 1.25)
    sides, policies = ({"latency": before}, {"latency": now}), {"latency": MetricPolicy("latency")}
    drift = decide(*sides, policies, repeats=1, baseline_sessions=every([1, 2, 3, 4, 5]))
    assert (drift.verdict, drift.metrics["latency"].advisory) == ("pass", False)
    steady = decide(*sides, policies, repeats=1, baseline_sessions=every(["interleaved"] * 5))
    assert steady.verdict == "regressed"


def test_an_advisory_latency_is_shown_and_never_fails() -> None:
    before, now = drifting([1, 1, 1], 3)
    decision = decide({"latency": before}, {"latency": now}, {"latency": MetricPolicy("latency")}, repeats=1)
    shown = decision.metrics["latency"]
    assert (decision.verdict, decision.more) == ("pass", {})
    assert (shown.verdict, shown.advisory) == ("inconclusive", True)
    assert "fewer than 3 baseline sessions" in shown.reason
    assert shown.p is not None
    assert shown.p < 0.001


def test_an_advisory_latency_still_keeps_a_declared_max() -> None:
    before, now = drifting([1, 1, 1], 3)
    decision = decide({"latency": before}, {"latency": now}, {"latency": MetricPolicy("latency", max=2)}, repeats=1)
    assert decision.verdict == "regressed"


def test_interleaved_latency_is_gated_like_any_metric() -> None:
    before, now = drifting([1, 1, 1], 1.5)
    decision = decide(
        {"latency": before},
        {"latency": now},
        {"latency": MetricPolicy("latency")},
        repeats=1,
        baseline_sessions=every(["interleaved"] * 3),
    )
    assert decision.verdict == "regressed"
    assert decision.reason == "latency: 1.00 s -> 1.47 s, far beyond chance (p 0.00025 at level 0.05)"
