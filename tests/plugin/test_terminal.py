"""What a session shows: that it fits and is plain where it must be; that plans show nothing and leave nothing."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.concluding.telling import between, folded

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import History, Project, Repo

ESCAPE = "\x1b"
SUITE = """
import pytest

@pytest.mark.genai_eval
@pytest.mark.parametrize("question", [f"q{i}" for i in range(10)])
def test_answer(question, genai_case):
    genai_case.score("good", False)
    genai_case.score("a_metric_with_a_name_that_is_longer_than_its_column", 1)
"""
HOSTILE = """
import pytest

@pytest.mark.genai_eval
@pytest.mark.parametrize("i", range(3), ids=["\\x1b[31mred", "two\\nlines", "\\u202eright"])
def test_answer(i, genai_case):
    genai_case.score("go\\u202eod", False)

@pytest.mark.genai_eval
@pytest.mark.parametrize("i", range(1), ids=["\\x1b[2Jidle"])
def test_idle(i): pass
"""


def ours(result: pytest.RunResult) -> list[str]:
    """The lines that are not pytest's own."""
    lines = result.outlines
    start = next(i for i, line in enumerate(lines) if " genai version " in line)
    end = next(i for i, line in enumerate(lines[start + 1 :], start + 1) if re.match(r"=|!|FAILED|\d+ passed", line))
    return [line for line in lines[:start] if line.startswith(("genaiver", "store"))] + lines[start + 1 : end]


@pytest.fixture
def worse(project: Project, history: History) -> Project:
    """A project whose answers have become bad."""
    for _ in range(3):
        history.session()
    project.commit("worse", **{"test_app.py": SUITE})
    return project


def test_every_line_fits_80_columns_and_each_verbosity_shows_more(
    worse: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    results = [worse.run("-q"), worse.run(), worse.run("-v")]
    quiet, plain, verbose = shown = [ours(result) for result in results]
    for lines in shown:
        assert [line for line in lines if len(line) > 80 and not line.startswith(("look: ", "warning: "))] == []
    assert [line.split(" ")[0] for line in quiet[:3]] == ["regressed:", "version", "baseline"]
    assert [line for line in quiet[3:] if not line.startswith(("good: regressed, ", "warning: "))] == []
    assert len(quiet) < len(plain) < len(verbose)
    assert "cases that got worst" in plain
    assert plain[0] == f"genaiver: version app-{worse.repo.sha()[:8]}, store mlflow.db"
    for start in ("    traces tr-", "    test_app.py:4"):
        assert not [line for line in plain if line.startswith(start)]
        assert [line for line in verbose if line.startswith(start)]


def test_the_plan_is_said_before_the_first_test(worse: Project) -> None:
    result = worse.run("--genai-repeats", "2", "--color=yes")
    plan, first = (
        next(i for i, line in enumerate(result.outlines) if line.startswith(start))
        for start in ("genaiver: 10 cases to run, 20 runs in all; baseline app-", "test_app.py ")
    )
    assert plan < first
    (headline,) = (line for line in result.outlines if "regressed: good " in line)
    assert f"{ESCAPE}[31m" in headline


def test_no_colour_is_used_where_none_is_wanted(worse: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert ESCAPE not in worse.run().stdout.str()


def test_long_names_are_folded() -> None:
    name = "an-app-with-a-name-that-nobody-types-twice-in-a-whole-long-day-12345678"
    text = f"genaiver: version {name}, store sqlite:////{'home/' * 20}mlflow.db"
    lines = folded(text, None)
    assert lines[:2] == ["genaiver: version", f"{name}, store"]
    assert max(map(len, lines)) == 80


def test_what_is_said_while_tests_run_has_a_line_of_its_own(
    pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    config = pytester.parseconfigure("-p", "no:asyncio")
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    assert reporter is not None
    reporter.write("....")  # as xdist leaves the line, of which the reporter does not know
    between("look 2 of 3: 40 cases, because go\u202eod fell", reporter)
    between("look 3 of 3", reporter)
    between("nobody listens", None)
    said = "look 2 of 3: 40 cases, because go\\u202eod fell"
    assert capsys.readouterr().out.splitlines() == ["....", said, "look 3 of 3"]


def test_a_terminal_without_unicode_gets_none(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    suite = SUITE.replace('f"q{i}"', '"caf\\u00e9 " * 30 + str(i)')
    ini = (project.path / "pytest.ini").read_text()
    option = "disable_test_id_escaping_and_forfeit_all_rights_to_community_support = true\n"
    project.commit(**{"test_app.py": suite, "pytest.ini": ini + option})
    result = project.subprocess("--genai-version", "-k", "test_answer", "--genai-min-cases", "11")
    assert result.ret == 1
    assert "".join(ours(result)).isascii()
    result.stdout.fnmatch_lines(["too few cases: 10 evaluated*"])


def test_without_a_terminal_plugin_the_verdict_stands(worse: Project) -> None:
    result = worse.run("-p", "no:terminal", "--genai-report", "out.json")
    assert result.ret == 1
    assert (worse.path / "out.json").exists()
    assert result.stdout.str().strip() == ""


def test_text_that_could_move_the_cursor_is_escaped(
    project: Project,
    make_repo: Callable[..., Repo],
    monkeypatch: pytest.MonkeyPatch,
    empty_store: Path,
) -> None:
    repo = make_repo(f"ev{ESCAPE}]0;il\u202eapp")
    ini = (project.path / "pytest.ini").read_text().replace("genai_app = app\n", "")
    files = {f"test_{ESCAPE}]0;.py": HOSTILE, "pytest.ini": ini, ".gitignore": "mlflow.db\n__pycache__/\n"}
    repo.commit(f"{ESCAPE}[31m", **files)
    shutil.copy(empty_store, repo.path / "mlflow.db")
    monkeypatch.chdir(repo.path)
    result = project.run("-v", "--color=no", "-o", "genai_metrics=go*: min=0.5", "--genai-min-cases", "9")
    assert result.ret == 1
    shown = "\n".join(ours(result))
    assert "too few cases: 3 evaluated" in shown
    assert "idle" in shown
    assert [char for char in shown if not char.isprintable() and char != "\n"] == []


@pytest.mark.parametrize(
    "flag",
    ["--co", "--setup-plan", "--fixtures", "--fixtures-per-test", "--cache-show", "--markers", "--help", "--version"],
)
def test_what_runs_no_test_records_nothing_and_leaves_nothing(project: Project, flag: str) -> None:
    (project.path / "mlflow.db").unlink()
    before = {path.name for path in project.path.iterdir()}
    result = project.run(flag, "-p", "no:cacheprovider") if flag != "--cache-show" else project.run(flag)
    assert result.ret == 0
    assert {path.name for path in project.path.iterdir()} - before <= {"__pycache__", ".pytest_cache"}
    assert project.llm.requests == 0
    assert "genaiver: version" not in result.stdout.str()
    assert " genai version " not in result.stdout.str()
