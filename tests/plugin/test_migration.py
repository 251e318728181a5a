"""Suites of five styles become gated evaluations by a few lines: before and after, run as their users run them."""

from __future__ import annotations

import difflib
import json
import shutil
import subprocess
import threading
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import ModuleType

pytestmark = pytest.mark.story

MIGRATION = Path(__file__).parents[2] / "examples" / "migration"
STYLES = ("plain", "mlflow_test", "pytest_evals", "langsmith", "deepeval")
MOST_CHANGED_LINES = 5
EVALS = ("--run-eval", "--run-eval-analysis")
INI = """[pytest]
pythonpath = .
genai_app = departments
asyncio_default_fixture_loop_scope = function
"""
IGNORED = "mlflow.db*\nmlruns/\n.genaiver/\n__pycache__/\n.pytest_cache/\n.deepeval/\ntest-out/\n*.json\n"


@pytest.mark.parametrize("style", STYLES)
def test_a_suite_is_converted_by_a_few_lines(style: str) -> None:
    before, after = (MIGRATION / style / which for which in ("before", "after"))
    assert [file.name for file in sorted(before.glob("*.py"))] == [file.name for file in sorted(after.glob("*.py"))]
    for file in before.glob("*.py"):
        changed = changed_lines(file.read_text(encoding="utf-8"), (after / file.name).read_text(encoding="utf-8"))
        assert changed <= MOST_CHANGED_LINES, f"{style}/{file.name}"
    assert "genai_eval" in (after / "test_departments.py").read_text(encoding="utf-8")


def changed_lines(before: str, after: str) -> int:
    """Lines that are no blank ones, added or taken out; one that was altered counts once."""
    lines = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    added, gone = (sum(line.startswith(sign) and bool(line[2:].strip()) for line in lines) for sign in "+-")
    return max(added, gone)


@dataclass
class Provider:
    """The provider's own count of calls and tokens. It answers well while the prompt asks for one word."""

    right: dict[str, str]
    tokens_of: Callable[[str], int]
    calls: int = 0
    tokens: int = 0
    lock: Any = field(default_factory=threading.Lock)

    def answer(self, messages: Sequence[dict[str, Any]], n: int) -> str:
        text = [str(message["content"]) for message in messages]
        reply = self.right[text[-1]] if "one word" in text[0] else "Somebody will help you."
        with self.lock:
            self.calls += 1
            self.tokens += sum(map(self.tokens_of, [*text, reply]))
        return reply


@dataclass
class Suite:
    """A converted suite in a git repository of its own."""

    path: Path
    pytester: pytest.Pytester
    provider: Provider
    arguments: Sequence[str]

    def commit(self, message: str) -> None:
        identity = ["-c", "user.name=Team", "-c", "user.email=team@example.org"]
        for command in (["add", "-A"], ["commit", "-q", "--allow-empty", "-m", message]):
            subprocess.run(["git", *identity, *command], cwd=self.path, check=True)

    def run(self, *flags: str) -> pytest.RunResult:
        self.provider.calls = self.provider.tokens = 0
        return self.pytester.runpytest_inprocess(*flags, *self.arguments)

    def session(self) -> tuple[pytest.RunResult, dict[str, Any]]:
        result = self.run("--genai-version", "--genai-report", "out.json")
        return result, json.loads((self.path / "out.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module", autouse=True)
def evaluate_is_imported() -> None:
    """What an inner session imports, it forgets: of MLflow's evaluation that would be seconds each time."""
    import_module("mlflow.genai.evaluation.harness")


@pytest.fixture(params=STYLES)
def style(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    package = {"plain": "pytest", "mlflow_test": "mlflow"}.get(name, name)
    if find_spec(package) is None:
        pytest.skip(f"{package.replace('_', '-')} is not installed")
    return name


@pytest.fixture
def suite(
    style: str,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    fake_llm: ModuleType,
    empty_store: Path,
) -> Iterator[Suite]:
    from fake_model import tokens

    path = pytester.path
    monkeypatch.chdir(path)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_ID", "MLFLOW_ACTIVE_MODEL_ID", "PYTEST_ADDOPTS", "CI"):
        monkeypatch.delenv(name, raising=False)
    # None of these may ask anybody on the network, nor sleep between rows.
    for name, value in {
        "LANGSMITH_TEST_TRACKING": "false",
        "LANGSMITH_TRACING": "false",
        "DEEPEVAL_TELEMETRY_OPT_OUT": "YES",
        "MLFLOW_GENAI_EVAL_PREDICT_RATE_LIMIT": "0",
        "MLFLOW_GENAI_EVAL_SCORER_RATE_LIMIT": "0",
        "MLFLOW_GENAI_EVAL_SKIP_TRACE_VALIDATION": "true",
    }.items():
        monkeypatch.setenv(name, value)
    shutil.copy(empty_store, path / "mlflow.db")
    for file in (*MIGRATION.glob("*.py"), *(MIGRATION / style / "after").glob("*.py")):
        shutil.copy(file, path)
    (path / "pytest.ini").write_text(INI, encoding="utf-8")
    (path / ".gitignore").write_text(IGNORED, encoding="utf-8")
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=path, check=True)
    provider = Provider(right=_questions(), tokens_of=tokens)
    with fake_llm.FakeLLM(seed=1, answer=provider.answer) as llm:
        for name, value in llm.environment.items():
            monkeypatch.setenv(name, value)
        arguments = {"pytest_evals": EVALS}.get(style, ("-p", "no:evals"))
        yield Suite(path, pytester, provider, ["-W", "ignore", *arguments])


def _questions() -> dict[str, str]:
    found: dict[str, Any] = {}
    exec((MIGRATION / "customers.py").read_text(encoding="utf-8"), found)
    return dict(found["QUESTIONS"])


def test_first_unchanged_and_worse_sessions_say_so_and_count_what_the_server_counted(suite: Suite) -> None:
    suite.commit("first")
    codes, headlines = [], []
    for change in (None, "unchanged", "worse"):
        if change == "worse":
            app = suite.path / "departments.py"
            app.write_text(
                app.read_text(encoding="utf-8").replace("Answer with one word", "Answer"), encoding="utf-8"
            )
        if change is not None:
            suite.commit(change)
        result, report = suite.session()
        codes.append(int(result.ret))
        headlines.append(report["decision"]["verdict"])
        tokens = [value for case in report["cases"].values() for value in case["scores"]["total_tokens"]]
        assert sum(tokens) == suite.provider.tokens
        assert len(tokens) == suite.provider.calls == 10
    assert (codes, headlines) == ([0, 0, 1], ["pass", "pass", "regressed"])


@pytest.mark.parametrize("style", ["plain"], indirect=True)
def test_another_model_is_compared_with_the_one_it_replaces(suite: Suite) -> None:
    suite.commit("first")
    suite.session()
    file = suite.path / "test_departments.py"
    file.write_text(file.read_text(encoding="utf-8").replace("gpt-4o-mini", "gpt-5-nano"), encoding="utf-8")
    suite.commit("another model")
    result, report = suite.session()
    assert result.ret == 0
    assert report["changes"]["variants"] == {"model=gpt-5-nano": "model=gpt-4o-mini"}
    assert (report["baseline"]["coverage"], report["warnings"]) == (1.0, [])
