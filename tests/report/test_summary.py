from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_genaiver.core.compare import compare
from pytest_genaiver.core.gate import decide
from pytest_genaiver.core.policy import policy_for
from pytest_genaiver.core.pooling import pool
from pytest_genaiver.report.summary import BaselineFacts, Counts, summarise

WHY = "merge base with main"
SOME = BaselineFacts(name="app-1a2b3c4d", commit="1a2b3c4d" * 5, why=WHY, distance=1, age=90.0, sessions=1)


def test_a_regression_names_its_metrics_first(build):
    bad = [build.metric(f"m{index}", verdict="regressed") for index in range(5)]
    summary = build.summary(build.decision("regressed", *bad, build.metric("fine")))
    assert summary.headline == "regressed: m0, m1, m2 and 2 more (5 of 6 gated metrics)"
    assert (summary.verdict, summary.tone) == ("regressed", "bad")


@pytest.mark.parametrize(
    ("verdict", "gate", "headline", "tone"),
    [
        ("regressed", "warn", "regressed: ok (1 of 1 gated metric); the gate only warns", "warn"),
        ("regressed", "strict", "regressed: ok (1 of 1 gated metric)", "bad"),
        ("inconclusive", "fail", "inconclusive: ok (1 of 1 gated metric)", "warn"),
        ("inconclusive", "strict", "inconclusive: ok (1 of 1 gated metric); the gate is strict", "bad"),
        ("improved", "fail", "improved: ok (1 of 1 gated metric)", "good"),
        ("pass", "fail", "pass: 1 gated metric, no drop beyond noise and tolerance", "good"),
    ],
)
def test_the_headline_says_verdict_and_consequence(build, verdict, gate, headline, tone):
    summary = build.summary(build.decision(verdict, build.metric("ok", verdict=verdict)), gate=gate)
    assert (summary.headline, summary.tone) == (headline, tone)


def test_a_verdict_that_no_metric_carries_gives_the_decisions_reason(build):
    summary = build.summary(build.decision("inconclusive", reason="no case is shared"))
    assert summary.headline == "inconclusive: no case is shared"


def test_a_pass_without_gated_metrics_says_so(build):
    assert build.summary(build.decision("pass")).headline == "pass: no metric is gated"


def test_a_pass_that_compared_nothing_says_so(build):
    summary = build.summary(
        build.decision("pass", build.metric("ok", new=True)), baseline=replace(SOME, coverage=0.0)
    )
    assert summary.headline == "pass: nothing was compared, no case is shared with the baseline"


def test_too_few_cases_come_before_any_verdict(build):
    summary = build.summary(build.decision("pass"), counts=Counts(evaluated=1, wanted=3))
    assert summary.headline == "too few cases: 1 evaluated, --genai-min-cases wants 3 (verdict pass)"
    assert summary.tone == "bad"


def test_with_the_gate_off_metrics_are_shown_without_a_verdict(build):
    old = build.session([build.case("a", ok=[1.0]), build.case("b", ok=[1.0], latency=[2.0])], name="old-1")
    now = build.session([build.case("a", ok=[1.0]), build.case("b", ok=[0.0], latency=[1.0])])
    summary = build.summary(None, now, old, counts=Counts(evaluated=0))
    assert summary.headline == "off: the gate is off, nothing is decided"
    assert [(r.metric, r.baseline, r.current, r.change, r.verdict, r.gated) for r in summary.rows] == [
        ("ok", "1.00", "0.50", "-0.50", "not gated", False),
        ("latency", "2.00 s", "1.00 s", "-50.0%", "not gated", False),
    ]


def test_gated_metrics_come_first(build):
    now = build.session([build.case("a", total_tokens=[1.0], latency=[1.0], ok=[1.0])])
    found = build.decision(
        "pass", build.metric("latency", "latency", gate="warn"), build.metric("ok"), build.metric("gone")
    )
    rows = build.summary(found, now).rows
    assert [row.metric for row in rows] == ["ok", "gone", "latency", "total_tokens"]
    assert rows[-1].current == "1"


@pytest.mark.parametrize(
    ("metric", "verdict", "tone"),
    [
        ({}, "pass", "plain"),
        ({"new": True}, "new", "plain"),
        ({"advisory": True}, "advisory", "plain"),
        ({"advisory": True, "verdict": "inconclusive"}, "advisory", "warn"),
        ({"advisory": True, "verdict": "regressed"}, "regressed", "bad"),
        ({"new": True, "verdict": "regressed"}, "regressed", "bad"),
        ({"verdict": "inconclusive"}, "inconclusive", "warn"),
        ({"verdict": "improved"}, "improved", "good"),
        ({"verdict": "improved", "gate": "warn"}, "improved (warn)", "good"),
        ({"verdict": "regressed", "gate": "warn"}, "regressed (warn)", "warn"),
        ({"gate": "warn"}, "pass", "plain"),
    ],
)
def test_a_metrics_verdict_in_a_word(build, metric, verdict, tone):
    row = build.summary(build.decision("pass", build.metric("ok", **metric))).rows[0]
    assert (row.verdict, row.tone) == (verdict, tone)


def test_a_warned_regression_is_a_warning_not_a_failure(build):
    slow = build.metric("latency", "latency", "regressed", baseline=1.0, current=2.0, gate="warn")
    summary = build.summary(build.decision("pass", slow), warnings=("given",))
    assert summary.warnings == (
        "given",
        "latency is worse, which only warns: 1.00 s -> 2.00 s (+100%)",
    )


def test_worst_cases_are_broken_ones_then_suspects_then_the_clearest_of_doubtful_metrics(build):
    f = build.finding
    summary = build.summary(
        build.decision(
            "regressed",
            build.metric("sure", verdict="pass", worst=(f("noise", "sure"),)),
            build.metric(
                "a",
                verdict="regressed",
                worst=(f("a-first", "a", z=3.0), f("broken", "a", z=2.0)),
                suspect=(f("suspect", "a"),),
            ),
            build.metric(
                "b",
                verdict="inconclusive",
                worst=(f("b-first", "b", z=4.0), f("b-last", "b", z=None)),
                broken=(f("broken", "b"),),
            ),
        )
    )
    assert [(case.case, case.metric, case.mark) for case in summary.worst] == [
        ("broken", "b", "broken"),
        ("suspect", "a", "suspect"),
        ("b-first", "b", ""),
        ("a-first", "a", ""),
        ("broken", "a", ""),
        ("b-last", "b", ""),
    ]


def test_a_case_is_listed_once_for_a_metric_with_what_is_known_of_it(build):
    name = "t.py::test[a]"
    found = build.finding(name, "ok", baseline=0.5, current=None)
    bad = build.metric("ok", verdict="regressed", broken=(found,), worst=(found,))
    (case,) = build.summary(build.decision("regressed", bad)).worst
    assert (case.baseline, case.current, case.n_baseline, case.n_current) == ("0.50", "-", 5, 1)
    assert (case.location, case.notes) == ("tests/test_support.py:12", ("answered: we open at nine",))


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({}, "app-1a2b3c4d, 1 commit back, 90 seconds old"),
        ({"distance": 0, "age": 1.0}, "app-1a2b3c4d, same commit, 1 second old"),
        ({"distance": None, "age": None}, "app-1a2b3c4d, distance unknown, age unknown"),
        ({"name": "v1", "age": 600.0}, "v1 (1a2b3c4d), 1 commit back, 10 minutes old"),
        ({"name": "v1", "commit": None, "age": -5.0}, "v1, 1 commit back, 0 seconds old"),
        ({"distance": 1200, "age": 30 * 3600.0}, "app-1a2b3c4d, 1,200 commits back, 30 hours old"),
        ({"age": 20 * 86400.0}, "app-1a2b3c4d, 1 commit back, 20 days old"),
        ({"age": 100 * 86400.0}, "app-1a2b3c4d, 1 commit back, 3 months old"),
        ({"age": 1000 * 86400.0}, "app-1a2b3c4d, 1 commit back, 2 years old"),
        (
            {"deployed_to": "eu", "deployed_ago": 3 * 86400.0},
            "app-1a2b3c4d, deployed to eu 3 days ago, 1 commit back, 90 seconds old",
        ),
        ({"name": None}, f"none: {WHY}"),
    ],
)
def test_the_baseline_line_has_name_sha_distance_and_age(build, facts, line):
    summary = build.summary(build.decision("pass"), baseline=replace(SOME, **facts))
    assert summary.baseline == line


def test_about_the_baseline_is_why_and_how_much(build):
    assert build.summary(None, baseline=SOME).about_baseline == f"{WHY}; 1 session"
    full = build.summary(None, baseline=replace(SOME, coverage=0.85, sessions=3))
    assert full.about_baseline == f"{WHY}; 3 sessions, with 85% of the cases"
    assert build.summary(None, baseline=BaselineFacts(why=WHY)).about_baseline == ""


@pytest.mark.parametrize(
    ("version", "session", "begins"),
    [
        ({}, {}, "this session is recorded"),
        ({"dirty": True}, {}, "commit, then run"),
        ({"commit": None, "dirty": True}, {}, "outside git"),
        ({}, {"complete": False}, "run `pytest --genai-version` to its end"),
    ],
)
def test_a_first_session_says_what_to_do_next(build, version, session, begins):
    now = build.session([build.case("a", ok=[1.0])])
    now.version = replace(now.version, **version)
    now.session = replace(now.session, **session)
    summary = build.summary(build.decision("pass"), now, baseline=BaselineFacts(why=WHY))
    assert summary.next_step.startswith(begins)
    assert summary.headline == "pass: first session, there is no baseline to compare with"
    assert build.summary(build.decision("pass"), now).next_step == ""


OFFER = "`pytest --genai-version --genai-baseline run:1a2b3c4d` runs its app beside this one"
BASE = BaselineFacts(name="support-1a2b3c4d", commit="1a2b3c4d" * 5, distance=2, why=WHY)


@pytest.mark.parametrize(
    ("held", "facts", "why"),
    [
        (2, {}, "the baseline's values are few"),
        (3, {}, None),
        (2, {"commit": None}, None),
        (2, {"distance": None}, None),
        (2, {"fresh": True}, None),
    ],
)
def test_a_regression_on_a_thin_baseline_offers_to_run_it_beside_this_version(build, held, facts, why):
    old = build.session([build.case("t[a]", ok=[1.0] * held + [None]), build.case("t[gone]", ok=[1.0])], repeats=5)
    now = build.session([build.case("t[a]", ok=[0.0])])
    found = build.decision("regressed", build.metric("ok", verdict="regressed", drop=1.0))
    summary = build.summary(found, now, old, baseline=replace(BASE, **facts))
    assert summary.next_step == (f"{why}: {OFFER}" if why else "")
    assert build.summary(build.decision("pass"), now, old, baseline=BASE).next_step == ""


@pytest.mark.parametrize(
    ("latency", "offered"),
    [
        ({"verdict": "regressed", "gate": "warn", "drop": 0.2}, True),
        ({"verdict": "inconclusive", "advisory": True, "drop": 0.2}, True),
        ({"verdict": "inconclusive", "advisory": True, "drop": -0.2}, False),
        ({"verdict": "inconclusive", "advisory": True, "drop": None}, False),
        ({"verdict": "pass", "drop": 0.2}, False),
    ],
)
def test_a_regression_beside_a_slower_latency_offers_it_too(build, latency, offered):
    old = build.session([build.case("t[a]", ok=[1.0] * 5)], repeats=5)
    now = build.session([build.case("t[a]", ok=[0.0])])
    metrics = build.metric("ok", verdict="regressed", drop=1.0), build.metric("latency", kind="latency", **latency)
    summary = build.summary(build.decision("regressed", *metrics), now, old, baseline=BASE)
    assert summary.next_step == (f"the baseline's latencies are of other days: {OFFER}" if offered else "")


def test_a_baseline_that_ran_beside_this_version_says_so_in_place_of_its_age(build):
    summary = build.summary(None, baseline=replace(BASE, why="run:main, under the tests of now: tests/", fresh=True))
    assert summary.baseline == "support-1a2b3c4d, run now beside this version, 2 commits back"
    assert summary.about_baseline == "run:main, under the tests of now: tests/"


def test_every_change_of_the_cases_is_counted_and_named(build):
    old = build.session([build.case(n, digest=n) for n in ("t[same]", "t[gone]", "t[edited]", "t[was]")])
    now = build.session(
        [build.case("t[same]"), build.case("t[edited]", "e"), build.case("t[is]", "t[was]"), build.case("t[n]")]
    )
    facts = build.summary(None, now, old, counts=Counts(evaluated=4)).facts
    assert [(fact.text, fact.names) for fact in facts[:5]] == [
        ("4 cases evaluated, 2 compared, 1 repeat each", ()),
        ("1 new case", ("t[n]",)),
        ("1 removed case", ("t[gone]",)),
        ("1 changed case, not compared", ("t[edited]",)),
        ("1 renamed case", ("t[is] (was t[was])",)),
    ]


@pytest.mark.parametrize(
    ("stored", "lost", "text", "tone"),
    [
        (40, (), "40 traces produced, 40 stored", "plain"),
        (39, ("a",), "40 traces produced, 39 stored, 1 missing", "warn"),
        (None, (), "40 traces produced, not counted in the store", "plain"),
        (40, ("a",), "40 traces produced, 40 stored, some missing", "warn"),
    ],
)
def test_traces_are_counted_and_what_is_missing_is_named(build, stored, lost, text, tone):
    now = build.session([build.case("a")], traces_stored=stored)
    fact = build.summary(None, now, counts=Counts(evaluated=1, lost=lost)).facts[-1]
    assert (fact.text, fact.names, fact.tone) == (text, lost, tone)


def test_a_session_that_was_cut_short_warns(build):
    now = build.session([build.case("a")], complete=False, cut_short="KeyboardInterrupt")
    warnings = build.summary(None, now).warnings
    assert warnings == ("this session was cut short (KeyboardInterrupt): it is no baseline unless named",)


@pytest.mark.parametrize(
    ("name", "digest", "reason"),
    [
        ("t.py::test[a]", "2", "the inputs or expectations of 1 case changed"),
        ("t.py::test[b]", "2", "the parameters of the test functions changed"),
        ("t.py::other", "2", "its test functions are others; were they renamed or moved"),
    ],
)
def test_a_baseline_that_shares_no_case_is_loud_and_says_why(build, name, digest, reason):
    old = build.session([build.case("t.py::test[a]", "1")])
    (warning,) = build.summary(None, build.session([build.case(name, digest)]), old).warnings
    assert warning.startswith(f"no case is shared with the baseline: {reason}")


def test_the_gates_own_decision_is_summarised(build):
    ids = [f"t.py::test[{index}]" for index in range(30)]
    old = build.session([build.case(n, on_topic=[1.0] * 5) for n in ids], repeats=5)
    now = build.session([build.case(n, on_topic=[0.0] * 5, total_tokens=[9.0]) for n in ids], repeats=5)
    comparison = compare(pool([old]), now)
    found = decide(
        comparison.baseline_values(),
        comparison.current_values(),
        {name: policy_for(name) for name in now.metric_names()},
        repeats=5,
        baseline_sessions=comparison.baseline_sessions(),
    )
    summary = summarise(now, comparison, found, baseline=SOME, counts=Counts(evaluated=30))
    assert summary.headline == "regressed: on_topic (1 of 1 gated metric)"
    assert [(row.metric, row.verdict) for row in summary.rows] == [
        ("on_topic", "regressed"),
        ("total_tokens", "not gated"),
    ]
    assert {case.case for case in summary.worst} <= set(ids)
    assert summary.worst[0].baseline == "1.00"


def test_a_metric_that_something_else_measured_is_said_not_to_be_compared(build):
    old, now = (build.session([build.case("t.py::test[a]", tone=[3.0], cost=[1.0])]) for _ in range(2))
    old.sources = {"tone": "judge-1", "cost": "mlflow"}
    now.sources = {"tone": "judge-2", "cost": "mlflow"}
    shown = build.summary(build.decision("pass"), now, old)
    about = "measured by another judge, scorer or price list than in the baseline: not compared"
    assert [w for w in shown.warnings if about in w] == [f"tone was {about}"]
    now.sources["cost"] = "litellm"
    shown = build.summary(build.decision("pass"), now, old)
    assert [w for w in shown.warnings if about in w] == [f"tone, cost were {about}"]


def test_a_variant_that_replaces_another_is_said(build):
    old, now = (build.session([build.case("t[q]", ok=[1.0])], name=name) for name in ("app-1", "app-2"))
    now.cases["t[q]"].variant = {"model": "b"}
    texts = [fact.text for fact in build.summary(None, now, old).facts]
    assert "variant model=b is compared with no variant, which it replaces" in texts
