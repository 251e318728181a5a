"""The shell steps of the examples for GitLab, Azure and Jenkins, run as they stand, with pip put in for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

pytestmark = pytest.mark.story

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```$', TEXT, re.MULTILINE | re.DOTALL))
SUITE = "import pytest\n@pytest.mark.genai_eval\ndef test_a(genai_case):\n    genai_case.score('right', True)\n"


def script(name: str) -> str:
    text = EXAMPLES[name]
    if name == "Jenkinsfile":
        # Its virtual environment would hold what is in this one.
        return re.search(r"sh '''\n(.*?)'''", text, re.DOTALL)[1].replace("python3 -m venv .venv", "")
    read = YAML(typ="safe").load(text)
    if name == ".gitlab-ci.yml":
        return "\n".join(read["evaluate"]["script"])
    return next(step["script"] for step in read["steps"] if "script" in step)


@pytest.mark.parametrize("name", [".gitlab-ci.yml", "azure-pipelines.yml", "Jenkinsfile"])
def test_the_steps_run_and_leave_the_reports(make_repo, tmp_path, monkeypatch, name) -> None:
    repo = make_repo("app")
    ignored = ".store\nreports\nmlflow.db\nmlruns\n.genaiver\n.venv\n__pycache__\n"
    repo.commit("first", **{"test_app.py": SUITE, "requirements.txt": "", ".gitignore": ignored})
    tools = repo.path / ".venv" / "bin"
    tools.mkdir(parents=True)
    (tools / "pip").write_text("#!/bin/sh\nexit 0\n")
    (tools / "pytest").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pytest -p genaiver "$@"\n')
    for tool in tools.iterdir():
        tool.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "JENKINS_HOME": str(tmp_path / "jenkins"),
    }
    environment.pop("MLFLOW_TRACKING_URI", None)
    done = subprocess.run(
        ["bash", "-e", "-c", script(name)],
        cwd=repo.path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert {"report.html", "junit.xml"} <= {file.name for file in (repo.path / "reports").iterdir()}
    assert 'name="genai_verdict"' in (repo.path / "reports" / "junit.xml").read_text()
    if name == "azure-pipelines.yml":
        assert (repo.path / ".store" / "mlflow.db").exists()
