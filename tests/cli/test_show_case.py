"""`genaiver show VERSION --case CASE`: what was asked, what was answered, how that was scored."""

from __future__ import annotations

import json

import pytest

from pytest_genaiver.adapters.tracking.files import DETAILS
from pytest_genaiver.cli.main import FAILED, OK, USAGE

CASE = "test_app.py::test_answer[q3]"
HOSTILE = "x\x1b[31m\u202e<b>\nnext"


def details(**kept):
    first = {"inputs": {"question": "q3"}, "expectations": {"topic": "billing"}, "output": "open at nine"}
    return {DETAILS: json.dumps({CASE: {"0": {**first, "rationales": {"on_topic": "names it"}, **kept}}})}


def test_everything_that_was_kept_of_a_case(recorded, genaiver) -> None:
    version = recorded.session({"on_topic": [1.0], "cost": [0.002]}, files=details(logged={"pages": [1, 2]}))
    done = genaiver("show", "HEAD", "--case", "q3")
    assert (done.code, done.err) == (OK, "")
    assert done.lines == [
        CASE,
        f"version  {version.name}",
        "session  2026-01-02 00:00, pass",
        "test     test_app.py:7",
        "",
        "metric    each repeat",
        "on_topic  1.00",
        "cost      $0.0020",
        "",
        "repeat 1",
        '  inputs: {"question": "q3"}',
        '  expectations: {"topic": "billing"}',
        "  output: open at nine",
        '  logged: {"pages": [1, 2]}',
        "  on_topic: names it",
    ]


def test_the_newest_session_that_holds_the_case_is_shown(recorded, genaiver) -> None:
    recorded.session({"on_topic": [0.0]}, files=details())
    recorded.session({"on_topic": [1.0]}, files=details(output="new"))
    shown = genaiver("show", "HEAD", "--case", CASE, "--json").json
    assert (shown["case"], shown["scores"], shown["repeats"][0]["output"]) == (CASE, {"on_topic": [1.0]}, "new")


def test_what_the_app_answered_by_its_trace_stands_in_where_the_test_named_no_output(recorded, genaiver) -> None:
    text = json.dumps({CASE: {"0": {"traced": "from the trace", "errors": {"tone": "timed out"}}}})
    recorded.session(files={DETAILS: text})
    lines = genaiver("show", "HEAD", "--case", "q3").lines
    assert lines[-2:] == ["  output: from the trace", "  tone: timed out"]


def test_a_session_that_kept_nothing_says_so(recorded, genaiver) -> None:
    recorded.session()
    assert genaiver("show", "HEAD", "--case", "q3").lines[-1] == "no inputs or outputs were kept of this case"


def test_long_values_are_cut_until_they_are_asked_for(recorded, genaiver) -> None:
    recorded.session(files=details(output="word " * 1_000))
    assert "(5,000 characters, -v shows all)" in " ".join(genaiver("show", "HEAD", "--case", "q3").out.split())
    assert "-v shows all" not in genaiver("show", "HEAD", "--case", "q3", "-v").out


def test_outputs_are_hostile(recorded, genaiver) -> None:
    recorded.session(files=details(output=HOSTILE, rationales={HOSTILE: HOSTILE}, logged={HOSTILE: HOSTILE}))
    done = genaiver("show", "HEAD", "--case", "q3")
    assert done.code == OK
    assert "\x1b" not in done.out
    assert "\u202e" not in done.out
    assert not [line for line in done.lines if line.startswith("next")]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--case", "q99"], USAGE, "--case: 'q99' is no case of app-"),
        (["--case", "test_answer"], USAGE, "--case: 'test_answer' is part of several cases: "),
        (["--case", "q3", "--reproduce", "q3"], USAGE, "--case and --reproduce cannot be used together"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(recorded, genaiver, arguments, code, told) -> None:
    recorded.session()
    done = genaiver("show", "HEAD", *arguments)
    assert (done.code, done.out) == (code, "")
    assert told in done.err


def test_details_that_cannot_be_read_are_named(recorded, genaiver) -> None:
    recorded.session(files={DETAILS: "{"})
    done = genaiver("show", "HEAD", "--case", "q3")
    assert (done.code, done.out) == (FAILED, "")
    assert f"{DETAILS} of run " in done.err


def test_a_version_without_results_has_no_case(recorded, genaiver) -> None:
    opened = recorded.opened()
    done = genaiver("show", opened.version.name, "--case", "q3")
    assert (done.code, "has no recorded results: there is no case to show" in done.err) == (USAGE, True)


def test_traces_are_links_where_a_server_shows_them(recorded, genaiver, server, monkeypatch) -> None:
    (recorded.path / "mlflow.db").unlink()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    recorded.session(files=details(), traces=["tr-1"])
    last = genaiver("show", "HEAD", "--case", "q3").lines[-1]
    assert last.startswith(f"trace: {server}/#/experiments/")
    assert last.endswith("/traces/tr-1")
