"""What a baseline's pool is made of, and what is said of the bar, of earlier verdicts and of accepted regressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Project


def test_the_pool_reaches_back_over_unchanged_ancestors_until_one_that_changed(project: Project) -> None:
    project.answers.share(5)
    project.run("--genai-repeats", "3")
    project.commit("better")
    project.answers.share(10)
    project.run("--genai-repeats", "3").stdout.fnmatch_lines(["improved: *"])
    for _ in range(2):
        project.commit("unchanged")
        project.run().stdout.fnmatch_lines(["pass: *"])
    project.commit("last")
    result, report = project.report()
    result.stdout.fnmatch_lines(["  parent on main; 1 session and 2 of unchanged ancestors, with 100% of the cases"])
    assert report["baseline"]["sessions"] == 1
    assert report["baseline"]["ancestors"] == 2
    assert report["decision"]["metrics"]["good"]["baseline"] == 1.0


def test_a_lower_bar_is_said_and_proves_nothing_under_the_strict_gate(project: Project) -> None:
    ini = (project.path / "pytest.ini").read_text()
    project.commit(**{"pytest.ini": f"{ini}genai_metrics =\n    good: higher, tolerance=0.02, min=0.9\n"})
    project.run()
    project.commit(**{"pytest.ini": f"{ini}genai_metrics =\n    good: higher, tolerance=0.3, gate=warn\n"})
    result = project.run("--genai-gate", "strict")
    assert result.ret == 1
    result.stdout.fnmatch_lines_random(
        [
            "inconclusive: *",
            "warning: the bar is lower than the baseline's: good: gate fail -> warn",
            "warning: the bar is lower than the baseline's: good: tolerance 0.02 -> 0.3",
            "warning: the bar is lower than the baseline's: good: min 0.9 -> none",
        ]
    )
    project.run("--genai-gate", "fail").assert_outcomes(passed=10)


def test_a_regression_is_accepted_in_the_open_by_a_commit_trailer(project: Project) -> None:
    for _ in range(3):
        project.run()
    project.answers.share(3)
    project.commit("shorter answers\n\nGenAI-Accept: good answers are shorter by design\nGenAI-Accept: passed\n")
    result, report = project.report()
    assert result.ret == 0
    result.stdout.fnmatch_lines_random(
        [
            "warning: a regression of good is accepted: answers are shorter by design",
            "warning: GenAI-Accept: 'passed' names no reason and does not count; *",
        ]
    )
    assert report["decision"]["metrics"]["good"]["verdict"] == "regressed"
    assert report["session"]["accepted"] == ["good"]
    project.commit("nothing new")
    _, report = project.report()
    metrics = report["decision"]["metrics"]
    assert (metrics["good"]["baseline"], metrics["passed"]["verdict"]) == (0.3, "pass")
    assert report["baseline"]["ancestors"] == 3


def test_a_pass_after_a_regression_of_the_same_version_says_so(project: Project) -> None:
    for _ in range(3):
        project.run()
    project.commit("change")
    project.answers.share(3)
    assert project.run().ret == 1
    project.answers.share(10)
    result = project.run()
    result.stdout.fnmatch_lines(
        [
            "judged before: regressed",
            "warning: this version was found regressed before: a pass after it may be luck, not a mended version",
        ]
    )


def test_population_inference_needs_several_test_functions(project: Project) -> None:
    ini = (project.path / "pytest.ini").read_text()
    project.commit(**{"pytest.ini": f"{ini}genai_inference = population\n"})
    project.run()
    project.commit("change")
    project.answers.share(9)
    _, report = project.report("--genai-repeats", "1")
    assert report["decision"]["metrics"]["good"]["verdict"] == "inconclusive"
    assert "6" in report["decision"]["metrics"]["good"]["reason"]
