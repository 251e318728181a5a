"""What the README shows is true: its test file, its commands, its options and its CI job work."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from typing import TYPE_CHECKING

import pytest
import yaml

from pytest_genaiver.options import settings as options
from pytest_genaiver.options.table import EVERYWHERE, INI_ONLY

if TYPE_CHECKING:
    from pathlib import Path

GIT = ["git", "-c", "user.name=team", "-c", "user.email=team@example.org"]


@pytest.fixture
def readme(examples: Path) -> str:
    return (examples.parent / "README.md").read_text(encoding="utf-8")


def blocks(readme: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", readme, re.DOTALL)


def commands(readme: str) -> list[str]:
    lines = [line for block in blocks(readme, "sh") for line in block.splitlines()]
    return [line.partition("#")[0].strip() for line in lines]


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    prefixes = ("GENAI_", "MLFLOW_", "CI", "GITHUB_", "PYTEST_", "GIT_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
    environment["FAKE_LLM_SEED"] = "1"
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture
def project(tmp_path: Path, examples: Path, readme: str) -> Path:
    """A repository with the example's app and the README's test file."""
    folder = tmp_path / "support"
    ignored = shutil.ignore_patterns("__pycache__", ".*", "*.ini", "test_*.py")
    shutil.copytree(examples / "customer_support", folder, ignore=ignored)
    (folder / "test_support.py").write_text(blocks(readme, "python")[0], encoding="utf-8")
    (folder / ".gitignore").write_text("mlflow.db\nmlruns/\n__pycache__/\n.pytest_cache/\n", encoding="utf-8")
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "first"]):
        assert run([*GIT, *arguments], folder).returncode == 0
    return folder


def test_every_command_is_one_that_the_tests_here_run(readme: str) -> None:
    assert commands(readme) == ["pip install pytest-genaiver", "pytest --genai-version", "make demo", "make test"]


@pytest.mark.story
def test_the_ten_lines_record_a_baseline_and_then_compare_with_it(project: Path) -> None:
    command = [sys.executable, "-m", "pytest", "--genai-version"]
    first = run(command, project)
    assert first.returncode == 0, first.stdout + first.stderr
    assert re.search(r"baseline +none", first.stdout)
    sha = run(["git", "rev-parse", "--short=8", "HEAD"], project).stdout.strip()
    (project / "notes.md").write_text("a change", encoding="utf-8")
    run([*GIT, "add", "."], project)
    assert run([*GIT, "commit", "-qm", "second"], project).returncode == 0
    second = run(command, project)
    assert second.returncode == 0, second.stdout + second.stderr
    assert re.search(rf"baseline +support-{sha}", second.stdout)


@pytest.mark.story
def test_a_declared_target_is_called_for_each_row_and_scored(project: Path, readme: str) -> None:
    (project / "support.jsonl").write_text(blocks(readme, "json")[0], encoding="utf-8")
    (project / "test_support.py").write_text(blocks(readme, "python")[1], encoding="utf-8")
    result = run([sys.executable, "-m", "pytest", "--genai-version"], project)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "2 cases to run" in result.stdout
    assert {"on_topic", "brief", "latency"} <= set(re.findall(r"^(\w+) .* new$", result.stdout, re.MULTILINE))


def test_the_ten_lines_are_plain_tests_without_the_flag(project: Path) -> None:
    plain = run([sys.executable, "-m", "pytest", "-p", "no:cacheprovider"], project)
    assert plain.returncode == 0, plain.stdout + plain.stderr
    assert "3 passed" in plain.stdout
    assert not (project / "mlflow.db").exists()


def test_the_options_table_lists_every_option(readme: str) -> None:
    listed = re.findall(r"^\| `(--genai-[a-z-]+)", readme, re.MULTILINE)
    assert listed == ["--genai-version", *(option.flag for option in EVERYWHERE)]


def test_the_ini_example_names_every_ini_key_and_can_be_read(readme: str, pytester: pytest.Pytester) -> None:
    (ini,) = blocks(readme, "ini")
    assert re.findall(r"^(genai_\w+)", ini, re.MULTILINE) == [option.key for option in INI_ONLY]
    pytester.makefile(".ini", pytest=ini)
    settings = options.read_settings(pytester.parseconfig(), {})
    assert settings.app == "support_agent"
    assert settings.autolog == ("openai", "langchain")
    assert settings.scorers == ("Correctness", "my_app.scorers:brief")
    assert [policy.name for policy in settings.metrics] == ["on_topic", "tone", "latency"]


def test_the_ci_job_fetches_history_keeps_the_store_and_runs_the_gate(readme: str) -> None:
    (text,) = blocks(readme, "yaml")
    (job,) = yaml.safe_load(text)["jobs"].values()
    inputs = {step["uses"].partition("@")[0]: step["with"] for step in job["steps"] if "uses" in step}
    assert inputs["actions/checkout"] == {"fetch-depth": 0}
    assert inputs["actions/cache"]["path"].split() == ["mlflow.db", "mlruns"]
    assert [step["run"] for step in job["steps"] if "run" in step][-1] == "pytest --genai-version"


def test_what_pip_installs_is_this_distribution() -> None:
    assert metadata.metadata("pytest-genaiver")["Name"] == "pytest-genaiver"


def test_the_make_targets_exist(examples: Path) -> None:
    makefile = (examples.parent / "Makefile").read_text(encoding="utf-8")
    assert {"demo", "test"} <= set(re.findall(r"^(\w+):", makefile, re.MULTILINE))


def test_files_that_the_readme_links_to_exist(readme: str, examples: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", readme) if "://" not in link]
    assert links
    assert [link for link in links if not (examples.parent / link).exists()] == []
