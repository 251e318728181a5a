"""The demo plays through, and would notice a step that goes wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import demo
import pytest

HOSTILE = {
    "OPENAI_API_KEY": "a key that must not be used",
    "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
    "MLFLOW_TRACKING_URI": "http://127.0.0.1:9",
    "GENAI_BASELINE": "none",
    "GITHUB_ACTIONS": "true",
    "GITHUB_BASE_REF": "no-such-branch",
    "PYTEST_ADDOPTS": "--collect-only",
    "GIT_DIR": "/nowhere",
}


def play(tmp_path: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TMPDIR": str(tmp_path), **more}
    command = [sys.executable, demo.__file__]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)


def finished(tmp_path: Path, *, exit_code: int, stdout: str, verdict: str | None) -> demo.Session:
    results = tmp_path / "3-worse-prompt.json"
    if verdict:
        results.write_text(json.dumps({"decision": {"verdict": verdict}}), encoding="utf-8")
    run = demo.Run(exit_code=exit_code, stdout=stdout, stderr="a warning", seconds=1.0)
    return demo.Session(command="pytest --genai-version", run=run, results=results)


def squeezed(text: str) -> set[str]:
    """The lines without the demo's margin and without alignment."""
    return {" ".join(line.removeprefix("  | ").split()) for line in text.splitlines()}


def shown_in_readme(pattern: str) -> set[str]:
    """The lines of the README's failure that hold no time and no commit."""
    readme = (Path(demo.__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    lines = squeezed("\n".join(re.findall(rf"^{pattern}$", readme, re.MULTILINE)))
    assert len(lines) == 3
    return lines


@pytest.mark.story
def test_the_day_plays_through_whatever_the_environment_holds(tmp_path: Path) -> None:
    run = play(tmp_path, **HOSTILE)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stderr == ""
    assert "\x1b[" not in run.stdout
    headings = ["Step 1: ", "Step 2: ", "Step 3: ", "What to open next", "Each step did what it should."]
    places = [run.stdout.index(heading) for heading in headings]
    assert places == sorted(places)
    worse = run.stdout.partition("Step 3: ")[2]
    for words in (
        "regressed",
        "on_topic",
        "test_support[",
        "exit code 1",
        "mlflow ui --backend-store-uri sqlite:///",
    ):
        assert words in worse
    assert shown_in_readme(r"(regressed: .*|on_topic .*|  on_topic: .*)") <= squeezed(worse)
    (repository,) = tmp_path.glob("genaiver-demo-*/support-app")
    assert str(repository) in run.stdout
    assert (repository / "mlflow.db").is_file()
    assert len(list(repository.parent.glob("results/*.json"))) == len(demo.BASELINE_SEEDS) + 2


def test_a_session_that_did_what_it_should_passes_the_check(tmp_path: Path) -> None:
    session = finished(tmp_path, exit_code=1, stdout="on_topic regressed", verdict="regressed")
    demo.check(session, exit_code=1, verdict="regressed", mentions=("on_topic",))


@pytest.mark.parametrize(
    ("exit_code", "stdout", "verdict", "complaint"),
    [
        (0, "on_topic regressed", "regressed", "exit code 0 instead of 1"),
        (1, "on_topic: 40 passed", "regressed", "the terminal does not say 'regressed'"),
        (1, "it regressed", "regressed", "the terminal does not mention 'on_topic'"),
        (1, "on_topic regressed", "pass", "the results file says 'pass' instead of 'regressed'"),
        (1, "on_topic regressed", None, "the results file says None instead of 'regressed'"),
    ],
)
def test_a_session_that_went_wrong_is_named_with_its_output(
    tmp_path: Path, exit_code: int, stdout: str, verdict: str | None, complaint: str
) -> None:
    session = finished(tmp_path, exit_code=exit_code, stdout=stdout, verdict=verdict)
    with pytest.raises(demo.DemoError) as caught:
        demo.check(session, exit_code=1, verdict="regressed", mentions=("on_topic",))
    message = str(caught.value)
    assert complaint in message
    assert stdout in message
    assert "a warning" in message


def test_passed_tests_do_not_count_as_the_verdict_pass(tmp_path: Path) -> None:
    session = finished(tmp_path, exit_code=0, stdout="40 passed in 1.2s", verdict="pass")
    with pytest.raises(demo.DemoError, match="does not say 'pass'"):
        demo.check(session, exit_code=0, verdict="pass")


def test_a_failing_git_command_ends_the_demo_with_gits_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "C")
    project = demo.Project(repository=tmp_path, results=tmp_path)
    with pytest.raises(demo.DemoError, match=r"`git frobnicate` exited with 1:\n.*not a git command"):
        project.git("frobnicate")


def test_without_git_the_demo_says_so(tmp_path: Path) -> None:
    run = play(tmp_path, PATH=str(tmp_path))
    assert run.returncode == 1
    assert run.stderr == "the demo needs git, which is not on the PATH\n"
    assert list(tmp_path.iterdir()) == []
