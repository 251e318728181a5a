"""What a test costs under `--genai-version`, beside `mlflow.openai.autolog()` alone and MLflow's own pytest plugin.

200 cases, one openai call each to a loopback server that answers at once, traces stored in sqlite; the same session
with 2 cases is subtracted, so that start-up does not count. Aim: at most 1.25x of autolog alone.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import Run, in_turn

sys.path.insert(0, str(Path(__file__).parents[1] / "examples" / "customer_support"))

CASES = 200
FEW = 2

BODY = """
import os, pytest
from openai import OpenAI

client = OpenAI(max_retries=0)

def ask(question):
    reply = client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": question}])
    return reply.choices[0].message.content
"""
CASE = '@pytest.mark.parametrize("i", range(int(os.environ["CASES"])))\n'
SUITES = {
    "bare pytest": f"{BODY}\n{CASE}def test_answer(i):\n    assert ask(str(i))\n",
    "autolog": f"""{BODY}
import mlflow
mlflow.set_experiment("autolog")
mlflow.openai.autolog()

{CASE}def test_answer(i):
    assert ask(str(i))
""",
    "genaiver": f"""{BODY}
@pytest.mark.genai_eval
{CASE}def test_answer(i, genai_case):
    genai_case.output = ask(str(i))
    genai_case.score("good", bool(genai_case.output))
""",
    "mlflow plugin": f"""{BODY}
import mlflow
from mlflow.genai.scorers import scorer

@scorer
def good(outputs):
    return bool(outputs)

@mlflow.test
{CASE}def test_answer(i):
    data = [{{"inputs": {{"question": str(i)}}}}]
    mlflow.genai.evaluate(data=data, predict_fn=ask, scorers=[good])
""",
}
EXTRA = {"genaiver": ["--genai-version"], "mlflow plugin": ["-p", "mlflow.pytest.plugin"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peers", nargs="+", default=list(SUITES), choices=list(SUITES))
    wanted = parser.parse_args()
    from fake_llm import FakeLLM

    with tempfile.TemporaryDirectory() as folder, FakeLLM(answer=lambda messages, n: "good") as llm:
        project = _project(Path(folder), llm.environment)
        many = _measure(project, wanted.peers, CASES, wanted.runs, llm.environment)
        few = _measure(project, wanted.peers, FEW, wanted.runs, llm.environment)
    _print({n: _each(many[n], few[n]) for n in wanted.peers}, few)


def _project(folder: Path, env: dict[str, str]) -> Path:
    for name, text in SUITES.items():
        (folder / f"test_{name.replace(' ', '_')}.py").write_text(text)
    (folder / ".gitignore").write_text("*.db*\nmlruns\n")
    for command in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "1"],
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def _measure(project: Path, peers: list[str], cases: int, runs: int, env: dict[str, str]) -> dict[str, Run]:
    commands = {
        name: [
            *[sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"test_{name.replace(' ', '_')}.py"],
            *EXTRA.get(name, ["-p", "no:genaiver"]),
        ]
        for name in peers
    }
    settings = {
        **env,
        "CASES": str(cases),
        "MLFLOW_TRACKING_URI": f"sqlite:///{project / 'mlflow.db'}",
        "MLFLOW_GENAI_EVAL_PREDICT_RATE_LIMIT": "0",
        "MLFLOW_GENAI_EVAL_SCORER_RATE_LIMIT": "0",
        "PYTHONDONTWRITEBYTECODE": "",
    }
    os.environ.pop("PYTEST_ADDOPTS", None)
    return in_turn(commands, project, settings, runs)


def _each(many: Run, few: Run) -> Run:
    return Run((many.cpu - few.cpu) / (CASES - FEW), (many.wall - few.wall) / (CASES - FEW))


def _print(each: dict[str, Run], few: dict[str, Run]) -> None:
    floor = each.get("bare pytest", Run(0.0, 0.0))
    autolog = each.get("autolog")
    print("| suite | CPU a case | wall a case | CPU above bare pytest | of autolog's | start-up, wall |")
    print("|---|---|---|---|---|---|")
    for name, run in each.items():
        ratio = f"{(run.cpu / autolog.cpu):.2f}x" if autolog else "-"
        cells = (f"{run.cpu * 1e3:.1f} ms", f"{run.wall * 1e3:.1f} ms", f"{(run.cpu - floor.cpu) * 1e3:.1f} ms")
        print(f"| {name} | {' | '.join(cells)} | {ratio} | {few[name].wall:.1f} s |")


if __name__ == "__main__":
    main()
