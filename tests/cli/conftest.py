"""A project with recorded versions, made without running a test, and the command run in process."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.cli.main import code_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from conftest import Repo
    from pytest_genaiver.core.results import CaseResult, Version
    from pytest_genaiver.opening import Opened

FIRST = datetime(2026, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Recorded:
    """A git repository whose versions are in its store."""

    def __init__(self, repo: Repo) -> None:
        self.repo = repo
        self._sessions = 0

    @property
    def path(self) -> Path:
        return self.repo.path

    def commit(self, message: str = "change") -> str:
        """A commit that changes the app; returns its SHA."""
        return self.repo.commit(message, **{"app.py": f"# {message} {self._sessions}\n"})

    def session(
        self,
        scores: Mapping[str, Sequence[float | None]] | None = None,
        *,
        cases: int = 10,
        complete: bool = True,
        name: str | None = None,
        variant: str | None = None,
        verdict: str = "pass",
        files: Mapping[str, str] | None = None,
        sources: Mapping[str, str] | None = None,
        **facts: Any,
    ) -> Version:
        """One session at the commit that is checked out.

        `scores`: metric -> one value a case, or a single value for all. `files`: further files of the session, name
        -> text. `sources`: what measured a metric. `facts`: `traces` of every case, and fields of SessionFacts.
        """
        from pytest_genaiver import opening
        from pytest_genaiver.concluding import closing
        from pytest_genaiver.core.policy import policy_for
        from pytest_genaiver.core.results import SessionFacts, VersionResults

        opened = self.opened(name=name, variant=variant)
        run_id = opening.start_run(opened)
        self._sessions += 1
        started = (FIRST + timedelta(days=self._sessions)).isoformat()
        traces = facts.pop("traces", ())
        given = dict(scores or {"passed": [1.0]})
        facts = {"command": "pytest --genai-version", "verdict": verdict, **facts}
        results = VersionResults(
            version=opened.version,
            session=SessionFacts(id=run_id, run_id=run_id, started=started, complete=complete, repeats=1, **facts),
            policy=[policy_for(metric, ()) for metric in given],
            sources=dict(sources or {}),
            cases=_cases(given, cases, traces),
        )
        store = opened.store
        store.save_results(run_id, closing.results_text(results), closing.table_of(results), files)
        store.save_metrics(run_id, opened.version.model_id or "", closing.aggregates(results, None))
        tags = {"genaiver.complete": str(complete).lower(), "genaiver.verdict": verdict}
        store.end_session(run_id, tags, ok=complete)
        return opened.version

    def opened(self, *, name: str | None = None, variant: str | None = None) -> Opened:
        """The store and the version of what is checked out, recorded when it is new."""
        from pytest_genaiver import opening
        from pytest_genaiver.cli.project import settings_here

        settings = replace(settings_here()[0], version_name=name, variant=variant)
        surveyed, place = opening.look(self.path, settings, os.environ)
        return opening.open_store(surveyed, place, settings, lambda default: default)


def _cases(scores: Mapping[str, Sequence[float | None]], count: int, traces: Sequence[str]) -> dict[str, CaseResult]:
    from pytest_genaiver.core.digest import digest
    from pytest_genaiver.core.results import CaseResult

    function = "test_app.py::test_answer"
    return {
        f"{function}[q{i}]": CaseResult(
            id=f"{function}[q{i}]",
            digest=digest({"question": f"q{i}"}, {}, {})[0],
            function=function,
            scores={metric: [values[i % len(values)]] for metric, values in scores.items()},
            location="test_app.py:7",
            traces=list(traces),
        )
        for i in range(count)
    }


@pytest.fixture(autouse=True)
def mlflow_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from pytest_genaiver.adapters.traces.surroundings import prepare

    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_ID", "MLFLOW_ACTIVE_MODEL_ID", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    put_back = prepare()
    yield
    put_back()


@pytest.fixture
def recorded(make_repo: Callable[..., Repo], empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """A project of one commit, in its folder, with an empty store."""
    repo = make_repo("app")
    shutil.copy(empty_store, repo.path / "mlflow.db")
    monkeypatch.chdir(repo.path)
    ini = "[pytest]\ngenai_app = app\naddopts = -p genaiver\n"
    ignored = "mlflow.db\nmlruns\n.genaiver\n__pycache__/\n"
    repo.commit("first", **{"app.py": "# first\n", "pytest.ini": ini, ".gitignore": ignored})
    return Recorded(repo)


@pytest.fixture
def genaiver(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Runs a command in process: `genaiver("show", "HEAD", "--json")`."""

    def run(*arguments: str) -> Done:
        capsys.readouterr()
        code = code_of(list(arguments))
        out, err = capsys.readouterr()
        return Done(code, out, err)

    return run
