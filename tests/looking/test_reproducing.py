"""The commands of `genaiver show --reproduce`, run as they are printed in an empty folder a month later."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.cli.main import code_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Repo

DAY = 24 * 3600
FILES = {
    "app.py": 'def answer(question):\n    return f"About {question}: yes"\n',
    "test_app.py": """
import pytest
from app import answer

@pytest.mark.genai_eval
@pytest.mark.parametrize("question", ["refunds", "it's $HOME"])
def test_answer(question, genai_case, genai_version):
    genai_version.log_params({"temperature": 0.2})
    genai_case.score("on_topic", question in answer(question))
""",
    "pytest.ini": "[pytest]\ngenai_app = support\ngenai_code = archive\n",
    ".gitignore": "mlflow.db*\nmlruns\n.genaiver\n__pycache__\n.pytest_cache\n",
}
# What `pip install` would install is here already: it must be what the commands ask for.
CHECK = """
import sys
from importlib.metadata import version
lines = [line.strip().partition("==") for line in sys.stdin if "==" in line]
assert len(lines) > 20
wrong = [name for name, _, wanted in lines if version(name) != wanted]
assert not wrong, wrong
"""
VENV = """#!/bin/sh
mkdir -p "$3/bin"
cp "$TOOLS/python" "$TOOLS/pytest" "$3/bin"
echo "PATH=$PWD/$3/bin:\\$PATH" > "$3/bin/activate"
"""


@pytest.fixture
def shell(tmp_path: Path) -> Callable[..., str]:
    """Runs lines in an empty folder; a virtual environment that they make gives what is installed here."""
    tools, real = tmp_path / "tools", shlex.quote(sys.executable)
    check = _written(tools / "check.py", CHECK)
    _written(tools / "python", f'#!/bin/sh\n[ "$2" = pip ] && exec {real} "{check}"\nexec {real} "$@"\n')
    _written(tools / "pytest", f'#!/bin/sh\nexec {real} -m pytest "$@"\n')
    _written(tools / "bin" / f"python3.{sys.version_info.minor}", VENV)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "PYTEST_"))}
    environment |= {"MLFLOW_DISABLE_TELEMETRY": "true", "TOOLS": str(tools)}
    environment["PATH"] = f"{tools / 'bin'}:{environment['PATH']}"

    def run(lines: list[str], folder: Path) -> str:
        folder.mkdir(exist_ok=True)
        given: dict[str, Any] = {"input": "\n".join(lines), "text": True, "cwd": folder, "env": environment}
        done = subprocess.run(["bash", "-e"], capture_output=True, check=False, **given)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def _written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_a_version_of_a_month_ago_is_the_same_app_again(
    make_repo: Callable[..., Repo], shell, tmp_path, monkeypatch, capsys
) -> None:
    repo = make_repo("support")
    repo.commit("The agent of a month ago", **FILES)
    repo.write("app.py", FILES["app.py"].replace("yes", "certainly"))
    repo.git("clone", "--quiet", "--bare", str(repo.path), str(tmp_path / "hub.git"))
    repo.git("remote", "add", "origin", str(tmp_path / "hub.git"))
    session = "-m pytest --genai-version test_app.py -k 'answer and not nothing'"
    shell([f"{shlex.quote(sys.executable)} {session}"], repo.path)
    repo.git("checkout", "--quiet", "app.py")
    for day in range(30):
        repo.clock[0] += DAY
        repo.commit(f"Day {day}", **{"app.py": f"def answer(question):\n    return 'no {day}'\n"})
    repo.git("push", "--quiet", "origin", "main")

    [version] = _shown(repo.path, "history", monkeypatch, capsys)["versions"]
    assert version["dirty"]
    recorded = _shown(repo.path, f"show {version['name']}", monkeypatch, capsys)
    commands = _shown(repo.path, f"show {version['name']} --reproduce", monkeypatch, capsys)["commands"]
    printed = shell(commands, tmp_path / "elsewhere")
    assert "2 passed" in printed

    clone = tmp_path / "elsewhere" / version["name"]
    again = _shown(clone, f"show {version['name']}", monkeypatch, capsys)
    assert again["snapshot"]["digest"] == recorded["snapshot"]["digest"]
    assert recorded["snapshot"]["params"] == {"temperature": "0.2"}
    assert again["model_id"] != recorded["model_id"]

    one = _shown(repo.path, f"show {version['name']} --reproduce $HOME", monkeypatch, capsys)["commands"]
    assert "1 passed" in shell([*(line for line in one if line.startswith(". ")), *one[-2:]], clone)


def _shown(folder: Path, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.chdir(folder)
    capsys.readouterr()
    assert code_of([*command.split(), "--json"]) == 0
    return json.loads(capsys.readouterr().out)
