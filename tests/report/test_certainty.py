from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_genaiver.core.compare import compare
from pytest_genaiver.core.pooling import BaselineFacts, pool
from pytest_genaiver.report.certainty import sentences

FACTS = BaselineFacts(why="w", name="app-1", sessions=1)


@pytest.fixture
def compared(build):
    cases = [build.case(f"t[{i}]", ok=[float(i % 4 > 0)]) for i in range(40)]
    return compare(pool([build.session(cases, name="app-1")]), build.session(cases))


def test_a_pass_says_what_could_hide_and_what_would_make_it_surer(build, compared):
    metrics = [build.metric(n, upper=u) for n, u in [("ok", 0.1), ("b", 0.3), ("c", 0.2), ("d", 0.05), ("e", 0.0)]]
    shown = build.metric("latency", "latency", upper=9.0, gate="warn")
    first, hides, more, cases = sentences(build.decision("pass", *metrics, shown), compared, FACTS)
    assert first.startswith("No drop was found")
    assert hides == "A drop could still hide in b up to 0.30, c up to 0.20, ok up to 0.10 and 1 more."
    assert more.startswith("To be surer, record more sessions of the baseline: 4 more")
    assert "smallest visible drop of ok from 0." in more
    assert cases == "More cases help too, and more repeats: now at most 5 (--genai-repeats)."


def test_a_strong_baseline_gains_nothing_from_more_sessions(build, compared):
    found = list(sentences(build.decision("pass", build.metric("ok")), compared, replace(FACTS, sessions=2000)))
    assert not [text for text in found if "sessions of the baseline" in text]
    assert len(found) == 3


@pytest.mark.parametrize(
    ("verdict", "start"), [("regressed", "An unchanged version"), ("inconclusive", "These values cannot")]
)
def test_each_verdict_has_its_own_meaning(build, compared, verdict, start):
    assert next(sentences(build.decision(verdict, build.metric("ok")), compared, FACTS)).startswith(start)


def test_a_regression_is_not_told_what_else_could_hide(build, compared):
    assert len(list(sentences(build.decision("regressed", build.metric("ok")), compared, FACTS))) == 1


def test_where_nothing_was_compared_there_is_nothing_to_be_sure_of(build, compared):
    decision = build.decision("pass", build.metric("ok"))
    assert list(sentences(None, compared, FACTS)) == []
    assert list(sentences(decision, replace(compared, baseline=None), FACTS)) == []
    assert list(sentences(decision, replace(compared, pairs={}), FACTS)) == []
