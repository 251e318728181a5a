"""--genai-baseline REF: what it may name, and what is said of what cannot be used."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver import opening
from pytest_genaiver.baseline.finder import Finder
from pytest_genaiver.options.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import History, Project


SUITE = """
import pytest

@pytest.mark.genai_eval
@pytest.mark.parametrize("question", ["q0", "q1"])
def test_answer(question, genai_case):
    genai_case.score("good", True)
"""


def baseline_line(result: pytest.RunResult) -> str:
    return next(line for line in result.outlines if line.startswith("baseline "))


def finder(project: Project) -> Finder:
    """What the session looks baselines up with, for references whose session would show nothing more."""
    surveyed, place = opening.look(project.path, Settings(app="app"), {})
    opened = opening.open_store(surveyed, place, Settings(app="app"), lambda default: default)
    return Finder(store=opened.store, surveyed=surveyed, version=opened.version)


def refused(project: Project, reference: str) -> str:
    """The one sentence of the usage error; nothing was run and nothing was asked of the provider."""
    result = project.run("--genai-baseline", reference)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert project.llm.requests == 0
    assert not any(line.startswith("test_app.py") for line in result.outlines)
    (error,) = (line for line in result.errlines if line.strip())
    assert "Traceback" not in result.stdout.str()
    assert project.repo.sha() not in [run.data.tags.get("genaiver.commit") for run in project.runs()]
    return error.removeprefix("ERROR: ")


def test_none_compares_with_nothing(project: Project, history: History) -> None:
    history.session()
    project.commit("now", **{"test_app.py": SUITE})
    result = project.run("--genai-baseline", "none")
    assert result.ret == 0
    assert baseline_line(result) == "baseline none: --genai-baseline none"


def test_a_tag_names_its_commits_version_and_the_line_shows_no_other_sha(project: Project, history: History) -> None:
    old = history.session()
    project.repo.git("tag", "v1")
    project.commit("newer")
    newer = history.session()
    project.commit("now", **{"test_app.py": SUITE})
    result = project.run("--genai-baseline", "v1")
    assert baseline_line(result).startswith(f"baseline {old.name}, 2 commits back, ")
    result.stdout.fnmatch_lines([f"genaiver: 2 cases to run, * baseline {old.name}", "  named as v1; 1 session, *"])
    assert newer.name not in result.stdout.str()
    assert str(newer.commit)[:8] not in baseline_line(result)


def test_each_kind_of_reference_names_the_version(project: Project, history: History) -> None:
    old = history.session()
    sha = project.repo.sha()
    project.repo.git("branch", "release/1.0")
    project.repo.git("tag", "-a", "v1", "-m", "annotated")
    project.commit("newer")
    history.session(name="by hand/2")
    project.commit("now")
    look = finder(project)
    for reference in (sha, sha[:7], "HEAD~2", "v1", "release/1.0", old.name, str(old.model_id)):
        look.check(reference)
        assert look.find(reference, {}).facts.name == old.name, reference
    for reference in ("by-hand-2", "by hand/2", "HEAD~1"):
        assert look.find(reference, {}).facts.name == "by-hand-2", reference


def test_a_results_file_serves_whatever_the_store_holds(project: Project, tmp_path: Path, empty_store: Path) -> None:
    first = project.repo.sha()[:8]
    project.run("--genai-report", "x.json")
    (project.path / "x.json").rename(tmp_path / "x.json")
    project.commit("now", **{"x.txt": "", "results/keep": ""})
    shutil.copy(tmp_path / "x.json", project.path / "results" / "x.json")
    store = shutil.copy(empty_store, tmp_path / "other.db")
    project.answers.share(3)
    for option in (["--genai-baseline", "results/x.json"], [f"--genai-baseline={tmp_path / 'x.json'}"]):
        result = project.run(*option, "--genai-gate", "warn", "-o", f"genai_tracking_uri=sqlite:///{store}")
        assert baseline_line(result).startswith(f"baseline app-{first}, 1 commit back, ")
        result.stdout.fnmatch_lines(["regressed: good *", "  results file x.json; 1 session, with 100% of the cases"])


def test_a_path_that_misleads_pytests_search_for_its_ini_file_is_said(project: Project, tmp_path: Path) -> None:
    project.commit("suite", **{"test_app.py": SUITE})
    project.run(f"--genai-report={tmp_path / 'x.json'}")
    first = project.repo.sha()[:8]
    project.commit("now")
    result = project.run("--genai-baseline", "../x.json", "-p", "no:asyncio", "-W", "error")
    # Pytest took the file for a place of tests, and its folder for the rootdir; git's is what counts for us.
    assert f"rootdir: {tmp_path}" in result.outlines
    assert baseline_line(result).startswith(f"baseline app-{first}, 1 commit back, ")
    result.stdout.fnmatch_lines(["  results file x.json; 1 session, with 100% of the cases"])
    result.stdout.fnmatch_lines(["warning: pytest found no ini file: write --genai-baseline=../x.json"])


def test_environment_and_ini_name_it_too(project: Project, history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    old = history.session()
    project.commit("newer")
    newer = history.session()
    ini = (project.path / "pytest.ini").read_text()
    project.commit("now", **{"test_app.py": SUITE, "pytest.ini": f"{ini}genai_baseline = HEAD~2\n"})
    assert baseline_line(project.run()).startswith(f"baseline {old.name}, ")
    monkeypatch.setenv("GENAI_BASELINE", newer.name)
    assert baseline_line(project.run()).startswith(f"baseline {newer.name}, ")
    monkeypatch.setenv("GENAI_BASELINE", "nonsense")
    assert baseline_line(project.run("--genai-baseline", "none")) == "baseline none: --genai-baseline none"


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("nonsense", "'nonsense' is no git ref, commit, recorded version, model id or results file; recorded: *"),
        ("relase", "'relase' is no git ref, *; near: release"),
        ("m-" + "0" * 32, "'m-0*': no such model in the store; recorded: app-????????"),
        ("HEAD~1", "'HEAD~1' is commit ????????, of which no session is recorded; the nearest recorded *"),
        ("HEAD", "'HEAD' is the version under test itself (app-????????); name an earlier commit *"),
        ("deployed:prod", "'deployed:prod': nothing was deployed to prod; no deployment is on record (record one *"),
        ("missing.json", "there is no results file 'missing.json'; the folder '.' holds *"),
        ("garbage.json", "'garbage.json' is not JSON: *"),
        ("newer.json", "'newer.json' is not a results file: schema is 99, newer than 1, *: upgrade pytest-genaiver"),
        ("empty.json", "'empty.json' is not JSON: *"),
        ("folder.json", "'folder.json' is a folder, not a results file; *"),
        ("other.json", "'other.json' is not a results file: *"),
    ],
)
def test_a_reference_that_cannot_be_used_is_refused_before_anything_is_run(
    project: Project, history: History, reference: str, sentence: str
) -> None:
    history.session()
    project.repo.git("branch", "release")
    project.commit("not recorded")
    files: dict[str, Any] = {"garbage.json": "{", "empty.json": "", "other.json": "[]", "folder.json/x": ""}
    project.commit("now", **files, **{"newer.json": json.dumps({"schema": 99})})
    pytest.LineMatcher([refused(project, reference)]).fnmatch_lines([f"--genai-baseline: {sentence}"])


def test_a_required_baseline_that_is_not_found_is_refused_before_the_first_call(project: Project) -> None:
    result = project.run("--genai-require-baseline")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --genai-require-baseline: no baseline was found: no *"])
    assert project.llm.requests == 0
    result = project.run("--genai-require-baseline", "--genai-baseline", "none")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *--genai-require-baseline contradicts --genai-baseline 'none': drop one*"])


def test_a_required_baseline_that_is_found_is_used(project: Project, history: History) -> None:
    history.session()
    project.commit("now", **{"test_app.py": SUITE})
    assert project.run("--genai-require-baseline").ret == 0
