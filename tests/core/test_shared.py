"""Several versions over the cases that all of them hold."""

from __future__ import annotations

import pytest

from pytest_genaiver.core.moved import moved
from pytest_genaiver.core.policy import MetricPolicy
from pytest_genaiver.core.pooling import pool
from pytest_genaiver.core.shared import decide_between, shared
from pytest_genaiver.core.side_by_side import rows, variant_rows

MANY = [f"t[{i}]" for i in range(20)]
POLICIES = {"m": MetricPolicy("m")}


@pytest.fixture
def meet(recorded):
    """Versions A, B, C by position, each from keyword arguments of `recorded`."""

    def of(*versions):
        return shared([pool([recorded(f"v{i}", **given)]) for i, given in enumerate(versions)])

    return of


def test_only_what_all_hold_is_shared(meet) -> None:
    found = meet(
        {"m": {"t[a]": [1.0], "t[b]": [1.0], "t[c]": [1.0]}},
        {"m": {"t[a]": [0.0], "t[b]": [0.0], "t[d]": [1.0]}},
        {"m": {"t[b]": [1.0], "t[c]": [1.0]}, "digests": {"t[c]": "other inputs"}},
    )
    assert found.cases == ("t[b]",)
    assert found.values(1, "m") == {"t[b]": [0.0]}
    assert (found.partners[1].new, found.partners[1].removed) == (("t[d]",), ("t[c]",))
    assert (found.partners[2].changed, found.partners[2].removed) == (("t[c]",), ("t[a]",))


def test_a_renamed_case_is_the_same_one_under_the_reference_s_id(meet) -> None:
    found = meet({"m": {"t[a]": [1.0]}}, {"m": {"t[z]": [0.0]}, "digests": {"t[z]": "t[a]"}})
    assert found.cases == ("t[a]",)
    assert found.values(1, "m") == {"t[a]": [0.0]}


def test_every_value_counts_however_many_each_case_has(meet) -> None:
    found = meet(
        {"m": {case: [1.0] * 3 for case in MANY}},
        {"m": {case: [0.0] * (1 + i % 3) for i, case in enumerate(MANY)}},
    )
    decided = decide_between(found, 0, 1, POLICIES, alpha=0.05, inference="calls").metrics["m"]
    assert (decided.verdict, decided.cases, decided.baseline, decided.current) == ("regressed", 20, 1.0, 0.0)
    assert not decided.broken


def test_a_limit_says_nothing_about_a_change(meet) -> None:
    found = meet({"m": {case: [1.0] for case in MANY}}, {"m": {case: [1.0] for case in MANY}})
    policies = {"m": MetricPolicy("m", min=2.0)}
    assert decide_between(found, 0, 1, policies, alpha=0.05, inference="calls").verdict == "pass"


def test_what_something_else_measured_is_not_compared(meet) -> None:
    values = {case: [1.0, 0.0] for case in MANY}
    found = meet({"m": values, "tone": values}, {"m": values, "tone": values, "sources": {"tone": "judge-2"}})
    assert found.unlike(0, 1) == ("tone",)
    policies = {**POLICIES, "tone": MetricPolicy("tone")}
    assert list(decide_between(found, 0, 1, policies, alpha=0.05, inference="calls").metrics) == ["m"]
    entry = rows(found, policies, alpha=0.05, inference="calls")[1].entries[1]
    assert (entry.other_source, entry.decision, entry.mean) == (True, None, 0.5)


def test_latency_of_one_session_is_told_apart_of_two_days_not(meet) -> None:
    slow, fast = {c: [2.0, 2.1, 1.9] for c in MANY}, {c: [1.0, 1.1, 0.9] for c in MANY}
    policies = {"latency": MetricPolicy("latency")}
    for session, verdict in (("the same", "regressed"), (None, "inconclusive")):
        found = meet({"latency": fast, "session": session}, {"latency": slow, "session": session})
        decided = decide_between(found, 0, 1, policies, alpha=0.05, inference="calls").metrics["latency"]
        assert (decided.verdict, decided.advisory) == (verdict, session is None)


def test_rows_are_means_over_the_cases_that_all_scored(meet) -> None:
    found = meet(
        {"m": {"t[a]": [1.0], "t[b]": [0.0]}, "total_tokens": {"t[a]": [10.0]}, "old": {"t[a]": [1.0]}},
        {"m": {"t[a]": [None], "t[b]": [1.0, 0.0]}, "total_tokens": {"t[a]": [20.0]}},
    )
    policies = {**POLICIES, "total_tokens": MetricPolicy("total_tokens", gate="off"), "old": MetricPolicy("old")}
    shown = {row.metric: row for row in rows(found, policies, alpha=0.05, inference="calls")}
    assert list(shown) == ["m", "old", "total_tokens"]
    assert [(e.mean, e.values) for e in shown["m"].entries] == [(0.0, 1), (0.5, 2)]
    assert (shown["m"].cases, shown["m"].kind) == (1, "binary")
    # What no gate asks for is tested all the same.
    assert shown["total_tokens"].entries[1].decision is not None
    assert [(e.mean, e.decision) for e in shown["old"].entries] == [(1.0, None), (None, None)]
    assert shown["old"].entries[1].to_json() == {
        "mean": None,
        "values": 0,
        "other_source": False,
        "against": None,
    }


def test_an_entry_as_json_has_the_interval(meet) -> None:
    values = {case: [1.0, 0.0] for case in MANY}
    entry = rows(meet({"m": values}, {"m": values}), POLICIES, alpha=0.05, inference="calls")[0].entries[1]
    against = entry.to_json()["against"]
    assert (against["verdict"], against["cases"]) == ("pass", 20)
    assert against["interval"][0] == -against["interval"][1] < 0


def test_variants_have_rows_of_their_own(meet) -> None:
    old = {"t[a]{model=x}": [1.0], "t[a]{model=y}": [0.0]}
    found = meet({"m": old}, {"m": {"t[a]{model=x}": [0.0], "t[a]{model=y}": [0.0]}})
    shown = variant_rows(found, POLICIES)
    assert [(r.variant, r.cases, [e.mean for e in r.entries]) for r in shown] == [
        ("model=x", 1, [1.0, 0.0]),
        ("model=y", 1, [0.0, 0.0]),
    ]
    assert variant_rows(meet({"m": {"t[a]": [1.0]}}, {"m": {"t[a]": [1.0]}}), POLICIES) == []


def test_a_variant_that_replaces_another_meets_it(meet) -> None:
    found = meet({"m": {"t[a]{model=x}": [1.0]}}, {"m": {"t[a]{model=z}": [0.0]}})
    assert found.cases == ("t[a]{model=x}",)
    assert found.partners[1].variants == {"model=z": "model=x"}


def test_moved_cases_come_with_the_surest_first() -> None:
    before = {"m": {"a": [1.0, 1.0], "b": [0.0], "c": [1.0], "d": [None]}}
    after = {"m": {"a": [0.0, 0.0], "b": [1.0], "c": [1.0], "d": [1.0]}}
    found = moved(before, after, {"m": MetricPolicy("m")})
    assert [(m.case, m.before, m.after, m.n_before, m.n_after) for m in found] == [
        ("a", 1.0, 0.0, 2, 2),
        ("b", 0.0, 1.0, 1, 1),
    ]
    assert found[0].z > 0 > found[1].z
