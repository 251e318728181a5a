"""Two commits of the example, prompt v1 and prompt v2, stand side by side in one table."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

WITHOUT_TOXICITY = pytest.mark.skipif(
    all(find_spec(name) for name in ("evaluate", "torch", "transformers")), reason="toxicity's packages are installed"
)


@pytest.fixture
def project(examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("PYTEST_ADDOPTS", "MLFLOW_TRACKING_URI", "GITHUB_ACTIONS", "CI"):
        monkeypatch.delenv(name, raising=False)
    for name in ("compare_versions", "customer_support"):
        shutil.copytree(
            examples / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "mlruns", "*.db")
        )
    ignored = "mlflow.db*\nmlruns/\n.genaiver/\n__pycache__/\n.pytest_cache/\n"
    (tmp_path / ".gitignore").write_text(ignored, encoding="utf-8")
    git(tmp_path, "init", "-q", "-b", "main")
    return tmp_path / "compare_versions"


def git(folder: Path, *command: str) -> None:
    identity = ["-c", "user.name=Team", "-c", "user.email=team@example.org"]
    subprocess.run(["git", *identity, *command], cwd=folder, check=True)


def session(project: Path, message: str) -> tuple[str, dict[str, Any]]:
    """Commit, evaluate: what was printed and the results file."""
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", message)
    report = project.parent.with_name(f"{message}.json")
    command = [sys.executable, "-m", "pytest", "-p", "genaiver", "--genai-version", "--genai-report", str(report)]
    done = subprocess.run(
        command,
        cwd=project,
        env={**os.environ, "FAKE_LLM_SEED": "1", "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, json.loads(report.read_text(encoding="utf-8"))


@pytest.mark.story
@WITHOUT_TOXICITY
def test_two_prompts_are_compared_side_by_side(project: Path) -> None:
    first, _ = session(project, "v1")
    assert "3 passed" in first
    prompt = "You are a helpful customer support agent. Be concise and actionable.\n"
    (project / "prompts" / "system.md").write_text(prompt, encoding="utf-8")
    second, results = session(project, "v2")

    table = {line.split()[0]: line.split()[1:] for line in _table(second)}
    assert table["metric"][:3] == ["baseline", "current", "change"]
    assert table["flesch_kincaid_grade_level"][0].replace(".", "").isdigit()
    before, after = (int(cell) for cell in table["input_tokens"][:2])
    assert after < before
    assert table["toxicity"][:2] == ["-", "-"]
    assert len(re.findall(r"^latency ", second, re.MULTILINE)) == 1

    scores = [case["scores"] for case in results["cases"].values()]
    assert len(scores) == 3
    assert all(s["toxicity"] == [None] and s["latency"][0] > 0 for s in scores)
    warnings = [line for line in second.splitlines() if line.startswith("warning:")]
    assert warnings == [
        "warning: toxicity: 3 of 3 values missing: toxicity needs evaluate, torch, transformers: "
        "pip install evaluate torch transformers"
    ]


def _table(printed: str) -> list[str]:
    lines = printed.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("metric "))
    return lines[start : lines.index("", start)]
