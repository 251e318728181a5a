"""The action's comment, against a loopback GitHub."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ACTION = Path(__file__).parents[2] / "action"
REPORT = "<!-- pytest-genaiver:app -->\n## regressed\n"


def script(name):
    spec = importlib.util.spec_from_file_location(f"action_{name}", ACTION / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


comment = script("comment")
outputs = script("outputs")


@pytest.fixture
def report(tmp_path):
    path = tmp_path / "report.md"
    path.write_text(REPORT)
    return path


def run(capsys, *arguments):
    assert comment.main([str(a) for a in arguments]) == 0
    return capsys.readouterr().out


def test_the_first_report_is_a_comment_and_the_next_one_updates_it(github, report, capsys) -> None:
    for i in range(150):
        github.say(f"talk {i}")
    assert "pull request 17 was made" in run(capsys, report, 17)
    report.write_text(REPORT.replace("regressed", "pass"))
    assert "pull request 17 was updated" in run(capsys, report, 17)
    ours = [c["body"] for c in github.comments if c["user"]["type"] == "Bot"]
    assert ours == [REPORT.replace("regressed", "pass")]
    assert [a for a in github.asked if a[0] != "GET"] == [
        ("POST", "/repos/ada/app/issues/17/comments"),
        ("PATCH", "/repos/ada/app/issues/comments/151"),
    ]


def test_a_comment_of_a_person_or_of_another_app_is_never_touched(github, report, capsys) -> None:
    github.say(REPORT)
    github.say(REPORT.replace(":app", ":other"), kind="Bot")
    github.say(f"> {REPORT}", kind="Bot")
    before = [c["body"] for c in github.comments]
    run(capsys, report, 17)
    assert [c["body"] for c in github.comments] == [*before, REPORT]


def test_the_author_of_a_personal_token_can_be_named(github, report, capsys, monkeypatch) -> None:
    github.say(REPORT.replace("regressed", "old"))
    monkeypatch.setenv("GITHUB_COMMENT_AUTHOR", "ada")
    assert "updated" in run(capsys, report, 17)
    assert [c["body"] for c in github.comments] == [REPORT]


def test_another_workflow_finds_the_pull_request_by_the_commit_that_was_evaluated(github, report, capsys) -> None:
    github.pulls += [{"number": 3, "head": {"sha": "b" * 40}}, {"number": 4, "head": {"sha": "a" * 40}}]
    told = run(capsys, report, "--commit", "a" * 40, "--head", "eve:a branch&state=all")
    assert "pull request 4 was made" in told
    assert (
        "GET",
        "/repos/ada/app/pulls?state=open&head=eve%3Aa+branch%26state%3Dall&per_page=100&page=1",
    ) in github.asked
    assert "it has moved on" in run(capsys, report, "--commit", "c" * 40, "--head", "eve:b")


@pytest.mark.parametrize(
    ("status", "told"),
    [(403, "may not comment here (403)"), (404, "may not comment here (404)"), (500, "refused the comment (500)")],
)
def test_what_github_refuses_is_a_notice(github, report, capsys, status, told) -> None:
    github.refuse = status
    out = run(capsys, report, 17)
    assert out.startswith("::notice title=genaiver::")
    assert told in out
    assert "ghs_secret" not in out


def test_an_unreachable_github_is_a_notice(report, capsys, monkeypatch) -> None:
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("GITHUB_REPOSITORY", "ada/app")
    monkeypatch.setenv("GITHUB_TOKEN", "t")
    assert "could not be reached" in run(capsys, report, 17)


@pytest.mark.parametrize("content", [None, b"", b"# somebody else's\n", b"\xff\xfe"])
def test_without_a_report_of_ours_nothing_is_posted(github, tmp_path, capsys, content) -> None:
    path = tmp_path / "report.md"
    if content is not None:
        path.write_bytes(content)
    assert "there is no report in report.md" in run(capsys, path, 17)
    assert github.asked == []


def test_what_is_too_long_for_a_comment_is_cut(github, report, capsys) -> None:
    report.write_text(REPORT + "x" * 100_000)
    run(capsys, report, 17)
    assert len(github.comments[0]["body"]) == comment.LONGEST


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            '{"version": {"name": "app-1"}, "baseline": {"name": "app-0"}, "decision": {"verdict": "regressed"}}',
            {"verdict": "regressed", "version": "app-1", "baseline": "app-0"},
        ),
        (
            '{"version": {"name": "a\\nx=y"}, "baseline": null, "decision": null}',
            {"verdict": "off", "version": "a_x_y", "baseline": "none"},
        ),
        ("{", {"verdict": "none", "version": "none", "baseline": "none"}),
        (None, {"verdict": "none", "version": "none", "baseline": "none"}),
    ],
)
def test_the_outputs_are_one_line_each_whatever_the_report_holds(tmp_path, content, expected) -> None:
    path = tmp_path / "report.json"
    if content is not None:
        path.write_text(content)
    assert outputs.outputs(path) == expected
