from __future__ import annotations

import sys
from xml.etree import ElementTree

import pytest

from pytest_genaiver.report import plots

DRAWN = [
    plots.interval(0.4, 0.5, 0.02),
    plots.interval(-0.1, None, 0.02),
    plots.interval(0.0, 0.0, 0.0),
    plots.history([0.9, 0.95, 0.5]),
    plots.history([1.0, 1.0]),
    plots.history([3e-9]),
]


@pytest.mark.parametrize("drawn", DRAWN)
def test_a_plot_is_paths_with_classes_and_nothing_else(drawn):
    svg = ElementTree.fromstring(drawn)
    assert svg.tag == "svg"
    assert {path.tag for path in svg} == {"path"}
    assert {name for path in svg for name in path.attrib} <= {"class", "d", "stroke-width", "stroke-linecap"}
    assert not any("nan" in path.attrib["d"].lower() for path in svg)


def places(drawn):
    """The x of what is marked: (line's ends, middle of the dot)."""
    paths = list(ElementTree.fromstring(drawn))
    numbers = lambda path: [float(x) for x in path.attrib["d"].split() if x[0].isdigit() or x[0] == "-"][::2]  # noqa: E731
    line = next(numbers(p) for p in paths if p.attrib["class"] == "stroke-mark")
    dot = next(numbers(p) for p in paths if p.attrib["class"] == "fill-mark")
    return sorted(line), (min(dot) + max(dot)) / 2


def test_worse_is_left_and_the_line_reaches_to_what_could_hide():
    (low, high), dot = places(plots.interval(0.2, 0.5, 0.02))
    assert low < dot < 75
    assert high == pytest.approx(dot, abs=0.1)
    (low, _), dot = places(plots.interval(-0.2, -0.1, 0.02))
    assert 75 < low < dot


def test_the_same_numbers_draw_the_same():
    assert plots.interval(0.4, 0.5, 0.02) == DRAWN[0]


def test_without_matplotlib_there_are_none(monkeypatch):
    assert plots.available()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert not plots.available()
