from __future__ import annotations

import math

import pytest

from pytest_genaiver.core.compare import compare, means
from pytest_genaiver.core.gate import decide
from pytest_genaiver.core.policy import MetricPolicy
from pytest_genaiver.core.pooling import pool
from pytest_genaiver.core.results import CaseResult, SessionFacts, Version, VersionResults


def case(name, digest, gate="fail", **scores):
    return CaseResult(id=name, digest=digest, function=name.partition("[")[0], gate=gate, scores=scores)


def session(*cases, key="now", name="app-2", repeats=5):
    return VersionResults(
        version=Version(name=name, app="app"),
        session=SessionFacts(id=key, started="2025-06-01T10:00:00Z", complete=True, repeats=repeats),
        cases={case.id: case for case in cases},
    )


def before(*cases):
    return pool([session(*cases, key="then", name="app-1")])


def test_a_pooled_case_gates_as_it_did_in_the_newest_session():
    sessions = [session(case("t[a]", "1", gate="warn")), session(case("t[a]", "1"), key="older")]
    assert pool(sessions).cases["t[a]"].gate == "warn"


def test_without_a_baseline_every_case_is_new():
    comparison = compare(None, session(case("t[a]", "1", ok=[1.0])))
    assert comparison.new == ("t[a]",)
    assert (comparison.pairs, comparison.removed, comparison.coverage) == ({}, (), 0.0)
    assert comparison.current_values() == {"ok": {"t[a]": [1.0]}}
    assert comparison.baseline_values() == {}
    assert comparison.baseline_sessions() == {}


def test_a_session_without_cases_covers_nothing():
    assert compare(before(case("t[a]", "1")), session()).coverage == 0.0


def test_cases_with_the_same_id_and_digest_are_paired():
    comparison = compare(before(case("t[a]", "1")), session(case("t[a]", "1"), case("t[b]", "2")))
    assert comparison.pairs == {"t[a]": "t[a]"}
    assert comparison.new == ("t[b]",)
    assert comparison.coverage == 0.5
    assert comparison.renamed == {}


def test_a_row_inserted_first_renames_the_cases_behind_it():
    old = before(case("t[case0]", "a"), case("t[case1]", "b"))
    comparison = compare(old, session(case("t[case0]", "new"), case("t[case1]", "a"), case("t[case2]", "b")))
    assert comparison.pairs == {"t[case1]": "t[case0]", "t[case2]": "t[case1]"}
    assert comparison.renamed == comparison.pairs
    assert comparison.new == ("t[case0]",)
    assert (comparison.changed, comparison.removed) == ((), ())


def test_a_case_is_renamed_only_within_its_test_function():
    comparison = compare(before(case("t[a]", "1")), session(case("u[a]", "1")))
    assert (comparison.pairs, comparison.new, comparison.removed) == ({}, ("u[a]",), ("t[a]",))


@pytest.mark.parametrize(
    ("old", "new"),
    [(["t[a]", "t[b]"], ["t[c]"]), (["t[a]"], ["t[b]", "t[c]"])],
    ids=["two in the baseline", "two now"],
)
def test_a_content_that_is_not_unique_on_both_sides_renames_nothing(old, new):
    comparison = compare(before(*(case(n, "1") for n in old)), session(*(case(n, "1") for n in new)))
    assert comparison.pairs == {}
    assert comparison.new == tuple(new)
    assert comparison.removed == tuple(old)


def test_among_equal_cases_what_is_left_after_the_ids_is_unique():
    old = before(case("t[0]", "same"), case("t[1]", "same"))
    comparison = compare(old, session(case("t[1]", "same"), case("t[2]", "same")))
    assert comparison.pairs == {"t[1]": "t[1]", "t[2]": "t[0]"}
    assert comparison.renamed == {"t[2]": "t[0]"}


def test_the_same_id_with_another_digest_is_changed_and_not_compared():
    comparison = compare(before(case("t[a]", "1", ok=[1.0])), session(case("t[a]", "2", ok=[0.0])))
    assert comparison.changed == ("t[a]",)
    assert (comparison.pairs, comparison.new, comparison.removed) == ({}, (), ())
    assert comparison.coverage == 0.0
    assert comparison.baseline_values()["ok"].keys().isdisjoint(comparison.current_values()["ok"])


def test_no_baseline_case_is_matched_twice():
    # t[a] moved to t[b]; what now stands at t[a] is another case, not a change of the same one.
    comparison = compare(before(case("t[a]", "1")), session(case("t[a]", "2"), case("t[b]", "1")))
    assert comparison.pairs == {"t[b]": "t[a]"}
    assert comparison.new == ("t[a]",)
    assert comparison.changed == ()


def test_what_this_session_did_not_collect_is_not_removed():
    old = before(case("t[a]", "1"), case("t[b]", "2"), case("t[c]", "3"))
    comparison = compare(old, session(case("t[a]", "1")), not_collected=lambda name: name == "t[b]")
    assert comparison.removed == ("t[c]",)


def test_values_of_both_sides_stand_under_this_sessions_ids():
    old = before(case("t[0]", "a", ok=[1.0, None, 0.5]))
    comparison = compare(old, session(case("t[1]", "a", ok=[0.0])))
    assert comparison.current_values() == {"ok": {"t[1]": [0.0]}}
    assert comparison.baseline_values() == {"ok": {"t[1]": [1.0, None, 0.5]}}
    assert comparison.baseline_sessions() == {"ok": {"t[1]": ["then"] * 3}}


def test_other_baseline_cases_meet_no_case_of_this_session():
    old = before(case("t[0]", "a", ok=[1.0]), case("t[1]", "gone", ok=[0.0]))
    comparison = compare(old, session(case("t[1]", "a", ok=[1.0])))
    assert comparison.baseline_values() == {"ok": {"t[1]": [1.0], "t[1] (baseline)": [0.0]}}
    assert comparison.baseline_sessions() == {"ok": {"t[1]": ["then"], "t[1] (baseline)": ["then"]}}


def test_a_side_that_never_scored_a_paired_case_is_missing_there():
    old = before(case("a", "1", ok=[1.0]), case("b", "2", tone=[4.0]))
    comparison = compare(old, session(case("a", "1", tone=[5.0]), case("b", "2", ok=[0.0], tone=[None])))
    assert comparison.current_values() == {
        "ok": {"a": [None], "b": [0.0]},
        "tone": {"a": [5.0], "b": [None]},
    }
    assert comparison.baseline_values() == {
        "ok": {"a": [1.0], "b": [None]},
        "tone": {"a": [None], "b": [4.0]},
    }
    sessions = comparison.baseline_sessions()
    assert sessions == {"ok": {"a": ["then"], "b": ["then"]}, "tone": {"a": ["then"], "b": ["then"]}}


def test_a_metric_that_the_baseline_never_scored_is_absent_there():
    old = before(case("a", "1", ok=[1.0]), case("b", "2", ok=[1.0], tone=[None]))
    comparison = compare(old, session(case("a", "1", ok=[1.0], tone=[5.0]), case("b", "2", ok=[1.0])))
    assert comparison.baseline_values() == {"ok": {"a": [1.0], "b": [1.0]}, "tone": {"b": [None]}}
    assert comparison.current_values()["tone"] == {"a": [5.0]}


def test_only_cases_with_the_wanted_gate_are_given():
    old = before(case("a", "1", ok=[1.0]), case("b", "2", ok=[1.0]))
    comparison = compare(old, session(case("a", "1", ok=[1.0]), case("b", "2", gate="warn", ok=[0.0])))
    assert comparison.current_values() == {"ok": {"a": [1.0]}}
    assert comparison.baseline_values() == {"ok": {"a": [1.0]}}
    assert comparison.current_values(("warn",)) == {"ok": {"b": [0.0]}}
    assert comparison.baseline_sessions(("fail", "warn")) == {"ok": {"a": ["then"], "b": ["then"]}}


def overall(comparison, metric, *, ratio=False):
    return means(*comparison.of_metric(metric), ratio=ratio)


def test_means_are_over_the_cases_that_both_sides_scored():
    old = before(case("a", "1", ok=[1.0, 0.0]), case("b", "2", ok=[1.0]), case("c", "3", ok=[None]))
    now = session(
        case("a", "1", ok=[1.0]),
        case("b", "2", ok=[0.0, None], gate="off"),
        case("c", "3", ok=[1.0]),
        case("d", "4", ok=[1.0]),
    )
    assert overall(compare(old, now), "ok") == (0.75, 0.5)
    assert overall(compare(None, now), "ok") == (None, 0.75)
    assert overall(compare(old, now), "unheard") == (None, None)


def test_means_of_ratios_are_geometric():
    old = before(case("a", "1", latency=[1.0, 4.0]), case("b", "2", latency=[8.0]))
    now = session(case("a", "1", latency=[0.0]), case("b", "2", latency=[1.0]))
    baseline, current = overall(compare(old, now), "latency", ratio=True)
    assert baseline == pytest.approx(4.0)
    assert current == pytest.approx(math.sqrt(1e-9))


def test_values_of_a_metric_stand_under_this_sessions_ids():
    old = before(case("t[0]", "a", ok=[1.0, None]), case("t[9]", "gone", ok=[0.0]))
    assert compare(old, session(case("t[1]", "a", ok=[0.5]))).of_metric("ok") == (
        {"t[1]": [1.0]},
        {"t[1]": [0.5]},
    )


def test_the_gate_decides_on_what_a_comparison_gives():
    rows = [case(f"t[{i}]", str(i), on_topic=[1.0] * 5, latency=[1.0] * 5) for i in range(20)]
    worse = [case(f"t[{i}]", str(i), on_topic=[0.0] * 5, latency=[1.0] * 5) for i in range(20)]
    comparison = compare(before(*rows), session(*worse))
    decision = decide(
        comparison.baseline_values(),
        comparison.current_values(),
        {"on_topic": MetricPolicy("on_topic"), "latency": MetricPolicy("latency", gate="warn")},
        repeats=5,
        baseline_sessions=comparison.baseline_sessions(),
    )
    assert decision.verdict == "regressed"
    assert decision.metrics["on_topic"].verdict == "regressed"
    assert decision.metrics["on_topic"].cases == 20


def variant(name, model, digest, **scores):
    made = case(name, digest, **scores)
    made.variant = {"model": model}
    return made


def test_a_variant_that_replaces_another_is_compared_with_it():
    old = before(variant("t[q]", "a", "1", ok=[1.0]), variant("t[gone]", "a", "2"))
    now = session(variant("t[q]", "b", "1", ok=[0.0]), variant("t[n]", "b", "3"))
    comparison = compare(old, now)
    assert comparison.pairs == {"t[q]": "t[q]{model=a}"}
    assert comparison.variants == {"model=b": "model=a"}
    assert (comparison.new, comparison.removed) == (("t[n]",), ("t[gone]{model=a}",))
    assert comparison.baseline_values()["ok"] == {"t[q]": [1.0]}


def test_a_variant_is_pooled_whether_or_not_its_sessions_held_others():
    newest = session(variant("t[q]", "a", "1", ok=[1.0]), key="2", name="app-1")
    older = session(
        variant("t[q]{model=a}", "a", "1", ok=[0.0]), variant("t[q]{model=b}", "b", "1", ok=[0.5]), key="1"
    )
    older.version = newest.version
    cases = pool([newest, older]).cases
    assert cases["t[q]{model=a}"].scores == {"ok": [1.0, 0.0]}
    assert cases["t[q]{model=b}"].scores == {"ok": [0.5]}
