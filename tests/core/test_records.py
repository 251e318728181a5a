from __future__ import annotations

import json

import pytest

from pytest_genaiver.core.failures import is_provider_failure
from pytest_genaiver.core.records import Plan, PlannedCase, RepeatRecord, assemble
from pytest_genaiver.core.scores import score_name, score_value
from pytest_genaiver.errors import ScoreError

CASE = PlannedCase(id="t.py::t[a]", digest="d", function="t.py::t", notes=("n",))


def record(repeat=0, outcome="passed", **more):
    return RepeatRecord(case=CASE.id, repeat=repeat, outcome=outcome, **more)


def test_a_plan_and_a_record_survive_json():
    plan = Plan(cases={CASE.id: CASE}, collected=frozenset({CASE.id}), whole=frozenset({"t.py"}))
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    one = record(scores={"good": 1.0}, traces=["tr"])
    assert RepeatRecord.from_json(json.loads(json.dumps(one.to_json()))) == one


def test_repeats_add_up_in_their_order_and_what_is_missing_keeps_its_place():
    found = assemble({CASE.id: CASE}, [record(1, scores={"b": 2.0}), record(0, scores={"a": 1.0})])
    assert found[CASE.id].scores == {"a": [1.0, None], "b": [None, 2.0]}


def test_skipped_and_unknown_cases_are_left_out_and_idle_ones_are_missing():
    other = RepeatRecord(case="x", repeat=0, outcome="passed")
    assert assemble({CASE.id: CASE}, [record(outcome="skipped"), other]) == {}
    idle = assemble({CASE.id: CASE}, [record(scores={"passed": 1.0}, recorded=False)])
    assert idle[CASE.id].scores == {"passed": [None]}


class Status(Exception):
    def __init__(self, code):
        self.status_code = code


class Answered(Exception):
    def __init__(self, code):
        self.response = Status(code)


class RateLimitError(Exception):
    pass


def caused(error):
    outer = ValueError("the app's own")
    outer.__cause__ = error
    return outer


@pytest.mark.parametrize(
    ("error", "provider"),
    [
        (None, False),
        (ValueError(), False),
        (AssertionError(), False),
        (Status(429), True),
        (Status(503), True),
        (Status(400), False),
        (Status(True), False),
        (Answered(500), True),
        (ConnectionError(), True),
        (TimeoutError(), True),
        (RateLimitError(), True),
        (caused(Status(500)), True),
        (caused(ValueError()), False),
    ],
)
def test_only_what_the_provider_did_is_its_failure(error, provider):
    assert is_provider_failure(error) is provider


def test_a_circle_of_causes_ends():
    error = ValueError()
    error.__cause__ = error
    assert not is_provider_failure(error)


Feedback = type("Feedback", (), {"__module__": "mlflow.entities.assessment", "error": None, "value": None})


def feedback(value, error=None):
    made = Feedback()
    made.value, made.error = value, error
    return made


@pytest.mark.parametrize(
    ("value", "number"),
    [(True, 1.0), (3, 3.0), (0.5, 0.5), (feedback("no"), 0.0), (feedback(2), 2.0), (feedback(None, "down"), None)],
)
def test_a_score_is_a_number(value, number):
    assert score_value("s", value) == number


def test_numpy_scalars_are_scores():
    numpy = pytest.importorskip("numpy")
    assert score_value("s", numpy.float32(0.5)) == 0.5


@pytest.mark.parametrize("value", ["x" * 100, float("nan"), 10**400, feedback(feedback(1)), feedback("maybe")])
def test_anything_else_is_no_score(value):
    with pytest.raises(ScoreError, match="score 's'"):
        score_value("s", value)


@pytest.mark.parametrize("name", ["", 1, "passed"])
def test_a_score_needs_a_name_of_its_own(name):
    with pytest.raises(ScoreError):
        score_name(name)
    assert score_name("good") == "good"
