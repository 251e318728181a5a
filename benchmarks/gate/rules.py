"""Rules that decide whether a version regressed: the gate's own, and those in common use."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats  # type: ignore[import-untyped]

from pytest_genaiver.core.gate import decide
from pytest_genaiver.core.policy import MetricPolicy

from .scenarios import LOG_KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from .scenarios import Draw, Floats, Model, Scenario

    Lists = dict[str, dict[str, list[float]]]
    Rule = Callable[[Scenario, Draw], "Outcome"]

ALPHA = 0.05
REPEATS = 5
RESAMPLES = 4_000
SEED = 7
MLFLOW_LEAST_PAIRS = 6
MLFLOW_MCNEMAR_EXACT_BELOW = 25
MLFLOW_WILCOXON_EXACT_UP_TO = 50


@dataclass(frozen=True, slots=True)
class Outcome:
    """A rule's answer, and how many calls a case it took."""

    regressed: bool
    calls: float
    inconclusive: bool = False


def gate(scenario: Scenario, draw: Draw, *, repeats: tuple[int, int] = (1, REPEATS)) -> Outcome:
    """The gate as a session drives it: ask, run the repeats that it wants, ask again."""
    cases = [f"case{i}" for i in range(scenario.cases)]
    taken = dict.fromkeys(cases, repeats[0])
    labels = {m: dict.fromkeys(cases, draw.sessions) for m in draw.baseline}
    baseline = {m: dict(zip(cases, values.tolist(), strict=True)) for m, values in draw.baseline.items()}
    all_calls = {m: dict(zip(cases, values.tolist(), strict=True)) for m, values in draw.current.items()}
    policies = {m.name: MetricPolicy(m.name, m.kind) for m in scenario.models}
    while True:
        current = {m: {c: values[c][: taken[c]] for c in cases} for m, values in all_calls.items()}
        decision = decide(baseline, current, policies, alpha=ALPHA, repeats=repeats, baseline_sessions=labels)
        if not decision.more:
            return Outcome(
                decision.verdict == "regressed",
                sum(taken.values()) / len(cases),
                decision.verdict == "inconclusive",
            )
        for case, more in decision.more.items():
            taken[case] += more


def _any_metric(
    scenario: Scenario, draw: Draw, repeats: int, worse: Callable[[Model, Floats, Floats], bool]
) -> Outcome:
    """A rule that looks at each metric alone, over so many calls of every case."""
    found = (worse(m, draw.baseline[m.name], draw.current[m.name][:, :repeats]) for m in scenario.models)
    return Outcome(any(found), repeats)


def threshold(scenario: Scenario, draw: Draw, *, share: float, repeats: int = 1) -> Outcome:
    """Some metric's mean is worse than the baseline's by more than this share of it."""

    def worse(model: Model, before: Floats, now: Floats) -> bool:
        was, is_ = np.nanmean(_case_means(before)), np.nanmean(_case_means(now))
        drop = is_ - was if model.kind in LOG_KINDS else was - is_
        return bool(drop > share * abs(was))

    return _any_metric(scenario, draw, repeats, worse)


def paired_test(scenario: Scenario, draw: Draw, *, p_value: Callable[[Floats], float], repeats: int = 1) -> Outcome:
    """A one-sided paired test of the cases' mean differences at alpha / metrics (Bonferroni).

    Latency and tokens are compared by their logs, as the gate does.
    """

    def worse(model: Model, before: Floats, now: Floats) -> bool:
        differences = _differences(model, before, now)
        return len(differences) > 1 and p_value(differences) <= ALPHA / len(scenario.models)

    return _any_metric(scenario, draw, repeats, worse)


def t_test(differences: Floats) -> float:
    spread = differences.std(ddof=1)
    if spread == 0:
        return 0.0 if differences[0] > 0 else 1.0
    t = differences.mean() / spread * np.sqrt(len(differences))
    return float(stats.t.sf(t, len(differences) - 1))


def sign_flip(differences: Floats) -> float:
    sums = _signs(len(differences)) @ differences
    hits = int(np.sum(sums >= differences.sum() - 1e-12))
    return (1 + hits) / (RESAMPLES + 1)


def bootstrap(differences: Floats) -> float:
    """The share of resampled suites without a drop: p <= alpha where the percentile interval lies above 0."""
    means = _resamples(len(differences)) @ differences
    return float(np.mean(means <= 1e-12))


@lru_cache(maxsize=64)
def _signs(n: int) -> Floats:
    return np.random.default_rng(SEED).choice([-1.0, 1.0], (RESAMPLES, n))


@lru_cache(maxsize=64)
def _resamples(n: int) -> Floats:
    counts = np.random.default_rng(SEED).multinomial(n, np.full(n, 1 / n), RESAMPLES)
    return np.asarray(counts / n, dtype=np.float64)


def mlflow(scenario: Scenario, draw: Draw, *, repeats: int = 1) -> Outcome:
    """The tests of `mlflow.genai.compare_evaluations` (MLflow 3.18.0), re-implemented: 3.17 does not have it.

    It compares one evaluation run with another and pairs their rows: repeat j with repeat j of a case. A metric
    regressed when its mean is worse with a two-sided p < .05, without correction over metrics, the mirror image of
    `ComparisonResult.assert_improved`. Fewer than 6 pairs decide nothing.
    """

    def worse(model: Model, before: Floats, now: Floats) -> bool:
        columns = min(repeats, before.shape[1])
        x, y = before[:, :columns].ravel(), now[:, :columns].ravel()
        paired = np.isfinite(x) & np.isfinite(y)
        drops = (y - x if model.kind in LOG_KINDS else x - y)[paired]
        if len(drops) < MLFLOW_LEAST_PAIRS or drops.mean() <= 0:
            return False
        return (_mcnemar(drops) if model.kind == "binary" else _wilcoxon(drops)) < ALPHA

    return _any_metric(scenario, draw, repeats, worse)


def _mcnemar(drops: Floats) -> float:
    worse, better = int(np.sum(drops > 0)), int(np.sum(drops < 0))
    if worse + better < MLFLOW_MCNEMAR_EXACT_BELOW:
        return min(1.0, 2 * float(stats.binom.cdf(min(worse, better), worse + better, 0.5)))
    return float(stats.chi2.sf((abs(worse - better) - 1) ** 2 / (worse + better), df=1))


def _wilcoxon(drops: Floats) -> float:
    moved = drops[drops != 0]
    if not len(moved):
        return 1.0
    exact = len(moved) <= MLFLOW_WILCOXON_EXACT_UP_TO
    return float(stats.wilcoxon(moved, method="exact" if exact else "approx").pvalue)


def _differences(model: Model, before: Floats, now: Floats) -> Floats:
    """Each case's drop, positive for worse, on the gate's scale; cases without values are left out."""
    if model.kind in LOG_KINDS:
        before, now = -np.log(before), -np.log(now)
    drops = _case_means(before) - _case_means(now)
    return drops[np.isfinite(drops)]


def _case_means(values: Floats) -> Floats:
    held = np.isfinite(values)
    counts = held.sum(axis=1)
    sums = np.where(held, values, 0.0).sum(axis=1)
    means: Floats = np.divide(sums, counts, out=np.full(len(values), np.nan), where=counts > 0)
    return means


RULES: dict[str, Rule] = {
    "this gate": gate,
    "any drop fails": partial(threshold, share=0.0),
    "drop > 2 %": partial(threshold, share=0.02),
    "drop > 5 %": partial(threshold, share=0.05),
    "drop > 5 %, 5 repeats": partial(threshold, share=0.05, repeats=REPEATS),
    "paired t, Bonferroni": partial(paired_test, p_value=t_test),
    "paired t, Bonferroni, 5 repeats": partial(paired_test, p_value=t_test, repeats=REPEATS),
    "sign-flip, Bonferroni": partial(paired_test, p_value=sign_flip),
    "bootstrap, Bonferroni": partial(paired_test, p_value=bootstrap),
    "MLflow compare_evaluations": mlflow,
    "MLflow compare_evaluations, 5 repeats": partial(mlflow, repeats=REPEATS),
}
