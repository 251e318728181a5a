from __future__ import annotations

from pytest_genaiver.core.calls import baseline_calls, current_calls
from pytest_genaiver.core.compare import compare
from pytest_genaiver.core.pooling import NEWEST, pool
from pytest_genaiver.core.results import CaseResult, SessionFacts, Version, VersionResults


def session(key, repeats=1, gate="fail", **cases):
    return VersionResults(
        version=Version(name="app-1", app="app"),
        session=SessionFacts(id=key, started="", complete=True, repeats=repeats),
        cases={n: CaseResult(id=n, digest=n, function=n, scores=scores, gate=gate) for n, scores in cases.items()},
    )


def test_the_scores_of_one_call_stay_together():
    now = session("now", a={"hit": [1.0, 0.0], "size": [3.0, None]})
    (called,) = current_calls(compare(None, now), 5).values()
    assert called.calls == ({"hit": 1.0, "size": 3.0}, {"hit": 0.0, "size": None})
    assert called.scored().scores == now.cases["a"].scores
    assert called.scored([{"hit": 1.0}, {"size": 2.0}]).scores == {"hit": [1.0, None], "size": [None, 2.0]}


def test_retries_cases_without_values_and_those_that_do_not_gate_are_left_out():
    now = session("now", a={"hit": [0.0, 1.0, 1.0]}, b={"hit": [None]}, c={})
    assert current_calls(compare(None, now), 1)["a"].calls == ({"hit": 0.0},)
    assert set(current_calls(compare(None, now), 1)) == {"a"}
    assert current_calls(compare(None, session("now", gate="warn", a={"hit": [1.0]})), 1) == {}
    assert baseline_calls(compare(None, now)) == {}


def test_a_pool_is_taken_apart_session_by_session():
    newest = session("2", repeats=2, a={"hit": [1.0, 0.0], "size": [1.0, 2.0]})
    older = session("1", a={"hit": [0.5]}, gone={"hit": [1.0]})
    found = baseline_calls(compare(pool([newest, older]), session("now", a={}, new={})))
    assert {name: called.calls for name, called in found.items()} == {
        "a": ({"hit": 1.0, "size": 1.0}, {"hit": 0.0, "size": 2.0}, {"hit": 0.5})
    }


def test_where_a_pool_was_full_for_one_metric_only_calls_that_are_whole_remain():
    size = [float(n) for n in range(NEWEST - 1)]
    newest = session("2", repeats=NEWEST - 1, a={"hit": [None, *size[1:]], "size": size})
    older = session("1", repeats=2, a={"hit": [10.0, 11.0], "size": [20.0, 21.0]})
    calls = baseline_calls(compare(pool([newest, older]), session("now", a={})))["a"].calls
    assert calls[0] == {"hit": None, "size": 0.0}
    assert calls[-1] == {"hit": 11.0, "size": 21.0}
    assert len(calls) == NEWEST
