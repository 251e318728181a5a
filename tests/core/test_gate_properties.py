from __future__ import annotations

import json
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_genaiver.core.gate import decide
from pytest_genaiver.core.policy import KINDS, MetricPolicy

if TYPE_CHECKING:
    from pytest_genaiver.core.decision import Decision, MetricDecision

Pair = tuple[list[float], list[float]]

few = settings(derandomize=True, max_examples=40, deadline=None, database=None)
# Quarters are exact in binary floating point: a shift must not change anything at all.
quarters = st.integers(0, 40).map(lambda n: n / 4)
pairs = st.tuples(st.lists(quarters, min_size=1, max_size=6), st.lists(quarters, min_size=2, max_size=2))
suites = st.lists(pairs, min_size=1, max_size=8)


def ask(suite: list[Pair], names: list[str] | None = None, *, kind: str = "score", **policy: Any) -> Decision:
    names = names or [f"c{i}" for i in range(len(suite))]
    before = {name: pair[0] for name, pair in zip(names, suite, strict=True)}
    now = {name: pair[1] for name, pair in zip(names, suite, strict=True)}
    return decide({"m": before}, {"m": now}, {"m": MetricPolicy("m", kind, **policy)}, repeats=(2, 5))  # type: ignore[arg-type]


def figures(decision: Decision) -> tuple[Any, ...]:
    shown: MetricDecision = decision.metrics["m"]
    exact = (decision.verdict, shown.verdict, shown.p, shown.p_improved, sorted(decision.more.values()))
    return (*exact, pytest.approx(shown.drop, abs=1e-12), pytest.approx(shown.upper, abs=1e-12))


@few
@given(suites, st.randoms(use_true_random=False))
def test_permuting_and_renaming_cases_changes_nothing(suite: list[Pair], random: Any) -> None:
    names = [f"x{i}" for i in range(len(suite))]
    random.shuffle(names)
    assert figures(ask(suite, names)) == figures(ask(suite))


@few
@given(suites)
def test_the_order_of_values_within_a_case_changes_nothing(suite: list[Pair]) -> None:
    assert figures(ask([(x[::-1], y[::-1]) for x, y in suite])) == figures(ask(suite))


@few
@given(suites, st.integers(-64, 64))
def test_shifting_a_score_changes_nothing(suite: list[Pair], shift: int) -> None:
    shifted = [([v + shift for v in x], [v + shift for v in y]) for x, y in suite]
    assert figures(ask(shifted)) == figures(ask(suite))


@few
@given(suites)
def test_swapping_direction_and_sign_changes_nothing(suite: list[Pair]) -> None:
    turned = [([-v for v in x], [-v for v in y]) for x, y in suite]
    assert figures(ask(turned, direction="lower")) == figures(ask(suite))


@few
@given(suites)
def test_scaling_times_changes_nothing(suite: list[Pair]) -> None:
    positive = [([v + 1 for v in x], [v + 1 for v in y]) for x, y in suite]
    scaled = [([4 * v for v in x], [4 * v for v in y]) for x, y in positive]
    first, again = ask(positive, kind="tokens").metrics["m"], ask(scaled, kind="tokens").metrics["m"]
    assert again.p == first.p
    assert again.drop == pytest.approx(first.drop, abs=1e-12)


@few
@given(suites, quarters)
def test_an_all_equal_case_only_dilutes_the_drop(suite: list[Pair], value: float) -> None:
    before = ask(suite).metrics["m"]
    after = ask([*suite, ([value] * 3, [value] * 2)]).metrics["m"]
    n = len(suite)
    assert before.drop is not None
    assert after.p == before.p
    assert after.drop == pytest.approx(before.drop * n / (n + 1), abs=1e-12)


@few
@given(st.lists(pairs, min_size=1, max_size=2), st.integers(1, 12))
def test_a_larger_drop_never_has_a_larger_p(suite: list[Pair], steps: int) -> None:
    lower = [(x, [v - steps / 4 for v in y]) for x, y in suite]
    first, again = ask(suite).metrics["m"], ask(lower).metrics["m"]
    assert first.p is not None
    assert again.p is not None
    assert again.p <= first.p + 1e-12


@few
@given(st.lists(st.booleans(), min_size=4, max_size=7), st.integers(1, 3), st.sampled_from(["binary", "score"]))
def test_p_is_never_too_small_under_the_null(pool: list[bool], r1: int, kind: str) -> None:
    """Each split of the pool is equally likely when nothing changed: P(p <= a) must not exceed a."""
    p_values = []
    for chosen in combinations(range(len(pool)), r1):
        now = [float(pool[i]) for i in chosen]
        before = [float(v) for i, v in enumerate(pool) if i not in chosen]
        policy = {"m": MetricPolicy("m", kind)}  # type: ignore[arg-type]
        p_values.append(decide({"m": {"c": before}}, {"m": {"c": now}}, policy, repeats=r1).metrics["m"].p or 0.0)
    for a in p_values:
        assert np.mean([p <= a + 1e-12 for p in p_values]) <= a + 1e-9


def test_drawn_p_values_are_uniform_or_conservative_under_the_null() -> None:
    rng = np.random.default_rng(11)
    p_values = []
    for _ in range(300):
        before = {f"c{i}": rng.binomial(1, 0.8, 5).tolist() for i in range(25)}
        now = {f"c{i}": rng.binomial(1, 0.8, 1).tolist() for i in range(25)}
        policy = {"m": MetricPolicy("m", "binary")}
        p_values.append(decide({"m": before}, {"m": now}, policy, repeats=1).metrics["m"].p or 0.0)
    for a in (0.05, 0.1, 0.3, 0.5):
        assert np.mean(np.array(p_values) <= a) <= a + 2.6 * (a * (1 - a) / 300) ** 0.5


messy = st.one_of(st.none(), st.booleans(), st.floats(-1e12, 1e12), st.just(float("nan")), st.just(float("inf")))
sides = st.dictionaries(
    st.sampled_from(["m", "n", "latency"]),
    st.dictionaries(st.sampled_from(["a", "b", "t[1]", "t[2]"]), st.lists(messy, max_size=7), max_size=4),
    max_size=3,
)


@settings(few, max_examples=150)
@given(sides, sides, st.sampled_from([*KINDS, None]), st.booleans(), st.sampled_from(["calls", "population"]))
def test_any_values_give_a_plain_answer_in_a_bounded_number_of_calls(
    before: Any, now: Any, kind: Any, deterministic: bool, inference: str
) -> None:
    policies = {
        "m": MetricPolicy("m", kind, min=0.5, max_hidden=0.2),
        "n": MetricPolicy("n", gate="warn"),
        "latency": MetricPolicy("latency"),
    }
    for _ in range(40):
        decision = decide(before, now, policies, inference=inference)
        json.dumps(decision.to_json(), allow_nan=False)
        if not decision.more:
            break
        assert all(n > 0 for n in decision.more.values())
        now = {
            metric: {
                case: [*values, *([values[0] if deterministic and values else 0.0] * decision.more.get(case, 0))]
                for case, values in cases.items()
            }
            for metric, cases in now.items()
        }
    assert decision.more == {}
    assert decide(before, now, policies, inference=inference, final=True).more == {}
