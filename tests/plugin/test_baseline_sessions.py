"""Which recorded sessions serve as a baseline, and how those of one version add up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import History, Project

CASES = """
import os
import pytest

@pytest.mark.genai_eval
@pytest.mark.parametrize("question", [f"q{i}" for i in range(10)])
def test_answer(question, genai_case):
    genai_case.score("good", True)
"""
WORSE = CASES.replace("True", "question != 'q9'")
RENAMED = CASES.replace("for i in range(10)]", "for i in range(10)], ids=[f'row{i}' for i in range(10)]")
FAILS = CASES + "    assert question != 'q3'\n"
IS_INTERRUPTED = CASES + "    if question == 'q3': raise KeyboardInterrupt\n"
DIES = CASES + "    if question == 'q3': os._exit(9)\n"


@pytest.fixture(autouse=True)
def first(project: Project) -> None:
    """These sessions are about what is compared, not about calls."""
    project.commit("suite", **{"test_app.py": CASES})


def line(result: pytest.RunResult, word: str = "baseline ") -> str:
    return next(text for text in result.outlines if text.startswith(word))


def test_the_sessions_of_one_version_are_pooled(project: Project, history: History) -> None:
    parent = history.session(good=1.0)
    history.session(good=1.0)
    history.session(good=0.0)
    project.commit("worse", **{"test_app.py": WORSE})
    result, report = project.report("--genai-repeats", "1")
    result.stdout.fnmatch_lines([f"baseline {parent.name}, 1 commit back, *", "  parent on main; 3 sessions, *"])
    good = report["decision"]["metrics"]["good"]
    assert good["baseline"] == pytest.approx(2 / 3)
    (worst,) = (case for case in good["worst"] if case["case"].endswith("[q9]"))
    assert (worst["n_baseline"], worst["n_current"]) == (3, 1)
    assert worst["baseline"] == pytest.approx(2 / 3)
    assert report["baseline"]["sessions"] == 3


def test_a_session_on_a_dirty_tree_never_serves(project: Project, history: History) -> None:
    clean = history.session()
    project.commit("dirty soon")
    project.write("app.py", "# changed")
    assert history.session().dirty
    project.repo.git("checkout", "-q", "app.py")
    project.commit("now")
    assert line(project.run()).startswith(f"baseline {clean.name}, 2 commits back, ")


def test_a_session_that_was_cut_short_serves_only_when_named(project: Project, history: History) -> None:
    whole = history.session()
    project.commit("fails", **{"test_app.py": FAILS})
    result = project.run("-x")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["warning: this session was cut short (*: 6 of 10 cases did not run)*"])
    project.commit("interrupted", **{"test_app.py": IS_INTERRUPTED})
    result = project.pytester.runpytest_inprocess("--genai-version", no_reraise_ctrlc=True)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["warning: this session was cut short (interrupted, * of 10 cases did not run)*"])
    project.commit("dies", **{"test_app.py": DIES})
    project.subprocess("--genai-version", "-p", "no:cacheprovider")
    project.commit("now", **{"test_app.py": CASES})
    assert line(project.run()).startswith(f"baseline {whole.name}, 4 commits back, ")
    interrupted = project.repo.sha("HEAD~2")[:8]
    result = project.run("--genai-baseline", "HEAD~2")
    assert line(result).startswith(f"baseline app-{interrupted}, 2 commits back, ")
    result = project.run("--genai-baseline", "HEAD~1")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    died = project.repo.sha("HEAD~1")[:8]
    result.stderr.fnmatch_lines([f"ERROR: --genai-baseline: 'HEAD~1': version app-{died} has no recorded results; *"])


def test_a_session_of_few_of_the_cases_does_not_serve_where_an_older_one_holds_them(
    project: Project, history: History
) -> None:
    whole = history.session(cases=range(8))
    project.commit("thin")
    project.run("-k", "q0 or q1")
    project.commit("now")
    result = project.run()
    assert line(result).startswith(f"baseline {whole.name}, 2 commits back, ")
    result.stdout.fnmatch_lines(["  parent on main; 1 session, with 80% of the cases"])
    assert "warning" not in result.stdout.str()


def test_where_no_ancestor_holds_enough_the_best_covering_one_serves_and_is_said(
    project: Project, history: History
) -> None:
    history.session(cases=range(5))
    project.commit("best")
    best = history.session(cases=range(7))
    project.commit("thin")
    history.session(cases=range(2))
    project.commit("now")
    result = project.run("-q")
    assert line(result).startswith(f"baseline {best.name}, 2 commits back, ")
    assert line(result, "warning") == "warning: no ancestor holds 80% of these cases: best 70%"


def test_coverage_counts_over_all_complete_sessions_of_a_version(project: Project, history: History) -> None:
    history.session()
    project.commit("in halves")
    halves = history.session(cases=range(5))
    history.session(cases=range(5, 10))
    history.session(cases=range(3), complete=False)
    project.commit("now")
    result = project.run()
    assert line(result).startswith(f"baseline {halves.name}, 1 commit back, ")
    result.stdout.fnmatch_lines(["  parent on main; 2 sessions, with 100% of the cases"])


def test_a_whole_session_serves_behind_any_number_of_thin_ones(project: Project, history: History) -> None:
    parent = history.session()
    for _ in range(21):
        history.session(cases=range(1))
    project.commit("now")
    result, report = project.report()
    assert line(result).startswith(f"baseline {parent.name}, 1 commit back, ")
    assert report["baseline"]["coverage"] == 1.0


def test_renamed_cases_are_covered(project: Project, history: History) -> None:
    history.session()
    project.commit("renamed", **{"test_app.py": RENAMED})
    result, report = project.report()
    result.stdout.fnmatch_lines(["  parent on main; 1 session, with 100% of the cases", "10 renamed cases:"])
    renamed = {f"test_app.py::test_answer[row{i}]": f"test_app.py::test_answer[q{i}]" for i in range(10)}
    assert report["changes"]["renamed"] == renamed
    assert report["changes"]["new"] == report["changes"]["removed"] == []


def test_a_session_whose_every_value_is_missing_does_not_serve(project: Project, history: History) -> None:
    good = history.session()
    broken = "import pytest\n@pytest.fixture(autouse=True)\ndef broken(): raise ConnectionError\n"
    project.commit("provider down", **{"conftest.py": broken})
    project.run()
    (project.path / "conftest.py").unlink()
    project.commit("now")
    assert line(project.run()).startswith(f"baseline {good.name}, 2 commits back, ")


def test_results_that_are_gone_or_garbled_are_named_and_others_serve(project: Project, history: History) -> None:
    whole = history.session()
    project.commit("gone")
    history.session()
    history.session()
    gone, garbled = sorted(
        project.path.glob("mlruns/*/artifacts/genaiver/results.json"), key=lambda p: p.stat().st_mtime
    )[-2:]
    gone.unlink()
    garbled.write_text("{")
    project.commit("now")
    result = project.run("-q")
    assert result.ret == 0
    assert line(result).startswith(f"baseline {whole.name}, 2 commits back, ")
    left_out = [text for text in result.outlines if text.startswith("warning: a recorded session was left out: ")]
    assert len(left_out) == 2
    assert "is not JSON" in left_out[0]
    assert "left no genaiver/results.json in" in left_out[1]
