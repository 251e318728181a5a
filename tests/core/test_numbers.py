from __future__ import annotations

import math

import pytest

from pytest_genaiver.core import numbers


@pytest.mark.parametrize(
    ("kind", "number", "text"),
    [
        ("binary", 0.95, "0.95"),
        ("binary", 1.0, "1.00"),
        ("binary", 0.9996, ">0.99"),
        ("binary", 0.0004, "<0.01"),
        ("binary", 0.0, "0.00"),
        ("score", 0.5, "0.50"),
        ("score", 0.0, "0.00"),
        ("score", -0.004, "-0.004"),
        ("score", 0.00001234, "1.2e-05"),
        ("score", 123.4, "123"),
        ("score", -1234.5, "-1,234"),
        ("score", 12345678.0, "1.23e+07"),
        ("likert", 4.25, "4.25"),
        ("latency", 0.0, "0 ms"),
        ("latency", 0.00125, "1.2 ms"),
        ("latency", 0.812, "812 ms"),
        ("latency", 0.9996, "1.00 s"),
        ("latency", 1.236, "1.24 s"),
        ("latency", 12.36, "12.4 s"),
        ("latency", 1234.5, "1,234 s"),
        ("tokens", 312.4, "312"),
        ("tokens", 12345.0, "12,345"),
        ("cost", 0.0, "$0.00"),
        ("cost", 1.239, "$1.24"),
        ("cost", 0.0213, "$0.021"),
        ("cost", 0.00021, "$0.00021"),
        ("cost", 0.0000031, "$0.000003"),
        ("cost", 0.0000000001, "<$0.000001"),
        ("score", None, "-"),
        ("score", math.nan, "-"),
        ("latency", math.inf, "-"),
    ],
)
def test_a_value_reads_in_its_unit(kind, number, text):
    assert numbers.value(kind, number) == text


@pytest.mark.parametrize(
    ("kind", "baseline", "current", "text"),
    [
        ("binary", 0.96, 0.55, "-0.41"),
        ("binary", 0.5, 0.504, "+0.004"),
        ("score", 0.5, 0.75, "+0.25"),
        ("score", 0.3, 0.1 + 0.2, "0.00"),
        ("score", 1.0, 1.0, "0.00"),
        ("latency", 0.8, 1.2, "+50.0%"),
        ("latency", 1.0, 1.0, "+0.0%"),
        ("latency", 1.0, 0.9999, "+0.0%"),
        ("tokens", 100.0, 75.0, "-25.0%"),
        ("tokens", 100.0, 400.0, "+300%"),
        ("cost", 1.0, 50.0, ">999%"),
        ("cost", 0.0, 0.1, "-"),
        ("score", None, 1.0, "-"),
        ("score", 1.0, None, "-"),
        ("score", 1.0, math.nan, "-"),
    ],
)
def test_a_change_is_signed_and_relative_for_ratios(kind, baseline, current, text):
    assert numbers.change(kind, baseline, current) == text


@pytest.mark.parametrize(
    ("kind", "upper", "text"),
    [
        ("binary", 0.05, "0.05"),
        ("score", 0.0, "none"),
        ("score", 1e-17, "none"),
        ("score", -0.2, "none"),
        ("latency", math.log(1.1), "10.0%"),
        ("tokens", math.log(3), "200%"),
        ("cost", 1e6, ">999%"),
        ("score", None, "-"),
        ("score", math.inf, "-"),
    ],
)
def test_what_could_hide_has_no_sign(kind, upper, text):
    assert numbers.hides(kind, upper) == text


@pytest.mark.parametrize("ends", [None, (0.1, math.inf), (math.nan, 0.2)])
def test_an_interval_that_is_not_known_is_none(ends):
    assert numbers.interval("binary", ends) == numbers.NOTHING


def test_an_interval_is_in_percent_where_the_kind_is():
    assert numbers.interval("binary", (-0.5, -0.31)) == "-0.50 to -0.31"
    assert numbers.interval("latency", (-0.5, 0.25)) == "-50.0% to +25.0%"
