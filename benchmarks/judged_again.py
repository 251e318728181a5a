"""What judges cost when outputs did not change: the requests that a loopback judge gets, session after session."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import time_once

sys.path.insert(0, str(Path(__file__).parents[1] / "examples" / "customer_support"))

CASES = 40
ANSWER = '{"result": true, "rationale": "It is polite."}'
SUITE = """
import pytest
from mlflow.genai.judges import make_judge

polite = make_judge(
    name="polite", instructions="Is {{ outputs }} polite?", model="openai:/gpt-4o-mini", feedback_value_type=bool
)

def agent(question):
    return f"Thank you for asking {question}."

@pytest.mark.genai_eval(target=agent, data=[{"question": f"q{i}"} for i in range(CASES)], scorers=[polite])
def test_answer(genai_case):
    pass
""".replace("CASES", str(CASES))
IDENTITY = ["-c", "user.name=a", "-c", "user.email=a@b"]


def main() -> None:
    from fake_llm import FakeLLM

    with tempfile.TemporaryDirectory() as folder, FakeLLM(answer=lambda messages, n: ANSWER) as llm:
        project = Path(folder)
        (project / "test_answers.py").write_text(SUITE)
        (project / ".gitignore").write_text("*.db*\nmlruns\n.genaiver\n")
        _git(project, "init", "-q")
        print("| session | judge calls |\n|---|---|")
        for title, options in (
            ("the first", []),
            ("the same commit again", []),
            ("another commit, same outputs", []),
            ("the same with `--genai-rejudge`", ["--genai-rejudge"]),
        ):
            if not title.startswith("the same"):
                (project / "notes.txt").write_text(title)
                _git(project, "add", "-A")
                _git(project, *IDENTITY, "commit", "-qm", title)
            before = llm.requests
            _session(project, llm.environment, options)
            print(f"| {title} | {llm.requests - before} |", flush=True)


def _session(project: Path, env: dict[str, str], options: list[str]) -> None:
    os.environ.pop("PYTEST_ADDOPTS", None)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--genai-version", *options]
    store = {"MLFLOW_TRACKING_URI": f"sqlite:///{project / 'mlflow.db'}", "PYTHONDONTWRITEBYTECODE": ""}
    time_once(command, project, {**env, **store})


def _git(project: Path, *command: str) -> None:
    subprocess.run(["git", *command], cwd=project, check=True)


if __name__ == "__main__":
    main()
