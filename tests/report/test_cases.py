from __future__ import annotations

import pytest

from pytest_genaiver.core.compare import compare
from pytest_genaiver.core.policy import MetricPolicy
from pytest_genaiver.core.pooling import pool
from pytest_genaiver.report.cases import Recorded, cases_of, text_of


@pytest.fixture
def compared(build):
    old = build.session(
        [
            build.case("t[worse]", ok=[1.0, 1.0], latency=[1.0]),
            build.case("t[better]", ok=[0.0], latency=[1.0]),
            build.case("t[same]", ok=[1.0], latency=[1.0]),
            build.case("t[edited]"),
            build.case("t[gone]"),
            build.case("t[broken]", ok=[1.0]),
            build.case("t[suspect]", ok=[1.0]),
            build.case("t[lower]", size=[10.0]),
        ],
        name="app-1",
    )
    now = build.session(
        [
            build.case("t[same]", ok=[1.0], latency=[9.0]),
            build.case("t[better]", ok=[1.0], latency=[2.0]),
            build.case("t[worse]", ok=[1.0, 0.0, None], latency=[0.5]),
            build.case("t[edited]", "other", ok=[1.0]),
            build.case("t[new]", ok=[1.0]),
            build.case("t[empty]", "t[empty]", passed=[None]),
            build.case("t[broken]", ok=[0.0]),
            build.case("t[suspect]", ok=[0.0]),
            build.case("t[lower]", size=[12.0]),
        ]
    )
    now.policy = [MetricPolicy("size", direction="lower"), MetricPolicy("latency", gate="warn")]
    return compare(pool([old]), now)


def test_every_case_is_there_the_worst_first(build, compared):
    bad = build.metric("ok", broken=(build.finding("t[broken]", "ok"),), suspect=(build.finding("t[suspect]", "ok"),))
    found = cases_of(compared, build.decision("regressed", bad), {})
    assert [(case.id, case.verdict) for case in found] == [
        ("t[broken]", "broken"),
        ("t[suspect]", "suspect"),
        ("t[lower]", "worse"),
        ("t[worse]", "worse"),
        ("t[better]", "better"),
        ("t[edited]", "changed"),
        ("t[new]", "new"),
        ("t[empty]", "new"),
        ("t[gone]", "removed"),
        ("t[same]", "same"),
    ]


def test_values_are_means_as_people_read_them(compared):
    (case,) = [c for c in cases_of(compared, None, {}) if c.id == "t[worse]"]
    ok, latency = case.values
    assert (ok.metric, ok.shown_baseline, ok.shown_current, ok.worse) == ("ok", "1.00", "0.50", 0.5)
    assert (latency.shown_baseline, latency.shown_current, latency.worse) == ("1.00 s", "500 ms", -0.5)


def test_what_was_left_is_shown_beside_what_the_baseline_left(compared):
    now = {
        "t[worse]": {
            "0": {
                "inputs": {"q": "why", "n": 2},
                "expectations": {"a": ["x"]},
                "output": "good",
                "logged": {"k": [1]},
            },
            "1": {"output": {"text": "bad"}, "rationales": {"ok": "off topic"}, "errors": {"tone": "no answer"}},
            "2": {"logged": "odd", "traced": "answered"},
        }
    }
    old = Recorded(
        details={"t[worse]": {"0": {"output": "was"}}, "t[gone]": {"0": {"inputs": 1}}}, traces={"t[worse]": ["tr-0"]}
    )
    found = {case.id: case for case in cases_of(compared, None, now, old)}
    case = found["t[worse]"]
    assert (case.inputs, case.expectations) == ("q: why\nn: 2", '{\n "a": [\n  "x"\n ]\n}')
    assert [(r.number, r.output) for r in case.now] == [(1, "text: bad"), (0, "good"), (2, "answered")]
    assert case.now[0].notes == (("ok", "off topic"), ("tone", "no answer"))
    assert [r.output for r in case.before] == ["was"]
    assert case.baseline_traces == ("tr-0",)
    assert found["t[gone]"].inputs == "1"
    assert found["t[same]"].now == ()


def test_where_lower_is_better_the_highest_repeat_is_the_worst(build):
    old = build.session([build.case("t", size=[1.0])], name="app-1")
    now = build.session([build.case("t", size=[1.0, 5.0])])
    now.policy = [MetricPolicy("size", direction="lower")]
    left = {"t": {"0": {"output": "a"}, "1": {"output": "b"}}}
    (case,) = cases_of(compare(pool([old]), now), None, left)
    assert [r.output for r in case.now] == ["b", "a"]


def test_without_a_baseline_nothing_is_worse(build):
    now = build.session([build.case("t[a]", ok=[0.0]), build.case("t[b]", ok=[None]), build.case("t[c]", cost=[0.0])])
    found = cases_of(compare(None, now), None, {})
    assert [(case.id, case.verdict) for case in found] == [("t[b]", "no value"), ("t[a]", "same"), ("t[c]", "same")]


def test_a_change_from_zero_has_no_share(build):
    old = build.session([build.case("t", cost=[0.0])], name="app-1")
    (case,) = cases_of(compare(pool([old]), build.session([build.case("t", cost=[1.0])])), None, {})
    assert case.values[0].worse == 0.0


@pytest.mark.parametrize(
    ("value", "text"),
    [("a\nb", "a\nb"), ({}, "{}"), ({"a": 1, "b": None}, "a: 1\nb: null"), ([1], "[\n 1\n]"), (1.5, "1.5")],
)
def test_a_value_is_shown_as_people_read_it(value, text):
    assert text_of(value) == text
