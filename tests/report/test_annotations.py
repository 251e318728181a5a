"""Annotations for GitHub: which, where, and nothing that a model wrote."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_genaiver.report.annotations import MOST, workflow_commands
from pytest_genaiver.report.parts import Row, Summary, WorstCase

GITHUB = {"GITHUB_ACTIONS": "true"}
BROKEN = WorstCase(
    case="tests/test_support.py::test_topic[refund]",
    metric="on_topic",
    baseline="1.00",
    current="0.00",
    n_baseline=5,
    n_current=3,
    mark="broken",
    location="tests/test_support.py:12",
    traces=("tr-1",),
    notes=("answered: ::error::nonsense",),
)


def row(metric, verdict):
    words = dict.fromkeys(("baseline", "current", "change", "hides", "reason"), "")
    return Row(metric=metric, verdict=verdict, tone="plain", gated=True, **words)


def summary(*worst, tone="bad", rows=()):
    return Summary(
        verdict="regressed",
        tone=tone,
        headline="",
        version="",
        baseline="",
        about_baseline="",
        rows=rows,
        worst=worst,
        facts=(),
        warnings=(),
        links=(),
        next_step="",
    )


def test_a_broken_case_is_an_error_on_its_line() -> None:
    assert workflow_commands(summary(BROKEN), GITHUB) == [
        "::error file=tests/test_support.py,line=12,title=genaiver%3A on_topic broke::"
        "tests/test_support.py::test_topic[refund]: on_topic 1.00 -> 0.00 (n 5 -> 3)"
    ]


def test_where_nothing_failed_it_is_a_warning() -> None:
    (line,) = workflow_commands(summary(BROKEN, tone="warn"), GITHUB)
    assert line.startswith("::warning file=")


@pytest.mark.parametrize("environ", [{}, {"GITHUB_ACTIONS": "false"}, {"GITLAB_CI": "true"}])
def test_elsewhere_there_are_none(environ) -> None:
    assert workflow_commands(summary(BROKEN), environ) == []


@pytest.mark.parametrize("location", [None, "tests/test_support.py", "x:y"])
def test_a_case_whose_line_is_unknown_is_told_without_one(location) -> None:
    (line,) = workflow_commands(summary(replace(BROKEN, location=location)), GITHUB)
    assert line.startswith("::error::tests/test_support.py::test_topic[refund]: ")


def test_the_worst_cases_of_a_metric_that_regressed_follow_as_warnings() -> None:
    worse, other = replace(BROKEN, mark="suspect"), replace(BROKEN, mark="", metric="cost")
    rows = (row("on_topic", "regressed"), row("cost", "regressed (warn)"))
    first, second = workflow_commands(summary(worse, other, BROKEN, rows=rows), GITHUB)
    assert first.startswith("::error ")
    assert "title=genaiver%3A on_topic got worse::" in second
    assert second.startswith("::warning ")


def test_cases_of_metrics_that_did_not_regress_are_none_and_ten_are_enough() -> None:
    worst = [replace(BROKEN, mark="suspect"), replace(BROKEN, mark=""), *[BROKEN] * 12]
    assert len(workflow_commands(summary(*worst), GITHUB)) == MOST


def test_a_hostile_id_cannot_start_a_command_of_its_own() -> None:
    hostile = replace(
        BROKEN, case="t.py::a[x\n::add-mask::y%0A::z\r\x1b[31m]", location="a,b:c%.py:3", metric="m,n:o"
    )
    (line,) = workflow_commands(summary(hostile), GITHUB)
    assert "\n" not in line
    assert "\r" not in line
    assert "\x1b" not in line
    assert line.startswith("::error file=a%2Cb%3Ac%25.py,line=3,title=genaiver%3A m%2Cn%3Ao broke::")
    assert "%250A" in line
