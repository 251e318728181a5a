"""Which version is best, or that the evidence does not tell."""

from __future__ import annotations

import random

import pytest

from pytest_genaiver.core.best import find_best
from pytest_genaiver.core.policy import MetricPolicy
from pytest_genaiver.core.pooling import pool
from pytest_genaiver.core.shared import decide_between, shared

CASES = [f"t[{i}]" for i in range(40)]


@pytest.fixture
def best(recorded):
    """The best by these metrics of versions given as metric -> the chance of a 1; three calls a case."""

    def of(*versions, metrics=("m",), seed=1, calls=3, cases=CASES):
        rng = random.Random(seed)

        def drawn(chances):
            return {
                m: {c: [float(rng.random() < q) for _ in range(calls)] for c in cases} for m, q in chances.items()
            }

        found = shared([pool([recorded(f"v{i}", **drawn(chances))]) for i, chances in enumerate(versions)])

        def decide(one, other, metric):
            policies = {metric: MetricPolicy(metric)}
            return decide_between(found, one, other, policies, alpha=0.05, inference="calls").metrics.get(metric)

        return find_best(len(versions), metrics, decide, lambda version, metric: calls, alpha=0.05)

    return of


def test_the_better_of_two_wins(best) -> None:
    found = best({"m": 0.5}, {"m": 0.95})
    assert (found.winner, found.by, found.left) == (1, "m", (1,))
    [duel] = found.duels
    assert (duel.winner, duel.needed) == (1, None)
    assert duel.p <= duel.level


def test_the_order_of_the_versions_makes_no_difference(best) -> None:
    assert best({"m": 0.95}, {"m": 0.5}).winner == 0


def test_versions_that_are_alike_are_not_told_apart(best) -> None:
    found = best({"m": 0.9}, {"m": 0.9}, {"m": 0.9})
    assert (found.winner, found.by, found.left) == (None, None, (0, 1, 2))
    assert all(duel.winner is None for duel in found.duels)


def test_a_later_metric_decides_between_those_that_are_left(best) -> None:
    versions = {"m": 0.95, "n": 0.5}, {"m": 0.95, "n": 0.95}, {"m": 0.5, "n": 1.0}
    found = best(*versions, metrics=("m", "n"))
    assert (found.winner, found.by) == (1, "n")
    assert best(*versions, metrics=("n", "m")).winner == 1
    assert best(*versions, metrics=("m",)).left == (0, 1)


def test_a_difference_within_the_tolerance_wins_nothing(best) -> None:
    found = best({"m": 0.0}, {"m": 1.0})
    assert found.winner == 1
    [duel] = best({"m": 1.0}, {"m": 1.0}).duels
    assert (duel.winner, duel.needed, duel.p) == (None, None, 1.0)


def test_how_many_values_would_tell(best) -> None:
    """Of the seeds where 12 cases do not tell .9 from .6, the number asked for does tell in most."""
    asked = [
        d.needed
        for seed in range(12)
        for d in best({"m": 0.9}, {"m": 0.6}, seed=seed, cases=CASES[:6], calls=2).duels
    ]
    known = [n for n in asked if n is not None]
    assert known
    assert min(known) > 2
    told = [best({"m": 0.9}, {"m": 0.6}, seed=100 + s, cases=CASES[:6], calls=20).winner for s in range(10)]
    assert told.count(0) >= 8


def test_unchanged_versions_are_seldom_called_better(best) -> None:
    wrong = sum(
        best({"m": 0.8}, {"m": 0.8}, {"m": 0.8}, seed=s, cases=CASES[:10], calls=1).by is not None for s in range(60)
    )
    assert wrong <= 6


def decision(drop, p, p_improved=None, **more):
    from pytest_genaiver.core.decision import MetricDecision

    given = {"verdict": "pass", "upper": drop + 0.2, "tolerance": 0.02, **more}
    return MetricDecision(
        name="m", kind="binary", direction="higher", gate="fail", drop=drop, p=p, p_improved=p_improved, **given
    )


def test_in_a_circle_nobody_is_best() -> None:
    # 0 beats 1, 1 beats 2, 2 beats 0.
    drops = {(0, 1): 0.5, (1, 2): 0.5, (0, 2): -0.5}
    found = find_best(
        3,
        ["m"],
        lambda i, j, _: decision(d := drops[i, j], 1e-4 if d > 0 else 1.0, 1e-4 if d < 0 else None),
        lambda *_: 3,
        alpha=0.05,
    )
    assert (found.winner, found.left, found.by) == (None, (0, 1, 2), None)
    assert [d.winner for d in found.duels] == [0, 2, 1]


UNTESTED = [
    None,
    decision(0.5, 1e-6, advisory=True),
    decision(0.5, 1e-6, verdict="inconclusive"),
    decision(0.5, None),
    decision(0.5, 1e-6, verdict="inconclusive", upper=None),
]


@pytest.mark.parametrize("given", UNTESTED)
def test_what_cannot_be_tested_tells_nothing(given) -> None:
    assert find_best(2, ["m"], lambda *_: given, lambda *_: 3, alpha=0.05).winner is None
