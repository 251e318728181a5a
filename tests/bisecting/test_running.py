"""One session of one commit; a script stands in for the interpreter, and says what it was started with."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters.environments import Environment
from pytest_genaiver.bisecting import running
from pytest_genaiver.bisecting.running import Place, check_copied, run_commit
from pytest_genaiver.errors import ConfigError, DependencyError

if TYPE_CHECKING:
    from collections.abc import Callable

SCRIPT = """#!{python}
import json, os, sys, time
said = {{"arguments": sys.argv[1:], "folder": os.getcwd(), "files": sorted(os.listdir(".")), **dict(os.environ)}}
open({said!r}, "w").write(json.dumps(said))
{body}
"""


@pytest.fixture
def place(repo) -> Place:
    return Place(
        root=repo.path,
        folder=repo.path,
        tracking_uri="sqlite:////store/mlflow.db",
        app="app",
        experiment="exp",
        variant=None,
        arguments=("tests", "-q"),
    )


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Callable[[], dict]]:
    """Makes the interpreter that runs this; what it returns reads what it was started with."""

    def make(body: str) -> Callable[[], dict]:
        said, script = tmp_path / "said.json", tmp_path / "python"
        script.write_text(SCRIPT.format(python=sys.executable, said=str(said), body=body))
        script.chmod(0o755)

        def environment(checkout: Path, project: Path, **_: object) -> Environment:
            return Environment(python=script, variables={"PYTHONPATH": f"{checkout}/src"})

        monkeypatch.setattr(running, "environment_for", environment)
        return lambda: json.loads(said.read_text())

    return make


def test_the_commits_own_tree_is_run_and_recorded_where_the_project_records(
    place: Place, repo, stand_in: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GENAI_VERSION_NAME", "mine")
    monkeypatch.setenv("OPENAI_API_KEY", "kept")
    first = repo.sha()
    repo.commit("second", **{"later.py": ""})
    read = stand_in("sys.exit(1)")
    assert run_commit(replace(place, variant="small"), first, 3, print).why is None
    said = read()
    assert said["arguments"] == [
        *("-m", "pytest", "--genai-version", f"--genai-version-name=app-{first[:8]}-small"),
        *("--genai-baseline=none", "--genai-gate=off", "--genai-repeats=3"),
        *("--override-ini=genai_app=app", "--override-ini=genai_experiment=exp"),
        *("--override-ini=genai_variant=small", "--override-ini=genai_require_baseline=false", "tests", "-q"),
    ]
    assert said["files"] == [".git", "app.py", "prompt.txt"]
    assert Path(said["folder"]) != repo.path
    assert said["MLFLOW_TRACKING_URI"] == "sqlite:////store/mlflow.db"
    assert said["PYTHONPATH"] == f"{said['folder']}/src"
    assert said["OPENAI_API_KEY"] == "kept"
    assert not {"GITHUB_ACTIONS", "GENAI_VERSION_NAME"} & said.keys()
    assert not Path(said["folder"]).exists()


def test_it_runs_in_the_folder_that_the_user_works_in(place: Place, repo, stand_in: Callable) -> None:
    first, second = repo.sha(), repo.commit("second", **{"service/app.py": ""})
    place = replace(place, folder=repo.path / "service")
    read = stand_in("")
    run_commit(place, second, 1, print)
    assert read()["folder"].endswith("/service")
    run_commit(place, first, 1, print)
    assert not read()["folder"].endswith("/service")


def test_files_of_the_users_tree_for_commits_that_lack_them(place: Place, repo, stand_in: Callable) -> None:
    repo.write("extra/deep/one.py")
    repo.write("local.env", "KEY=1")
    repo.write("app.py", "edited")
    read = stand_in("print(open('app.py').read(), os.path.exists('extra/deep/one.py')); sys.exit(5)")
    ran = run_commit(replace(place, copied=("extra", "local.env", "app.py")), "HEAD", 1, print)
    assert {"extra", "local.env"} <= {*read()["files"]}
    assert ran.tail == ("print('hello')", " True")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (2, "its session could not collect its tests"),
        (3, "its session had an internal error"),
        (4, "its session could not be started"),
        (5, "its session collected no test"),
        (77, "its session ended with exit code 77"),
    ],
)
def test_a_session_that_did_not_run_says_why(place: Place, stand_in: Callable, code: int, why: str) -> None:
    stand_in(f"print('x' * 3); [print('line', i, file=sys.stderr) for i in range(40)]; sys.exit({code})")
    ran = run_commit(place, "HEAD", 1, print)
    assert ran.why == why
    assert ran.tail[-1] == "line 39"
    assert len(ran.tail) == 15


def test_dependencies_that_cannot_be_had_are_a_reason(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> Environment:
        raise DependencyError("the dependencies of this commit differ")

    monkeypatch.setattr(running, "environment_for", refuse)
    assert run_commit(place, "HEAD", 1, print).why == "the dependencies of this commit differ"


def test_what_is_installed_for_a_commit_is_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(*_: object, say: Callable[[str], None], **__: object) -> Environment:
        say("installing x")
        raise DependencyError("no x")

    said: list[str] = []
    monkeypatch.setattr(running, "environment_for", build)
    run_commit(place, "HEAD", 1, said.append)
    assert said == ["  installing x"]


def test_a_commit_that_is_not_here_is_a_reason(place: Place) -> None:
    assert "no commit in this clone" in (run_commit(place, "f" * 40, 1, print).why or "")


@pytest.mark.parametrize("stubborn", [False, True])
def test_an_interrupted_run_leaves_no_process_and_no_work_tree(
    place: Place, repo, stand_in: Callable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stubborn: bool
) -> None:
    monkeypatch.setattr(running, "PATIENCE_SECONDS", 0.5)
    ready, deaf = (
        tmp_path / "ready",
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)" if stubborn else "",
    )
    stand_in(f"{deaf}\nopen({str(ready)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)")
    main = threading.main_thread().ident

    def interrupt() -> None:
        while not (ready.exists() and ready.read_text()):
            time.sleep(0.05)
        import signal

        signal.pthread_kill(main or 0, signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        run_commit(place, "HEAD", 1, print)
    with pytest.raises(ProcessLookupError):
        os.kill(int(ready.read_text()), 0)
    assert len(repo.git("worktree", "list").splitlines()) == 1


def test_paths_to_copy(repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.write("deep/.env")
    monkeypatch.chdir(repo.path / "deep")
    assert check_copied(repo.path, [".env", "../app.py"]) == ("deep/.env", "app.py")
    with pytest.raises(ConfigError, match="'gone' does not exist"):
        check_copied(repo.path, ["gone"])
    with pytest.raises(ConfigError, match="is not in the project"):
        check_copied(repo.path, ["../.."])
