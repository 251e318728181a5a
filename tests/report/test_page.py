from __future__ import annotations

import json

from pytest_genaiver.report.cases import ORDER, Case, Repeat, Value
from pytest_genaiver.report.page import beside, data, fitted


def case(output="now", before="was", **more):
    value = Value(metric="ok", baseline=1.0, current=0.5, shown_baseline="1.00", shown_current="0.50", worse=0.5)
    given = {
        "id": "t.py::test[a]",
        "verdict": "worse",
        "location": "t.py:1",
        "values": (value,),
        "inputs": "q",
        "expectations": None,
        "before": (Repeat(number=0, output=before, notes=()),),
        "now": (Repeat(number=2, output=output, notes=(("why", "because"),)), Repeat(number=0, output="b", notes=())),
        "traces": ("tr-1",),
        "baseline_traces": (),
        "notes": ("note",),
        **more,
    }
    return Case(**given)


def test_a_case_is_a_row_and_its_output_stands_in_the_differences_only():
    found = data([case()], ["other", "ok"], "http://host/traces/")
    assert found["metrics"] == ["other", "ok"]
    assert found["traces"] == "http://host/traces/"
    assert found["cases"] == [
        [
            "t.py::test[a]",
            ORDER.index("worse"),
            "t.py:1",
            [[1, "1.00", "0.50", 0.5]],
            "q",
            None,
            [(1, "was"), (2, "now")],
            [[1, None, []]],
            [[3, None, [["why", "because"]]], [1, "b", []]],
            [],
            ["tr-1"],
            ["note"],
        ]
    ]


def test_without_both_outputs_nothing_is_compared():
    for one in (case(before=None), case(output=None), case(before="x", now=())):
        assert beside(one) is None
    row = data([case(before=None)], ["ok"], "")["cases"][0]
    assert row[6] is None
    assert row[8][0][1] == "now"


def test_at_most_six_metrics_are_columns():
    assert data([], [str(i) for i in range(9)], "")["columns"] == 6
    assert data([], [], "")["columns"] == 0


def test_texts_are_made_visible_and_the_longest_cut_until_all_fit():
    long, short = case("x" * 50_000, "\x1b\u202e"), case("short", None, inputs=None, expectations="e")
    cut, kept = fitted([long, short], budget=10_000)
    assert cut.now[0].output.endswith("more characters)")
    assert cut.before[0].output == "\\x1b\\u202e"
    assert kept == short
    texts = [cut.now[0].output, cut.before[0].output]
    assert len(json.dumps(texts)) < 11_000


def test_of_very_many_repeats_some_are_shown():
    many = tuple(Repeat(number=i, output="x", notes=()) for i in range(50))
    assert len(fitted([case(now=many)])[0].now) == 20
