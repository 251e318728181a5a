from __future__ import annotations

from typing import Any

import pytest

from pytest_genaiver.core.policy import MetricPolicy, builtin_kind, parse_metric_line, policy_for
from pytest_genaiver.errors import ConfigError


def test_a_bare_policy_fails_and_leaves_the_rest_to_be_inferred() -> None:
    policy = MetricPolicy("accuracy")
    assert (policy.kind, policy.direction, policy.tolerance, policy.gate) == (None, None, None, "fail")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": " "}, "name is ' '"),
        ({"kind": "ratio"}, "kind is 'ratio'; use one of binary, likert"),
        ({"direction": "up"}, "direction is 'up'; use one of higher, lower"),
        ({"gate": "strict"}, "gate is 'strict'; use one of fail, warn, off"),
        ({"gate": None}, "gate is None"),
        ({"tolerance": -0.1}, "tolerance is -0.1; it must be 0 or more"),
        ({"tolerance": float("nan")}, "tolerance is nan; it must be a finite number"),
        ({"min": float("inf")}, "min is inf"),
        ({"max": "3"}, "max is '3'"),
        ({"max": True}, "max is True"),
        ({"max_hidden": 0}, "max_hidden is 0; it must be above 0"),
        ({"min": 2, "max": 1}, "min is 2 and max is 1"),
    ],
)
def test_unusable_fields_are_refused_by_name_and_value(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        MetricPolicy(**{"name": "m", **fields})
    assert message in str(error.value)


def test_min_may_equal_max() -> None:
    assert MetricPolicy("m", min=1, max=1).min == 1


def test_json_form_comes_back_equal() -> None:
    policy = MetricPolicy("tone", "likert", "higher", 0.2, 3.5, 5, 0.3, "warn")
    assert MetricPolicy.from_json(policy.to_json()) == policy


@pytest.mark.parametrize(("data", "message"), [({"name": "m", "kid": 1}, "'kid'"), ({"kind": "binary"}, "no name")])
def test_a_foreign_json_form_is_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        MetricPolicy.from_json(data)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("accuracy: higher, tolerance=0.02", MetricPolicy("accuracy", None, "higher", 0.02)),
        ("latency:  lower, tolerance=10%, gate=warn", MetricPolicy("latency", None, "lower", 0.1, gate="warn")),
        (" tone: likert, higher, min=3.5 ", MetricPolicy("tone", "likert", "higher", min=3.5)),
        ("judge_*: likert", MetricPolicy("judge_*", "likert")),
        ("passed: min=90%, max_hidden = 0.05", MetricPolicy("passed", min=0.9, max_hidden=0.05)),
        ("judge:tone: score, max=1", MetricPolicy("judge:tone", "score", max=1)),
        ("latency: tolerance=0.25, max=2", MetricPolicy("latency", tolerance=0.25, max=2)),
        ("cost: tolerance=150%", MetricPolicy("cost", tolerance=1.5)),
    ],
)
def test_lines_are_read(line: str, expected: MetricPolicy) -> None:
    assert parse_metric_line(line) == expected


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("accuracy", "not of the form"),
        (": higher", "not of the form"),
        ("accuracy:", "not of the form"),
        ("accuracy: higher,,lower", "not of the form"),
        ("accuracy: bigger", "'bigger' is not a known setting"),
        ("accuracy: tolerence=1", "'tolerence=1' is not a known setting"),
        ("accuracy: gate=strict", "'gate=strict' is not a known setting"),
        ("accuracy: tolerance", "'tolerance' is not a known setting"),
        ("accuracy: tolerance=lots", "tolerance is 'lots', not a number"),
        ("accuracy: higher, lower", "sets direction twice"),
        ("tone: likert, tolerance=5%", "tolerance in % means nothing on a Likert scale"),
        ("latency: higher", "for latency lower is always better"),
        ("latency: max=10%", "in its own unit, not in %"),
        ("total_tokens: tolerance=50", "relative and 50 would be 5000%"),
        ("spent: cost, max_hidden=2", "max_hidden of cost is relative"),
    ],
)
def test_a_bad_line_says_what_is_wrong_and_shows_a_valid_one(line: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_metric_line(line)
    assert message in str(error.value)
    assert "A valid line: 'accuracy: higher, tolerance=0.02, gate=fail'" in str(error.value)


def test_the_shown_valid_line_is_valid() -> None:
    assert parse_metric_line("accuracy: higher, tolerance=0.02, gate=fail").gate == "fail"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("passed", "binary"),
        ("latency", "latency"),
        ("first_token", "latency"),
        ("cost", "cost"),
        ("input_tokens", "tokens"),
        ("accuracy", None),
    ],
)
def test_built_in_names_imply_their_kind(name: str, kind: str | None) -> None:
    assert builtin_kind(name) == kind


@pytest.mark.parametrize(
    ("name", "gate"),
    [
        ("passed", "fail"),
        ("on_topic", "fail"),
        ("latency", "warn"),
        ("first_token", "warn"),
        ("cost", "warn"),
        ("output_tokens", "warn"),
        ("total_tokens", "off"),
    ],
)
def test_undeclared_metrics_get_the_sessions_default_mode(name: str, gate: str) -> None:
    assert policy_for(name) == MetricPolicy(name, gate=gate)  # type: ignore[arg-type]


def test_an_exact_name_beats_a_pattern_and_the_first_pattern_wins() -> None:
    declared = [
        MetricPolicy("judge_*", "likert"),
        MetricPolicy("judge_t*", "score"),
        MetricPolicy("judge_tone", "binary"),
    ]
    assert policy_for("judge_tone", declared).kind == "binary"
    assert policy_for("accuracy", declared) == MetricPolicy("accuracy")
    assert policy_for("judge_taste", declared) == MetricPolicy("judge_taste", "likert")


def test_a_line_decides_the_gate_mode_of_a_built_in() -> None:
    assert policy_for("latency", [parse_metric_line("latency: tolerance=20%")]).gate == "fail"


def test_a_metric_declared_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="'m' is declared twice"):
        policy_for("m", [MetricPolicy("m"), MetricPolicy("m", "score")])
