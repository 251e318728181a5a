"""Real parts that many tests share: git repositories, independent of the machine's git configuration and of the CI
service that runs the tests; a new MLflow store; a stand-in for an LLM provider.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

CI_VARIABLES = ("GITHUB_", "CI_", "GITLAB_", "BITBUCKET_", "BUILD_", "SYSTEM_", "CHANGE_", "TF_BUILD", "JENKINS_")
FIRST_COMMIT = 1_700_000_000
EXAMPLE = Path(__file__).parents[1] / "examples" / "customer_support"
HOSTILE = Path(__file__).with_name("hostile.py")

IMPORTED_ONCE = (
    "pytest_genaiver.session",
    "pytest_genaiver.xdist",
    "openai",
    "mlflow.pyfunc",
    "mlflow.tracing.export.mlflow_v3",
    "mlflow.tracing.processor.mlflow_v3",
    "git",
    "httpcore2",
    "hypothesis",
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `evil` is run for every hostile text."""
    if "evil" in metafunc.fixturenames:
        texts = imported(HOSTILE).TEXTS
        metafunc.parametrize("evil", texts.values(), ids=list(texts))


@pytest.fixture(scope="session")
def hostile() -> dict[str, str]:
    """Texts that act on what shows them, if anything does, by name."""
    texts: dict[str, str] = imported(HOSTILE).TEXTS
    return texts


def imported(file: Path) -> ModuleType:
    """A module from its file; tests have no package that they could import it from."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def imported_once() -> None:
    """What every session imports is there before the first: pytester forgets what an inner run imported.

    Importing it anew takes three times as long as the session itself.
    """
    from pytest_genaiver.adapters.traces.autolog import Autolog

    for name in IMPORTED_ONCE:
        with contextlib.suppress(ImportError):  # the oldest releases that we run with lack some
            importlib.import_module(name)
    # Some packages of openai load their modules at first use, and keep what they found: all that is patched must
    # be there, else one session patches the classes that an earlier one imported.
    autolog = Autolog(["openai"])
    autolog.enable()
    autolog.disable()
    gc.freeze()


@pytest.fixture
def pytester(imported_once: None, pytester: pytest.Pytester) -> pytest.Pytester:
    """As always, but for what its inner runs must not be the first to import."""
    return pytester


def pytest_collection_finish() -> None:
    """What is imported stays: a collection that looks through all of MLflow takes most of a second, many times."""
    gc.freeze()


@dataclass
class Repo:
    """A repository whose commits have fixed authors and rising dates, so that its SHAs never change."""

    path: Path
    clock: list[int] = field(default_factory=lambda: [FIRST_COMMIT])

    def git(self, *arguments: str) -> str:
        """Runs git there and returns what it prints; a failure is an error of the test."""
        date = f"{self.clock[0]} +0000"
        return subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *arguments],
            cwd=self.path,
            env={**os.environ, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date},
            check=True,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
        ).stdout.strip()

    def write(self, name: str, content: str | bytes = "") -> Path:
        """A file in the work tree, its folders made."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def commit(self, message: str, **files: str) -> str:
        """Commits everything in the work tree, perhaps nothing; the SHA."""
        for name, content in files.items():
            self.write(name, content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        self.clock[0] += 60
        return self.sha()

    def merge(self, *branches: str, message: str = "merge") -> str:
        """Merges the branches into HEAD with a merge commit; its SHA."""
        self.git("merge", "--quiet", "--no-ff", "--message", message, *branches)
        self.clock[0] += 60
        return self.sha()

    def sha(self, ref: str = "HEAD") -> str:
        return self.git("rev-parse", ref)

    def clone(self, to: Path, *flags: str) -> Repo:
        """A clone over the file protocol, so that `--depth` counts."""
        to.parent.mkdir(parents=True, exist_ok=True)
        self.git("clone", "--quiet", *flags, self.path.as_uri(), str(to))
        return Repo(to, self.clock)


@pytest.fixture(autouse=True)
def plain_git(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("GIT_", *CI_VARIABLES)) or name == "BRANCH_NAME":
            monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@example.com")


@pytest.fixture
def make_repo(tmp_path: Path) -> Callable[..., Repo]:
    """Makes an empty repository in a folder of that name, on the branch main."""

    def make(name: str = "support-agent") -> Repo:
        path = tmp_path / name
        path.mkdir(parents=True)
        made = Repo(path)
        made.git("init", "--quiet", "--initial-branch=main")
        return made

    return make


@pytest.fixture
def repo(make_repo: Callable[..., Repo]) -> Repo:
    """A repository with one commit of app.py and prompt.txt on main."""
    made = make_repo()
    made.write("app.py", "print('hello')\n")
    made.write("prompt.txt", "You are kind.\n")
    made.commit("first")
    return made


@pytest.fixture(scope="session")
def fake_llm() -> Iterator[ModuleType]:
    """The example's stand-in for a provider, imported from where users find it."""
    sys.path.insert(0, str(EXAMPLE))
    try:
        yield imported(EXAMPLE / "fake_llm.py")
    finally:
        sys.path.remove(str(EXAMPLE))


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sqlite store with MLflow's schema: making one takes seconds, copying it does not."""
    from mlflow import MlflowClient
    from sqlalchemy import Engine, event

    event.listen(Engine, "connect", _commit_to_memory)
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments(max_results=1)
    gc.freeze()
    return path


def _commit_to_memory(connection: object, _: object) -> None:
    # No test pulls the plug: what a store commits need not have reached the disk, which takes most of its time.
    # What is no database says so by itself: MLflow would try a listener that fails for minutes.
    if isinstance(connection, sqlite3.Connection):
        with contextlib.suppress(sqlite3.DatabaseError):
            connection.execute("PRAGMA synchronous = OFF")


@pytest.fixture(scope="session")
def server(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of a real `mlflow server`."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(empty_store, folder / "mlflow.db")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}", "--artifacts-destination", str(folder)]
    environment = {n: v for n, v in os.environ.items() if not n.startswith(("MLFLOW_", "COVERAGE_", "COV_"))}
    environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            _await(f"http://127.0.0.1:{port}/health", process, folder / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"no mlflow server: {log.read_text(encoding='utf-8')}")
