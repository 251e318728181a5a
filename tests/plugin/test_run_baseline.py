"""--genai-baseline run:REF: the app of another commit runs beside this one, under the tests of now."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from pytest_genaiver.adapters import environments
from pytest_genaiver.errors import DependencyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Project

T = TypeVar("T")

SLEEPER = """
import time

def ask(question):
    time.sleep({seconds})
    return "good"
"""

TARGETS = """
import pytest
from agent.core import ask

@pytest.mark.genai_eval(target=ask)
@pytest.mark.parametrize("question", [f"q{i}" for i in range(10)])
def test_answer(question, genai_case):
    genai_case.score("good", genai_case.output == "good")
"""

WORSE = """
from app_v1 import ask as ask_v1

def ask(question):
    return ask_v1("Be brief. " + question)
"""


@pytest.fixture(autouse=True)
def no_leftovers(project: Project) -> Iterator[None]:
    """Whatever happened: nothing of a twin is left, and the user's tree is as it was."""
    head = project.repo.sha()
    yield
    assert project.repo.git("worktree", "list").count("\n") == 0
    assert not list((project.path / ".genaiver").glob("environments/*"))
    assert project.repo.git("reflog", "-1", "--format=%H") in (head, project.repo.sha())


def test_on_a_laptop_uncommitted_work_that_is_slower_is_found_against_head_and_fails(project: Project) -> None:
    ini = (project.path / "pytest.ini").read_text().replace("pythonpath = .", "pythonpath = src")
    ini += "genai_metrics =\n    latency: gate=fail, tolerance=50%\n"
    files = {"src/agent/__init__.py": "", "src/agent/core.py": SLEEPER.format(seconds=0.005)}
    (project.path / "test_app.py").unlink()
    head = project.commit("sleeper", **files, **{"tests/test_agent.py": TARGETS, "pytest.ini": ini})
    project.write("src/agent/core.py", SLEEPER.format(seconds=0.04))
    result, report = project.report("--genai-baseline", "run:HEAD")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            f"genaiver: 10 cases to run, 20 runs in all; baseline app-{head[:8]}, run beside it",
            "regressed: latency (1 of 3 gated metrics)",
            f"baseline app-{head[:8]}, run now beside this version, same commit",
            "  run:HEAD, under the tests of now: tests/, pytest.ini",
            "latency * regressed",
        ]
    )
    found = report["decision"]["metrics"]["latency"]
    assert 0.004 < found["baseline"] < 0.03 < found["current"]
    assert not found["advisory"]
    assert report["baseline"]["fresh"] is True
    theirs, own = (next(r for r in project.runs() if r.info.run_name == name) for name in _names(report))
    assert theirs.data.tags["genaiver.complete"] == own.data.tags["genaiver.complete"] == "true"
    # Its tests are those of its own commit: a session like any other.
    assert "genaiver.tests_from" not in theirs.data.tags
    assert theirs.data.tags["genaiver.tree"] == project.repo.sha("HEAD^{tree}")
    repeats = report["session"]["repeats"]
    for run in (theirs, own):
        traces = project.traces(run_id=run.info.run_id)
        assert len(traces) == 10 * repeats
        assert {t.info.trace_metadata["mlflow.modelId"] for t in traces} == {run.data.tags["genaiver.model_id"]}


def _names(report: dict[str, dict[str, str]]) -> tuple[str, str]:
    return report["baseline"]["name"], report["version"]["name"]


def test_when_the_provider_got_worse_for_everybody_only_the_recorded_baseline_looks_like_a_regression(
    project: Project,
) -> None:
    project.run()
    # Tests that changed with the app: no session of that commit, so it is not mixed into those.
    suite = (project.path / "test_app.py").read_text()
    project.commit("now", **{"test_app.py": f"{suite}\n# new\n", "readme.md": "x"})
    project.answers.share(4)
    result, _ = project.report()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["regressed: good *", "baseline app-????????, 1 commit back, * old"])
    before = project.llm.requests
    result, report = project.report("--genai-baseline", "run:HEAD~1")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "pass: *",
            "baseline app-????????, run now beside this version, 1 commit back",
            "  run:HEAD~1, under the tests of now: pytest.ini, test_app.py",
            "app: 10 calls, *",
            "baseline's app: 10 calls, *",
        ]
    )
    assert project.llm.requests - before == 20
    assert (
        report["decision"]["metrics"]["good"]["baseline"] == report["decision"]["metrics"]["good"]["current"] == 0.4
    )
    theirs = next(r for r in project.runs() if "genaiver.tests_from" in r.data.tags)
    assert theirs.data.tags["genaiver.tests_from"] == project.repo.sha()
    assert theirs.data.tags["genaiver.tree"] != project.repo.sha("HEAD~1^{tree}")
    # The session that was recorded under its own tests is what serves as a baseline, as before.
    result, report = project.report("--genai-baseline", "HEAD~1")
    assert report["decision"]["metrics"]["good"]["baseline"] == 1.0


@pytest.mark.story
def test_an_app_that_answers_worse_is_found_with_as_many_values_on_both_sides_one_after_the_other(
    project: Project,
) -> None:
    app = (project.path / "app.py").read_text()
    project.commit("one", **{"app_v1.py": app})
    project.commit("two", **{"app.py": WORSE})
    asked: list[str] = []

    def rule(question: str, n: int) -> str:
        asked.append(question)
        return "bad" if "brief" in question and int(question[-1]) < 7 else "good"

    project.answers.rule = rule
    result, report = project.report("--genai-baseline", "run:HEAD~1")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["genaiver: look 2 of 3: 10 cases, *", "regressed: good *"])
    worst = report["decision"]["metrics"]["good"]["worst"]
    assert {w["n_baseline"] for w in worst} == {w["n_current"] for w in worst} == {2}
    assert len(asked) == 40
    pairs = [tuple(asked[i : i + 2]) for i in range(0, 40, 2)]
    assert all(one.removeprefix("Be brief. ") == other.removeprefix("Be brief. ") for one, other in pairs)
    assert sum(one.startswith("Be") for one, _ in pairs) == 10


def test_an_app_that_the_tests_of_now_do_not_suit_is_refused_before_the_first_call(project: Project) -> None:
    suite = (project.path / "test_app.py").read_text()
    project.commit("now", **{"tool.py": "", "test_app.py": f"import tool\n{suite}"})
    result = project.run("--genai-baseline", "run:HEAD~1")
    assert result.ret == 4
    old = project.repo.sha("HEAD~1")[:8]
    result.stderr.fnmatch_lines(
        [
            f"ERROR: --genai-baseline run:HEAD~1: the tests of now cannot be run over the app of {old}: "
            "test_app.py cannot be collected: ModuleNotFoundError: No module named 'tool'"
        ]
    )
    result.stdout.no_fnmatch_line("*genai version*")
    assert project.llm.requests == 0
    assert {run.info.status for run in project.runs()} == {"FAILED"}


def test_a_conftest_that_the_app_does_not_suit_is_told_with_its_reason(project: Project) -> None:
    project.commit("now", **{"tool.py": "", "conftest.py": "import tool"})
    result = project.run("--genai-baseline", "run:HEAD~1")
    assert result.ret == 4
    result.stderr.fnmatch_lines(
        ["ERROR: --genai-baseline run:HEAD~1 cannot be started: it ended with exit code 4; *No module named 'tool'"]
    )


@pytest.mark.story
def test_a_twin_that_dies_is_told_with_its_last_words_and_proves_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(*args: Any, **kwargs: Any) -> environments.Environment:
        return replace(environments.environment_for(*args, **kwargs), differs=("openai 1.99 (here 2.0)",))

    monkeypatch.setattr("pytest_genaiver.twin.ground.environment_for", other)
    app = (project.path / "app.py").read_text()
    dying = app.replace(
        "def ask(question):",
        'def ask(question):\n    if question == "q4":\n        os.write(1, b"dying\\n"); os._exit(7)',
    )
    project.commit("dies", **{"app.py": f"import os{dying}"})
    project.commit("mended", **{"app.py": app})
    result, report = project.report("--genai-baseline", "run:HEAD~1", "-s")
    assert result.ret == 0
    assert report["decision"]["verdict"] == "inconclusive"
    reason = "the baseline ran only 4 of its cases: it ended with exit code 7; its last output: *dying"
    pytest.LineMatcher([report["decision"]["reason"]]).fnmatch_lines([reason])
    own = "warning: --genai-baseline run:HEAD~1: it runs with its own dependencies: openai 1.99 (here 2.0)"
    result.stdout.fnmatch_lines([own])
    assert report["session"]["complete"] is True
    theirs = next(r for r in project.runs() if r.info.run_name == report["baseline"]["name"])
    assert theirs.data.tags["genaiver.complete"] == "false"


def test_dependencies_that_cannot_be_had_are_refused_with_the_option(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise DependencyError("what this commit asks for cannot be installed")

    monkeypatch.setattr("pytest_genaiver.twin.ground.environment_for", refuse)
    project.commit("now")
    result = project.run("--genai-baseline", "run:HEAD~1")
    assert result.ret == 4
    error = "ERROR: --genai-baseline run:HEAD~1: what this commit asks for cannot be installed"
    result.stderr.fnmatch_lines([error])


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        (
            "run:HEAD",
            "'run:HEAD' is the version under test itself (app-????????), and nothing is changed since; name *",
        ),
        ("run:relase", "'run:relase': 'relase' is no git ref or commit of this clone; near: release"),
        ("run:", "'run:': '' is no git ref or commit of this clone; write a branch, tag or commit, *"),
    ],
)
def test_a_ref_that_cannot_be_run_is_refused(project: Project, reference: str, sentence: str) -> None:
    project.repo.git("branch", "release")
    result = project.run("--genai-baseline", reference)
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"ERROR: --genai-baseline: {sentence}"])


def test_outside_git_there_is_nothing_to_run(project: Project) -> None:
    (project.path / ".git").rename(project.path / "no.git")
    result = project.run("--genai-baseline", "run:HEAD")
    (project.path / "no.git").rename(project.path / ".git")
    assert result.ret == 4
    result.stderr.fnmatch_lines(
        ["ERROR: --genai-baseline: 'run:HEAD' needs a git repository, and there is none here"]
    )


@pytest.mark.story
def test_under_xdist_each_worker_has_a_twin_of_its_own(project: Project) -> None:
    app = (project.path / "app.py").read_text()
    project.commit("one", **{"app_v1.py": app})
    project.commit("two", **{"app.py": WORSE})
    project.answers.rule = lambda question, n: "bad" if "brief" in question else "good"
    result = project.subprocess(
        "--genai-version", "-n2", "--genai-baseline", "run:HEAD~1", "--genai-report", "o.json"
    )
    assert result.ret == 1
    result.stdout.fnmatch_lines(["genaiver: 10 cases to run, 20 runs in all; *, run beside it", "regressed: good *"])
    report = json.loads((project.path / "o.json").read_text())
    found = report["decision"]["metrics"]["good"]
    assert (found["baseline"], found["current"], found["cases"]) == (1.0, 0.0, 10)
    assert {w["n_baseline"] for w in found["worst"]} == {w["n_current"] for w in found["worst"]}
    assert project.llm.requests == 20 * found["worst"][0]["n_current"]


LASTING = """
import os, time

def ask(question):
    with open({log!r}, "a") as log:
        log.write(f"{{os.getpid()}}\\n")
    time.sleep(60)
"""


@pytest.mark.story
def test_a_session_that_is_interrupted_takes_its_twin_along(project: Project, tmp_path: Path) -> None:
    log = tmp_path / "pids"
    project.commit("lasting", **{"app.py": LASTING.format(log=str(log))})
    project.write("app.py", "def ask(question):\n    return 'good'\n")
    command = [sys.executable, "-m", "pytest", "--genai-version", "--genai-baseline", "run:HEAD", "-q"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    ) as session:
        pid = _until(lambda: int(log.read_text()) if log.exists() and log.read_text().endswith("\n") else None)
        session.send_signal(signal.SIGINT)
        output = session.communicate(timeout=60)[0].decode()
    assert session.returncode == 2, output
    assert "this session was cut short (interrupted, " in output
    assert _until(lambda: not _is_alive(pid))


def _is_alive(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def _until(ask: Callable[[], T | None]) -> T:
    """What it gives, once it gives something."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if found := ask():
            return found
        time.sleep(0.05)
    pytest.fail("it did not happen within 60 s")
