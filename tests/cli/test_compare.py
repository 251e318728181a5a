"""`genaiver compare`: versions side by side."""

from __future__ import annotations

import json

import pytest

from pytest_genaiver.adapters.tracking.files import SNAPSHOT
from pytest_genaiver.cli.main import NO, OK, USAGE
from pytest_genaiver.core.snapshot import Snapshot
from pytest_genaiver.looking.compared import letter

GOOD, BAD = [1.0], [1.0, 0.0]


def snapshot(**given):
    return {SNAPSHOT: json.dumps(Snapshot(python="3.11.9", **given).to_json())}


@pytest.fixture
def two(recorded):
    """A version and the worse one after it, 40 cases."""
    files = snapshot(params={"temperature": "0.2"}, prompts={"support@3": "a" * 64})
    old = recorded.session({"on_topic": GOOD, "cost": [0.002]}, cases=40, files=files)
    recorded.commit("Simplify the prompt \x1b[31m")
    files = snapshot(params={"temperature": "0.7"}, prompts={"support@4": "b" * 64})
    new = recorded.session({"on_topic": BAD, "cost": [0.001]}, cases=40, files=files)
    return old, new


def test_the_whole_page(two, genaiver) -> None:
    old, new = two
    done = genaiver("compare", old.name, "HEAD")
    assert (done.code, done.err) == (OK, "")
    assert done.lines[:17] == [
        f"A  {old.name}, 2026-01-02, 1 session, the reference",
        f"B  {new.name}, 2026-01-03, 1 session",
        "40 common cases (40 in A, 40 in B)",
        "",
        "metric          A        B  change      90% interval  verdict",
        "on_topic     1.00     0.50   -0.50    -0.68 to -0.32  regressed",
        "cost      $0.0020  $0.0010  -50.0%  -58.2% to -40.1%  improved (warn)",
        "  on_topic: 1.00 -> 0.50, far beyond chance (p 0.00025 at level 0.05)",
        "  cost: $0.0020 -> $0.0010, better beyond chance (p 0.00025)",
        "",
        "what changed from A to B",
        "  1 commit",
        f"    {new.commit[:8]} Simplify the prompt \\x1b[31m",
        "  configuration temperature: 0.2 -> 0.7",
        "  prompt support: 3 -> 4",
        "",
        "cases that moved from A to B: 20 worse, 0 better",
    ]
    assert " ".join(done.lines[17].split()) == "test_app.py::test_answer[q11] on_topic 1.00 -> 0.00 n 1 -> 1"
    assert done.lines[-1] == "and 12 more (-v shows them)"


def test_verbose_gives_every_case_and_reason(two, genaiver) -> None:
    done = genaiver("compare", two[1].name, two[0].name, "-v")
    assert done.out.count("test_app.py::test_answer[") == 20
    assert "  1 commit that only A has" in done.lines
    assert "cases that moved from A to B: 0 worse, 20 better" in done.lines


def test_json_holds_it_all(two, genaiver) -> None:
    old, new = two
    found = genaiver("compare", old.name, new.name, "--best", "on_topic", "--json").json
    assert [v["name"] for v in found["versions"]] == [old.name, new.name]
    assert len(found["common_cases"]) == 40
    [topic, cost] = found["metrics"]
    assert (topic["metric"], topic["versions"][0]["mean"], topic["versions"][1]["mean"]) == ("on_topic", 1.0, 0.5)
    against = topic["versions"][1]["against"]
    assert (against["verdict"], against["cases"]) == ("regressed", 40)
    assert against["interval"][0] < -0.5 < against["interval"][1] < 0
    assert cost["gate"] == "warn"
    [changed] = found["against_first"]
    assert [c["name"] for c in changed["changes"]][:2] == ["temperature", "support"]
    assert changed["commits"]["came"][0][0] == new.commit
    assert len(changed["moved"]) == 20
    assert (found["best"]["winner"], found["best"]["by"]) == (old.name, "on_topic")


def test_the_best_one_and_why(two, genaiver) -> None:
    done = genaiver("compare", two[0].name, two[1].name, "--best", "on_topic,cost")
    assert done.code == OK
    assert f"best by on_topic, then cost: A {two[0].name}" in done.lines
    assert "  on_topic: A beats B (A B: 1.00 and 0.50; p 0.00025 at level 0.017)" in done.lines
    assert f"best by cost: B {two[1].name}" in genaiver("compare", two[0].name, "HEAD", "--best", "cost").lines


def test_versions_that_the_evidence_does_not_separate(recorded, genaiver) -> None:
    names = []
    for scores in ([1.0] * 9 + [0.0], [0.0] + [1.0] * 6 + [0.0] * 3, [1.0] * 9 + [0.0]):
        names.append(recorded.session({"on_topic": scores}, name=f"v{len(names)}").name)
    done = genaiver("compare", *names, "--best", "on_topic")
    assert done.code == NO
    assert "best by on_topic: the evidence does not separate A and B and C" in done.lines
    text = " ".join(done.out.split())
    assert "on_topic: A B: 0.90 and 0.60; needs at least " in text
    assert "values a case of each would show it: run `pytest --genai-version --genai-repeats" in text
    assert "on_topic: A C: 0.90 and 0.90; no difference beyond the tolerance" in text
    assert genaiver("compare", *names, "--best", "on_topic", "--json").json["best"]["winner"] is None


def test_several_versions_in_columns_then_each_against_the_first(recorded, genaiver, monkeypatch) -> None:
    names = [f"v{i}" for i in range(6)]
    for name, scores in zip(names, [GOOD, BAD] * 3, strict=True):
        recorded.session({"on_topic": scores, "cost": [0.001]}, name=name)
    done = genaiver("compare", *names)
    assert done.code == OK
    assert [line.split() for line in done.lines[8:11]] == [
        ["metric", *"ABCDEF"],
        ["on_topic", *["1.00", "0.50"] * 3],
        ["cost", *["$0.0010"] * 6],
    ]
    assert sum(line.startswith(f"{name} against A") for line in done.lines for name in "BCDEF") == 5
    monkeypatch.setenv("COLUMNS", "40")
    narrow = genaiver("compare", *names)
    assert "  B 0.50, -0.50 (-0.87 to -0.13)," in narrow.lines
    assert "on_topic" in narrow.lines


def test_it_fits_the_terminal(two, genaiver, monkeypatch) -> None:
    for columns in (40, 80, 120):
        monkeypatch.setenv("COLUMNS", str(columns))
        done = genaiver("compare", two[0].name, "HEAD", "--best", "on_topic")
        assert max(map(len, done.lines)) <= columns


def test_no_colour_where_there_is_none(two, genaiver, monkeypatch) -> None:
    from click.testing import CliRunner

    from pytest_genaiver.cli.main import main

    arguments = ["compare", two[0].name, "HEAD"]
    assert "\x1b[31m" in CliRunner().invoke(main, arguments, color=True).output
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in CliRunner().invoke(main, arguments, color=True).output


def test_versions_without_common_cases_are_said_loudly(recorded, genaiver) -> None:
    old = recorded.session({"on_topic": GOOD}, name="old")
    other = recorded.session({"on_topic": GOOD}, name="other", cases=0)
    done = genaiver("compare", old.name, other.name)
    assert done.code == NO
    assert "B other shares no case with A: not compared" in done.out
    assert "metric" not in done.out
    best = genaiver("compare", old.name, other.name, "--best", "on_topic")
    assert (best.code, best.lines[-1]) == (NO, "best: nothing was compared")
    third = recorded.session({"on_topic": BAD}, name="third")
    done = genaiver("compare", old.name, other.name, third.name)
    assert done.code == OK
    assert "B  third" in done.out
    assert "C other shares no case with A" in done.out


def test_what_another_judge_measured_is_not_compared(recorded, genaiver) -> None:
    old = recorded.session({"tone": [0.5], "on_topic": GOOD}, name="old", sources={"tone": "judge-1"})
    new = recorded.session({"tone": [0.9], "on_topic": GOOD}, name="new", sources={"tone": "judge-2"})
    done = genaiver("compare", old.name, new.name, "--best", "tone")
    assert done.code == NO
    assert any(line.startswith("tone") and line.endswith("other judge") for line in done.lines)
    assert "B: tone was measured by another judge, scorer or price list in A: not compared" in done.lines
    assert "  tone: A and B were not measured alike" in done.lines


def test_cases_that_are_not_compared_are_counted(recorded, genaiver) -> None:
    old = recorded.session({"on_topic": GOOD}, name="old", cases=12)
    new = recorded.session({"on_topic": GOOD}, name="new", cases=10)
    done = genaiver("compare", old.name, new.name)
    assert "10 common cases (12 in A, 10 in B)" in done.lines
    assert "B: cases not compared: 2 removed" in done.lines
    assert genaiver("compare", old.name, new.name, "--json").json["best"] is None
    assert "  nothing that is recorded" not in done.lines
    assert "  configuration, prompts, dependencies: not recorded" in done.lines


def test_equal_snapshots_and_a_session_that_was_cut_short(recorded, genaiver) -> None:
    old = recorded.session({"on_topic": GOOD}, name="old", files=snapshot())
    new = recorded.session({"on_topic": GOOD}, name="new", files=snapshot(), complete=False)
    done = genaiver("compare", old.name, new.name)
    assert "B  new, 2026-01-03, 1 session, cut short" in done.lines
    assert "  nothing that is recorded" in done.lines


def test_commits_that_this_clone_lacks(recorded, genaiver) -> None:
    old = recorded.session({"on_topic": GOOD})
    recorded.repo.git("commit", "--quiet", "--amend", "--message", "other")
    recorded.repo.git("reflog", "expire", "--expire=now", "--all")
    recorded.repo.git("gc", "--quiet", "--prune=now")
    new = recorded.session({"on_topic": GOOD})
    assert "  commits: not both in this clone" in genaiver("compare", old.name, new.name).lines


MISTAKES = [
    (["HEAD"], "compare needs two versions or more, and 'HEAD' is one"),
    (["HEAD", "main"], "named more than once"),
    (["HEAD", "other", "--best", "nope"], "--best: 'nope' is no metric of the common cases; they have passed"),
    (["HEAD", "other", "--best", ","], "--best: ',' cannot be used; give metrics such as on_topic,cost"),
    (["HEAD", "empty"], "version empty has no recorded results"),
]


def test_mistakes(recorded, genaiver) -> None:
    recorded.session()
    recorded.session(name="other")
    recorded.opened(name="empty")
    for arguments, said in MISTAKES:
        done = genaiver("compare", *arguments)
        assert (done.code, done.out) == (USAGE, "")
        assert said in done.err


def test_letters_go_on_after_z() -> None:
    assert [letter(i) for i in (0, 25, 26, 27, 51, 52)] == ["A", "Z", "AA", "AB", "AZ", "BA"]
