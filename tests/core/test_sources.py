from __future__ import annotations

import json

import pytest

from pytest_genaiver.core.compare import compare
from pytest_genaiver.core.gate import decide
from pytest_genaiver.core.policy import MetricPolicy
from pytest_genaiver.core.pooling import pool
from pytest_genaiver.core.results import CaseResult, SessionFacts, Version, VersionResults
from pytest_genaiver.errors import ResultsError


def session(key, name="app-1", sources=None, **scores):
    return VersionResults(
        version=Version(name=name, app="app"),
        session=SessionFacts(
            id=key, started="2025-06-01T10:00:00Z", complete=True, repeats=1, verdict="pass", gate="fail"
        ),
        cases={f"t[{i}]": CaseResult(id=f"t[{i}]", digest=str(i), function="t", scores=scores) for i in range(10)},
        sources=sources or {},
    )


def pooled(*sessions):
    return pool(list(sessions)).cases["t[0]"]


def test_values_of_another_judge_or_price_list_are_not_pooled():
    found = pooled(
        session("c", tone=[3.0], cost=[1.0], ok=[1.0], sources={"tone": "judge-2", "cost": "mlflow"}),
        session("b", tone=[5.0], cost=[2.0], ok=[0.0], sources={"tone": "judge-1", "cost": "mlflow"}),
        session("a", name="app-0", tone=[4.0], cost=[3.0], ok=[1.0], sources={"tone": "judge-2", "cost": "litellm"}),
    )
    assert found.scores == {"tone": [3.0, 4.0], "cost": [1.0, 2.0], "ok": [1.0, 0.0, 1.0]}
    assert found.sessions == {"tone": ["c", "a"], "cost": ["c", "b"], "ok": ["c", "b", "a"]}


def test_the_newest_session_that_holds_a_metric_says_what_measured_it():
    found = pool([session("b", ok=[1.0]), session("a", ok=[1.0], tone=[5.0], sources={"tone": "judge-1"})])
    assert found.sources == {"ok": "", "tone": "judge-1"}
    assert found.cases["t[0]"].scores == {"ok": [1.0, 1.0], "tone": [5.0]}


def test_a_score_of_the_test_itself_is_none_of_a_judges():
    found = pooled(session("b", tone=[3.0]), session("a", tone=[5.0], sources={"tone": "judge-1"}))
    assert found.scores == {"tone": [3.0]}


def test_a_metric_that_something_else_measures_now_is_new_not_worse():
    before = pool([session(str(i), ok=[1.0], tone=[5.0], sources={"tone": "judge-1"}) for i in range(3)])
    now = session("now", name="app-2", ok=[1.0], tone=[1.0], sources={"tone": "judge-2"})
    comparison = compare(before, now)
    assert comparison.unlike == ("tone",)
    assert comparison.baseline_values().keys() == comparison.baseline_sessions().keys() == {"ok"}
    policies = {name: MetricPolicy(name) for name in ("ok", "tone")}
    decision = decide(comparison.baseline_values(), comparison.current_values(), policies)
    assert decision.verdict == "pass"
    assert decision.metrics["tone"].new
    same = compare(before, session("now", name="app-2", tone=[1.0], sources={"tone": "judge-1"}))
    assert same.unlike == ()
    assert same.baseline is before


def test_what_measured_a_metric_is_recorded():
    results = session("a", cost=[1.0], sources={"cost": "mlflow"})
    plain = json.loads(json.dumps(results.to_json()))
    assert VersionResults.from_json(plain).sources == {"cost": "mlflow"}
    plain["session"]["sources"] = {"cost": 3}
    with pytest.raises(ResultsError, match=r"session.sources\['cost'\] must be a string, not 3"):
        VersionResults.from_json(plain)
    del plain["session"]["sources"]
    assert VersionResults.from_json(plain).sources == {}
