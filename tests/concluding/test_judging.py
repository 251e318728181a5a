"""What a session says of its looks, its luck and its exceptions."""

from __future__ import annotations

import pytest

from pytest_genaiver.concluding import judging
from pytest_genaiver.core.gate import decide
from pytest_genaiver.core.policy import MetricPolicy


def asked(before, now, *, repeats=(1, 5), **policy):
    return decide(
        {"on_topic": before}, {"on_topic": now}, {"on_topic": MetricPolicy("on_topic", **policy)}, repeats=repeats
    )


def cases(count, values):
    return {f"c{i:02}": values for i in range(count)}


def some(count, bad, before, after):
    return {case: after if i < bad else before for i, case in enumerate(cases(count, None))}


FLAKY = cases(40, [1, 1, 1, 0, 1])


@pytest.mark.parametrize(
    ("decision", "line"),
    [
        (
            asked(cases(40, [0.7, 0.8, 0.9]), cases(40, [0.77]), kind="score"),
            "genaiver: look 2 of 3: 40 cases, because on_topic fell 0.03",
        ),
        (
            asked(cases(40, [0.7, 0.8, 0.9]), cases(40, [0.76, 0.79]), kind="score"),
            "genaiver: look 3 of 3: 40 cases, because on_topic fell 0.025",
        ),
        (
            asked(cases(1, [2.0, 2.5]), cases(1, [3.0]), kind="cost", repeats=(1, 3)),
            "genaiver: look 2 of 3: 1 case, because on_topic rose 34%",
        ),
        (
            asked(cases(40, [1] * 5), some(40, 2, [1], [0])),
            "genaiver: again: 2 cases, because they failed on_topic at first",
        ),
        (
            asked(cases(40, [1] * 5), some(40, 1, [1], [None])),
            "genaiver: again: 1 case, because it has no value yet",
        ),
        (
            asked(cases(40, [0.7, 0.8, 0.9]), cases(40, [0.8]), kind="score", max_hidden=0.01),
            "genaiver: look 2 of 3: 40 cases, because on_topic: a drop of up to 0.025 could hide, more than "
            "max_hidden 0.01",
        ),
        (
            asked(FLAKY, cases(40, [1]), repeats=(2, 5)),
            "genaiver: look 1 of 2: 40 cases, because at least 2 repeats of every case are wanted",
        ),
    ],
)
def test_a_look_says_what_runs_again_and_why(decision, line):
    assert judging.look_line(decision) == line


def test_what_the_gate_could_not_have_is_said():
    one = asked(cases(40, [1] * 5), some(40, 1, [1], [None]))
    why = "because it has no value yet: it decided on what there was"
    assert judging.denied(one) == f"the gate wanted 1 more call of 1 case, {why}"
    two = asked(cases(40, [1] * 5), some(40, 2, [1], [0]))
    why = "because they failed on_topic at first: it decided on what there was"
    assert judging.denied(two) == f"the gate wanted 6 more calls of 2 cases, {why}"
    assert judging.denied(asked(FLAKY, FLAKY)) is None


def test_a_pass_after_a_regression_may_be_luck():
    assert judging.judged_before([], "pass") == (None, None)
    told, warning = judging.judged_before(["pass", "regressed"], "pass")
    assert told == "judged before: pass, regressed"
    assert warning == "this version was found regressed before: a pass after it may be luck, not a mended version"
    assert judging.judged_before(["regressed"], "regressed") == ("judged before: regressed", None)
    assert judging.judged_before(["pass"], "pass") == ("judged before: pass", None)


def test_a_regression_is_accepted_by_name_and_reason():
    accepted, wrong = judging.read_accepted(["good  shorter by design", "tone: as asked", "passed", "cost:"])
    assert accepted == {"good": "shorter by design", "tone": "as asked"}
    assert wrong == [
        f"GenAI-Accept: {value!r} names no reason and does not count; write 'GenAI-Accept: METRIC reason'"
        for value in ("passed", "cost:")
    ]
