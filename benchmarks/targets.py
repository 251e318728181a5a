"""What calling targets ahead and together saves: the same cases one by one, by `pytest -n 8`, and by MLflow's plugin.

Each case is one openai call to a loopback server that takes its time; traces go to sqlite. A session with one case is
the start-up. Aims: 160 cases at 200 ms, 32 at once, within 3 s beyond the start-up; 1,000 cases at 50 ms, 64 at once,
with every trace stored and less than 300 MB more memory.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from measure import Run, middle, time_once

if TYPE_CHECKING:
    from collections.abc import Sequence

sys.path.insert(0, str(Path(__file__).parents[1] / "examples" / "customer_support"))

BODY = """
import os, pytest
from openai import OpenAI

client = OpenAI(max_retries=0)
CASES = [f"question {i}" for i in range(int(os.environ["CASES"]))]

def ask(question):
    reply = client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": question}])
    return reply.choices[0].message.content
"""
CASE = '@pytest.mark.parametrize("question", CASES)\n'
SUITES = {
    "genaiver": f"""{BODY}
@pytest.mark.genai_eval(target=ask, data=[{{"question": question}} for question in CASES])
def test_answer(genai_case):
    genai_case.score("good", genai_case.output == "good")
""",
    "bare pytest": f"{BODY}\n{CASE}def test_answer(question):\n    assert ask(question)\n",
    "autolog": f"""{BODY}
import mlflow
mlflow.set_experiment("autolog")
mlflow.openai.autolog()

{CASE}def test_answer(question):
    assert ask(question)
""",
    "mlflow plugin": f"""{BODY}
import mlflow
from mlflow.genai.scorers import scorer

@scorer
def good(outputs):
    return outputs == "good"

@mlflow.test
{CASE}def test_answer(question):
    mlflow.genai.evaluate(data=[{{"inputs": {{"question": question}}}}], predict_fn=ask, scorers=[good])
""",
}
WITHOUT_US = ["-p", "no:genaiver"]
OPTIONS = {
    "bare pytest": WITHOUT_US,
    "autolog": [*WITHOUT_US, "-n", "8"],
    "mlflow plugin": [*WITHOUT_US, "-p", "mlflow.pytest.plugin"],
}
ALONE = [
    "-n",
    "0",
]  # the first session makes the store's tables: workers that start together would break each other's
TITLES = {
    "genaiver": "this plugin, {} calls at once",
    "bare pytest": "bare pytest, one by one, no traces",
    "autolog": "`pytest -n 8` of plain tests with `mlflow.openai.autolog()`",
    "mlflow plugin": "MLflow's plugin with `genai.evaluate` in each test",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """So many cases, `seconds` for each call, `together` at once."""

    cases: int
    seconds: float
    together: int


WORK = {
    "160": Work(cases=160, seconds=0.2, together=32),
    "1000": Work(cases=1_000, seconds=0.05, together=64),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The session with one case, the session with all, and how many of the latter's traces were stored."""

    one: Run
    all: Run
    stored: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--work", nargs="+", default=list(WORK), choices=list(WORK))
    parser.add_argument("--peers", nargs="+", default=list(SUITES), choices=list(SUITES))
    wanted = parser.parse_args()
    for name in wanted.work:
        work = WORK[name]
        found = measured(work, wanted.peers, wanted.runs)
        print(f"{work.cases:,} cases at {work.seconds * 1e3:.0f} ms: {work.cases * work.seconds:.0f} s one by one\n")
        _print(work, found)


def measured(work: Work, peers: Sequence[str], runs: int) -> dict[str, Found]:
    """Each peer in its own project, so that no store holds another's traces."""
    from fake_llm import FakeLLM

    with (
        tempfile.TemporaryDirectory() as folder,
        FakeLLM(answer=lambda messages, n: "good", latency=work.seconds) as llm,
    ):
        projects = {peer: _project(Path(folder), peer) for peer in peers}
        turns: dict[str, list[Found]] = {peer: [] for peer in peers}
        for turn in range(runs):
            for peer, project in projects.items():
                if not turn:
                    _run(project, peer, work, llm.environment, cases=1, more=ALONE)
                turns[peer].append(_found(project, peer, work, llm.environment))
    return {peer: _middle(found) for peer, found in turns.items()}


def _project(folder: Path, peer: str) -> Path:
    project = folder / peer.replace(" ", "_")
    project.mkdir()
    (project / "test_answers.py").write_text(SUITES[peer])
    (project / ".gitignore").write_text("*.db*\nmlruns\n.genaiver\n")
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "1"]):
        subprocess.run(["git", *command], cwd=project, check=True)
    return project


def _found(project: Path, peer: str, work: Work, env: dict[str, str]) -> Found:
    one = _run(project, peer, work, env, cases=1)
    before = _stored(project)
    return Found(one=one, all=_run(project, peer, work, env, cases=work.cases), stored=_stored(project) - before)


def _run(project: Path, peer: str, work: Work, env: dict[str, str], *, cases: int, more: Sequence[str] = ()) -> Run:
    ours = ["--genai-version", "--genai-concurrency", str(work.together)]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *OPTIONS.get(peer, ours), *more]
    settings = {
        **env,
        "CASES": str(cases),
        "MLFLOW_TRACKING_URI": f"sqlite:///{project / 'mlflow.db'}",
        "MLFLOW_GENAI_EVAL_PREDICT_RATE_LIMIT": "0",
        "MLFLOW_GENAI_EVAL_SCORER_RATE_LIMIT": "0",
        "PYTHONDONTWRITEBYTECODE": "",
    }
    os.environ.pop("PYTEST_ADDOPTS", None)
    return time_once(command, project, settings)


def _stored(project: Path) -> int:
    """Traces whose spans are there too: what the store holds, asked past MLflow."""
    store = project / "mlflow.db"
    if not store.exists():
        return 0
    with closing(sqlite3.connect(store)) as connection:
        counted: int = connection.execute("SELECT COUNT(DISTINCT trace_id) FROM spans").fetchone()[0]
    return counted


def _middle(found: Sequence[Found]) -> Found:
    return Found(
        one=middle([f.one for f in found]),
        all=middle([f.all for f in found]),
        stored=min(f.stored for f in found),
    )


def _print(work: Work, found: dict[str, Found]) -> None:
    print(
        "| session | one case | all cases | of ours | beyond one case | CPU beyond | memory beyond | traces stored |"
    )
    print("|---|---|---|---|---|---|---|---|")
    ours = found.get("genaiver")
    for peer, f in found.items():
        ratio = f"{f.all.wall / ours.all.wall:.1f}x" if ours else "-"
        times = f"{f.one.wall:.1f} s | {f.all.wall:.1f} s | {ratio} | {f.all.wall - f.one.wall:.1f} s"
        beyond = f"{f.all.cpu - f.one.cpu:.1f} s | {f.all.peak - f.one.peak:.0f} MB"
        print(f"| {TITLES[peer].format(work.together)} | {times} | {beyond} | {f.stored:,} |")
    print(flush=True)


if __name__ == "__main__":
    main()
