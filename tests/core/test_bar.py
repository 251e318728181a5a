from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_genaiver.core.bar import loosened
from pytest_genaiver.core.policy import MetricPolicy
from pytest_genaiver.core.pooling import pool
from pytest_genaiver.core.results import SessionFacts, Version, VersionResults

STRICT = MetricPolicy("tone", kind="likert", tolerance=0.1, min=3.5, max=5.0, max_hidden=0.5)
FACTS = SessionFacts(id="s", started="", complete=True, repeats=1, alpha=0.05, gate="fail")


def before(*policies, facts=FACTS):
    return pool([VersionResults(version=Version(name="v", app="a"), session=facts, policy=list(policies))])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"tolerance": 0.2}, ["tone: tolerance 0.1 -> 0.2"]),
        ({"tolerance": 0.05}, []),
        ({"tolerance": None}, []),
        ({"min": 3.0}, ["tone: min 3.5 -> 3"]),
        ({"min": None}, ["tone: min 3.5 -> none"]),
        ({"min": 4.0}, []),
        ({"max": 6.0}, ["tone: max 5 -> 6"]),
        ({"max": None}, ["tone: max 5 -> none"]),
        ({"max_hidden": 0.6}, ["tone: max_hidden 0.5 -> 0.6"]),
        ({"gate": "warn"}, ["tone: gate fail -> warn"]),
        ({"direction": "lower"}, ["tone: higher is better -> lower is better"]),
    ],
)
def test_what_a_metric_asks_less_is_named_and_what_it_asks_more_is_not(changes, said):
    assert loosened(before(STRICT), [replace(STRICT, **changes)], FACTS, removed=[]) == said


def test_a_metric_that_is_gone_is_named_only_if_it_gated():
    both = before(STRICT, MetricPolicy("latency", gate="warn"))
    assert loosened(both, [], FACTS, removed=[]) == ["tone is no longer scored"]


def test_new_limits_where_there_were_none_are_stricter():
    assert loosened(before(MetricPolicy("tone")), [STRICT], FACTS, removed=[]) == []


def test_a_smaller_alpha_a_milder_gate_and_missing_cases_are_named():
    milder = replace(FACTS, alpha=0.01, gate="warn")
    said = loosened(before(), [], milder, removed=["a"], warned=["b", "c"])
    assert said == ["alpha 0.05 -> 0.01", "gate fail -> warn", "1 case was removed", "2 cases no longer gate"]


def test_a_bar_that_was_not_recorded_is_not_compared():
    assert loosened(before(facts=replace(FACTS, alpha=None, gate=None)), [], FACTS, removed=[]) == []


def test_another_scorer_is_a_lower_bar_where_it_gates_and_so_are_tests_of_functions_in_place_of_calls():
    both = before(STRICT, MetricPolicy("cost", gate="warn"), facts=replace(FACTS, inference="calls"))
    now = [STRICT, MetricPolicy("cost", gate="warn")]
    said = loosened(both, now, replace(FACTS, inference="population"), removed=[], unlike=["tone", "cost"])
    assert said == ["tone: scored by something else", "inference calls -> population"]
    back = before(facts=replace(FACTS, inference="population"))
    assert loosened(back, [], replace(FACTS, inference="calls"), removed=[]) == []
