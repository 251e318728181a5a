"""Projects as users have them: a real git repository, a real store, the real openai client over real HTTP."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import ModuleType

    from mlflow import MlflowClient
    from mlflow.entities import Trace

    from conftest import Repo
    from pytest_genaiver.core.results import CaseResult, Version

APP = """
from openai import OpenAI

def ask(question):
    messages = [{"role": "user", "content": question}]
    # Closed at once: what the garbage collector closes is a ResourceWarning in some later test.
    with OpenAI(max_retries=0) as client:
        reply = client.chat.completions.create(model="gpt-4o-mini", messages=messages)
    return reply.choices[0].message.content
"""

SUITE = """
import pytest
from app import ask

@pytest.mark.genai_eval
@pytest.mark.parametrize("question", [f"q{i}" for i in range(10)])
def test_answer(question, genai_case):
    genai_case.output = ask(question)
    genai_case.score("good", genai_case.output == "good")
"""

INI = """[pytest]
pythonpath = .
genai_app = app
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""


CERTIFICATE_ENDS = "-----END CERTIFICATE-----\n"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One certificate authority: a client reads all that it is given, 30 ms for the usual list."""
    import certifi

    first, end, _ = Path(certifi.where()).read_text(encoding="utf-8").partition(CERTIFICATE_ENDS)
    path = tmp_path_factory.mktemp("certificate") / "one.pem"
    path.write_text(first + end, encoding="utf-8")
    return path


@dataclass
class Answers:
    """What the provider answers, changeable between sessions: `good(share)` of all questions, spread evenly."""

    rule: Callable[[str, int], str] = lambda question, n: "good"
    status: Callable[[int], int | None] = lambda n: None

    def share(self, good: int, of: int = 10) -> None:
        """The first `good` of `of` questions (by the number in them) are answered well, the rest badly."""
        self.rule = lambda question, n: (
            "good" if int("0" + "".join(filter(str.isdigit, question))) % of < good else "bad"
        )


@dataclass
class Project:
    """A git repository with an app and its evaluation suite, and the store that its sessions are recorded in."""

    repo: Repo
    pytester: pytest.Pytester
    answers: Answers
    llm: Any
    arguments: list[str] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return self.repo.path

    def write(self, name: str, text: str) -> None:
        self.repo.write(name, text)

    def commit(self, message: str = "change", **files: str) -> str:
        """Commits everything but the store; the SHA."""
        return self.repo.commit(message, **files)

    def run(self, *args: str) -> pytest.RunResult:
        """`pytest --genai-version ARGS` in the project, in this process."""
        return self.plain("--genai-version", *args)

    def plain(self, *args: str) -> pytest.RunResult:
        """`pytest ARGS` in the project, in this process."""
        return self.pytester.runpytest_inprocess(*args, *self.arguments)

    def subprocess(self, *args: str) -> pytest.RunResult:
        """`python -m pytest ARGS` in a process of its own (xdist, laziness)."""
        return self.pytester.runpytest_subprocess(*args, *self.arguments)

    def report(self, *args: str) -> tuple[pytest.RunResult, dict[str, Any]]:
        """Like `run`, and the JSON report that it wrote."""
        path = self.path / ".genaiver" / "report.json"
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        result = self.run("--genai-report", str(path), *args)
        return result, json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    @property
    def client(self) -> MlflowClient:
        from mlflow import MlflowClient

        return MlflowClient(f"sqlite:///{self.path / 'mlflow.db'}")

    @property
    def experiment(self) -> str:
        found = self.client.get_experiment_by_name("app")
        assert found is not None
        return str(found.experiment_id)

    def traces(self, **search: Any) -> list[Trace]:
        return list(self.client.search_traces(locations=[self.experiment], max_results=500, **search))

    def models(self) -> Sequence[Any]:
        return list(self.client.search_logged_models([self.experiment]))

    def runs(self) -> Sequence[Any]:
        return list(self.client.search_runs([self.experiment], order_by=["attributes.start_time ASC"]))


@pytest.fixture
def project(
    make_repo: Callable[..., Repo],
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    empty_store: Path,
    fake_llm: ModuleType,
    certificate: Path,
) -> Iterator[Project]:
    """A committed project whose provider answers well; `project.run()` records a session."""
    repo = make_repo("app")
    shutil.copy(empty_store, repo.path / "mlflow.db")
    answers = Answers()
    monkeypatch.chdir(repo.path)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_ID", "MLFLOW_ACTIVE_MODEL_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    llm = fake_llm.FakeLLM(
        seed=1,
        answer=lambda messages, n: answers.rule(messages[-1]["content"], n),
        fail=lambda request: answers.status(request),  # noqa: PLW0108 - it may be replaced
    )
    with llm:
        for name, value in llm.environment.items():
            monkeypatch.setenv(name, value)
        project = Project(repo, pytester, answers, llm)
        files = {"app.py": APP, "test_app.py": SUITE, "pytest.ini": INI, ".gitignore": "mlflow.db\n__pycache__/\n"}
        project.commit("first", **files)
        yield project


@dataclass
class History:
    """Records sessions without running a test: what `pytest --genai-version` leaves of SUITE in the store."""

    project: Project

    def session(
        self,
        *,
        cases: Sequence[int] = range(10),
        good: float = 1.0,
        scores: Mapping[str, float] | None = None,
        **facts: Any,
    ) -> Version:
        """One session at the commit that is checked out, of the questions `cases`, each answered `good`.

        `scores` is metric -> value, for further ones. `facts`: `complete=False` for one that was cut short; `name`
        and `variant` of the version.
        """
        from pytest_genaiver import opening
        from pytest_genaiver.concluding import closing
        from pytest_genaiver.core.results import SessionFacts, VersionResults
        from pytest_genaiver.options.settings import Settings

        settings = Settings(app="app", version_name=facts.get("name"), variant=facts.get("variant"))
        surveyed, place = opening.look(self.project.path, settings, os.environ)
        opened = opening.open_store(surveyed, place, settings, lambda default: default)
        run_id = opening.start_run(opened)
        complete = facts.get("complete", True)
        now = datetime.now(timezone.utc).isoformat()
        session = SessionFacts(id=run_id, run_id=run_id, started=now, complete=complete, repeats=1)
        results = VersionResults(
            version=opened.version,
            session=session,
            cases=_cases(cases, {"passed": 1.0, "good": good, **(scores or {})}),
            sources={"cost": closing.price_list()},
        )
        opened.store.save_results(run_id, closing.results_text(results), closing.table_of(results))
        opened.store.end_session(run_id, {"genaiver.complete": str(complete).lower()}, ok=complete)
        return opened.version


def _cases(numbers: Sequence[int], scores: Mapping[str, float]) -> dict[str, CaseResult]:
    from pytest_genaiver.core.digest import digest
    from pytest_genaiver.core.results import CaseResult

    function = "test_app.py::test_answer"
    return {
        f"{function}[q{i}]": CaseResult(
            id=f"{function}[q{i}]",
            digest=digest({"question": f"q{i}"}, {}, {})[0],
            function=function,
            scores={metric: [value] for metric, value in scores.items()},
        )
        for i in numbers
    }


@pytest.fixture
def history(project: Project) -> History:
    """Fills the project's store with sessions at a fraction of their price."""
    return History(project)
