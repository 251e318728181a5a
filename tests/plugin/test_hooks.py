"""Each hook, implemented in a conftest.py as the documentation shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project


def test_each_hook_is_asked_and_told(project: Project) -> None:
    project.run()
    conftest = """
from dataclasses import replace
from pytest_genaiver import MetricPolicy

def pytest_genai_version(config):
    return "my/app: 2"

def pytest_genai_baseline(config, version):
    assert version.name == "my-app-2", version
    return "HEAD~1"

def pytest_genai_metrics(config):
    return ["good: higher, min=0.95", MetricPolicy("latency", gate="off")]

def pytest_genai_case_scored(item, case):
    with open("scored.txt", "a") as out:
        print(item.name, case.scores["good"], file=out)

def pytest_genai_decide(config, comparison, decision):
    assert len(comparison.pairs) == 10
    return replace(decision, verdict="inconclusive", reason="a hook says so")

def pytest_genai_report(config, comparison, decision):
    with open("told.txt", "w") as out:
        print(decision.verdict, comparison.baseline.version.name, file=out)
"""
    first = project.repo.sha()[:8]
    project.commit(**{"conftest.py": conftest, ".gitignore": "mlflow.db\n__pycache__/\n*.txt\n.genaiver/\n"})
    result, report = project.report("--genai-gate", "strict")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["version my-app-2", f"baseline app-{first}, *"])
    assert report["decision"]["verdict"] == "inconclusive"
    assert {p["name"]: p["gate"] for p in report["policy"]}["latency"] == "off"
    assert {p["name"]: p["min"] for p in report["policy"]}["good"] == 0.95
    assert len((project.path / "scored.txt").read_text().splitlines()) == 10
    assert (project.path / "told.txt").read_text().split() == ["inconclusive", f"app-{first}"]


def test_errors_of_hooks_that_are_told_are_warnings_and_change_no_verdict(project: Project) -> None:
    conftest = "def pytest_genai_case_scored(item, case): 1/0\ndef pytest_genai_report(config): 1/0\n"
    ini = (project.path / "pytest.ini").read_text().replace("filterwarnings = error\n", "")
    project.commit(**{"conftest.py": conftest, "pytest.ini": ini})
    result = project.run()
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*pytest_genai_case_scored failed: ZeroDivisionError*", "pass: first session*"])
    result.stdout.fnmatch_lines(["*pytest_genai_report failed: ZeroDivisionError*"])


@pytest.mark.parametrize(
    ("hook", "message"),
    [
        ("pytest_genai_version(config): return 3", "*pytest_genai_version returned 3*"),
        ("pytest_genai_baseline(config, version): return 3", "*pytest_genai_baseline returned 3*"),
        ("pytest_genai_metrics(config): return ['good: hihger']", "*'hihger' is not a known setting*"),
    ],
)
def test_a_hook_that_returns_what_it_may_not_is_a_usage_error(project: Project, hook: str, message: str) -> None:
    project.commit(**{"conftest.py": f"def {hook}\n"})
    result = project.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])


def test_a_hook_may_say_that_there_is_no_baseline_or_hand_one_over(project: Project) -> None:
    project.run()
    conftest = "from pytest_genaiver import NO_BASELINE\ndef pytest_genai_baseline(config): return NO_BASELINE\n"
    project.commit(**{"conftest.py": conftest})
    project.run().stdout.fnmatch_lines(["baseline none: *"])
    conftest = """
import json
from pytest_genaiver import VersionResults

def pytest_genai_baseline(config):
    with open(".genaiver/report.json") as text:
        return VersionResults.from_json(json.load(text))
"""
    project.report()
    project.commit(**{"conftest.py": conftest})
    project.run().stdout.fnmatch_lines(["baseline app-*"])
