"""--genai-version-name and the ini keys that a version's identity and place follow from."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import History, Project

SUITE = """
import pytest

@pytest.mark.genai_eval
def test_answer(genai_case):
    genai_case.score("good", True)
"""


@pytest.fixture(autouse=True)
def no_calls(project: Project) -> None:
    """These sessions are about names, not about calls."""
    project.commit("suite", **{"test_app.py": SUITE})


def line(result: pytest.RunResult, word: str) -> str:
    return next(text for text in result.outlines if text.startswith(f"{word} ")).removeprefix(f"{word} ")


def test_the_command_line_beats_the_environment_beats_the_ini_file(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    ini = (project.path / "pytest.ini").read_text()
    project.commit("named", **{"pytest.ini": f"{ini}genai_version_name = from ini\n"})
    assert line(project.run(), "version") == "from-ini"
    monkeypatch.setenv("GENAI_VERSION_NAME", "from/env")
    assert line(project.run(), "version") == "from-env"
    hook = "def pytest_genai_version(config): return 'from: hook'\n"
    assert line(project.run("--genai-version-name", "rc 1.0"), "version") == "rc-1-0"
    project.commit("hook", **{"conftest.py": hook})
    assert line(project.run("--genai-version-name", "rc 1.0"), "version") == "from-hook"


def test_a_named_version_keeps_its_commit_and_may_be_a_baseline(project: Project) -> None:
    sha = project.repo.sha()
    project.run("--genai-version-name", "release candidate")
    (model,) = project.models()
    assert (model.name, model.tags["genaiver.commit"]) == ("release-candidate", sha)
    project.commit("now")
    assert line(project.run(), "baseline").startswith(f"release-candidate ({sha[:8]}), 1 commit back, ")


def test_versions_of_another_variant_are_no_baseline(project: Project) -> None:
    small, large = (("-o", f"genai_variant={name}") for name in ("small", "large/2"))
    first = project.repo.sha()[:8]
    project.run(*small)
    project.run()
    project.commit("now")
    second = project.repo.sha()[:8]
    result = project.run(*large)
    assert line(result, "version") == f"app-{second}-large-2"
    assert line(result, "baseline").startswith("none: ")
    assert line(project.run(*small), "baseline").startswith(f"app-{first}-small, 1 commit back, ")
    assert line(project.run(), "baseline").startswith(f"app-{first}, 1 commit back, ")
    result = project.run(*large, "--genai-baseline", "HEAD~1")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *'HEAD~1' is commit *, of which no session is recorded as variant large-2*"])
    # Two configurations of one commit are compared by naming one of them.
    assert line(project.run(*large, "--genai-baseline", f"app-{second}-small"), "baseline").startswith(
        f"app-{second}-small, same commit, "
    )


def test_the_experiment_is_the_app_unless_it_is_named(project: Project) -> None:
    project.run("-o", "genai_experiment=quality/nightly")
    assert project.client.get_experiment_by_name("app") is None
    assert project.client.get_experiment_by_name("quality/nightly") is not None


def test_the_environments_store_beats_the_ini_files_which_beats_the_default(
    project: Project, monkeypatch: pytest.MonkeyPatch, empty_store: Path, tmp_path: Path
) -> None:
    for name in ("ini.db", "env.db"):
        shutil.copy(empty_store, tmp_path / name)
    size = {path.name: path.stat().st_size for path in (*tmp_path.glob("*.db"), project.path / "mlflow.db")}
    ini = ("-o", f"genai_tracking_uri=sqlite:///{tmp_path / 'ini.db'}")
    first = project.run(*ini)
    first.stdout.fnmatch_lines([f"*sqlite:///{tmp_path / 'ini.db'}"])
    assert (tmp_path / "mlruns").is_dir()
    assert not (project.path / "mlruns").exists()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'env.db'}")
    second = project.run(*ini)
    second.stdout.fnmatch_lines([f"*sqlite:///{tmp_path / 'env.db'}"])
    from mlflow import MlflowClient

    for name, sessions in (("ini.db", 1), ("env.db", 1)):
        client = MlflowClient(f"sqlite:///{tmp_path / name}")
        experiment = client.get_experiment_by_name("app")
        assert experiment is not None
        assert len(client.search_runs([experiment.experiment_id])) == sessions
    assert project.client.get_experiment_by_name("app") is None
    assert size["mlflow.db"] == (project.path / "mlflow.db").stat().st_size


def test_a_subfolder_means_the_same_store_and_the_same_cases(
    project: Project, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.run()
    (project.path / "test_app.py").rename(project.path / "test_moved.py")
    project.commit(
        "moved", **{"tests/test_app.py": SUITE, "tests/pytest.ini": (project.path / "pytest.ini").read_text()}
    )
    project.run("tests")
    project.commit("now")
    monkeypatch.chdir(project.path / "tests")
    result, report = project.report()
    assert list(report["cases"]) == ["tests/test_app.py::test_answer"]
    assert line(result, "baseline").startswith(f"app-{project.repo.sha('HEAD~1')[:8]}, 1 commit back, ")
    assert report["baseline"]["coverage"] == 1.0
