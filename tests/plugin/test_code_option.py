"""`genai_code`: what of the code is kept with the version."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters.snapshot.packed import unpack
from pytest_genaiver.adapters.tracking import model_files, servable
from pytest_genaiver.adapters.tracking.place import place_of
from pytest_genaiver.adapters.tracking.store import Store
from pytest_genaiver.concluding import code

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Project

ARCHIVE = ("-o", "genai_code=archive")
SECRET = "OPENAI_API_KEY=sk-0123456789"


def store(project: Project) -> Store:
    return Store(place_of(f"sqlite:///{project.path / 'mlflow.db'}", project.path))


def kept(project: Project, name: str) -> bytes | None:
    (model,) = project.models()
    return model_files.read(store(project), model.model_id, name)


def test_a_link_keeps_no_file(project: Project) -> None:
    project.run("-k", "q1").assert_outcomes(passed=1)
    assert kept(project, model_files.CODE) is None
    (model,) = project.models()
    assert code.TAG not in model.tags


def test_an_archive_holds_the_commit_and_the_patch_and_no_ignored_file(project: Project, tmp_path: Path) -> None:
    project.commit("ignore", **{".gitignore": "mlflow.db\n__pycache__/\n.env\n"})
    project.write(".env", SECRET)
    project.write("notes.txt", "untracked")
    project.write("app.py", (project.path / "app.py").read_text() + "\n# dirty\n")
    project.run("-k", "q1", *ARCHIVE).assert_outcomes(passed=1)
    archive = tmp_path / "code.tar.gz"
    archive.write_bytes(kept(project, model_files.CODE) or b"")
    unpack(archive, tmp_path / "code")
    names = {path.name for path in (tmp_path / "code").iterdir()}
    assert names == {"app.py", "test_app.py", "pytest.ini", ".gitignore"}
    subprocess.run(["git", "apply"], cwd=tmp_path / "code", input=kept(project, model_files.PATCH), check=True)
    assert (tmp_path / "code/app.py").read_text() == (project.path / "app.py").read_text()
    about = json.loads(kept(project, model_files.ABOUT_CODE) or b"")
    assert about == {"commit": project.repo.sha(), "submodules": {}, "untracked": ["notes.txt"], "patch": True}
    for path in project.path.glob("mlruns/**/*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes()


def test_a_version_is_archived_once_and_found_where_the_store_was_moved(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.run("-k", "q1", *ARCHIVE).assert_outcomes(passed=1)
    first = kept(project, model_files.CODE)
    assert kept(project, model_files.PATCH) is None
    with monkeypatch.context() as patched:
        patched.setattr(code, "packed", lambda checkout: pytest.fail("archived again"))
        project.run("-k", "q1", *ARCHIVE).assert_outcomes(passed=1)
    moved = tmp_path / "moved"
    moved.mkdir()
    shutil.copy(project.path / "mlflow.db", moved)
    shutil.move(project.path / "mlruns", moved)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{moved / 'mlflow.db'}")
    there = Store(place_of(f"sqlite:///{moved / 'mlflow.db'}", moved))
    (model,) = project.models()
    assert model_files.read(there, model.model_id, model_files.CODE) == first
    project.commit("next")
    project.run("-k", "q1", *ARCHIVE).assert_outcomes(passed=1)
    assert len(list(moved.glob("mlruns/**/code.tar.gz"))) == 2
    assert not (project.path / "mlruns").exists()


def test_code_that_is_too_large_is_told_and_the_session_goes_on(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = code.packed
    monkeypatch.setattr(code, "packed", lambda checkout: packed(checkout, 1_000_000))
    project.write("weights.bin", b"\0" * 2_000_000)
    project.write("small.bin", b"\0" * 100_000)
    project.commit("weights")
    result = project.run("-k", "q1", *ARCHIVE)
    result.assert_outcomes(passed=1)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "warning: genai_code = archive: the code is 2.1 MB, more than 1.0 MB, and is not archived; "
            "the largest: weights.bin (2.0 MB), small.bin (0.1 MB), *"
        ]
    )
    assert kept(project, model_files.CODE) is None


def test_outside_a_commit_nothing_is_archived(project: Project) -> None:
    shutil.rmtree(project.path / ".git")
    result = project.run("-k", "q1", *ARCHIVE)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["warning: genai_code = archive: there is no commit whose files could be archived"])


def test_of_a_submodule_the_commit_is_noted(project: Project, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    project.repo.clone(inner)
    project.repo.git("submodule", "--quiet", "add", str(inner), "vendored")
    project.commit("submodule")
    project.run("-k", "q1", *ARCHIVE, "--ignore=vendored").assert_outcomes(passed=1)
    about = json.loads(kept(project, model_files.ABOUT_CODE) or b"")
    assert about["submodules"] == {"vendored": project.repo.sha("HEAD~1")}
    archive = tmp_path / "code.tar.gz"
    archive.write_bytes(kept(project, model_files.CODE) or b"")
    with tarfile.open(archive) as found:
        assert ".gitmodules" in found.getnames()
        assert not [name for name in found.getnames() if name.startswith("vendored")]


def test_a_store_that_refuses_loses_the_archive_and_nothing_else(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("not here")

    monkeypatch.setattr(model_files.shutil, "copytree", refuse)
    result = project.run("-k", "q1", *ARCHIVE)
    result.assert_outcomes(passed=1)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["warning: genai_code = archive: cannot store the version's files: *not here*"])


def test_a_bad_value_is_one_sentence(project: Project) -> None:
    result = project.run("-o", "genai_code=zip")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: -o genai_code: 'zip' cannot be used; allowed: link, archive, model:PATH"])


MODEL = """
import mlflow
from answers.core import answer

class Support(mlflow.pyfunc.PythonModel):
    def predict(self, model_input: list[str]) -> list[str]:
        return [answer(question) for question in model_input]

mlflow.models.set_model(Support())
"""
CORE = """
from pathlib import Path

GREETING = Path(__file__).with_name("greeting.txt").read_text()

def answer(question):
    return GREETING + question
"""
LOAD_AND_SERVE = """
import sys, mlflow
from fastapi.testclient import TestClient
from mlflow.pyfunc import scoring_server
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/" + sys.argv[2])
print(model.predict(["Ada"]))
print(TestClient(scoring_server.init(model)).post("/invocations", json={"inputs": ["Eve"]}).text)
"""


@pytest.mark.story
def test_a_version_may_be_a_model_that_is_loaded_elsewhere_and_served(project: Project, tmp_path: Path) -> None:
    package = {"__init__.py": "", "core.py": CORE, "greeting.txt": "Hello ", "unused.py": ""}
    files = {f"src/answers/{name}": text for name, text in package.items()}
    project.commit("model", **{"serving/model.py": MODEL, ".gitignore": "mlflow.db\n__pycache__/\n.env\n", **files})
    project.write("src/answers/.env", SECRET)
    options = ("-o", "genai_code=model:serving/model.py", "-o", "pythonpath=. src")
    project.run("-k", "q1", *options).assert_outcomes(passed=1)
    (model,) = project.models()
    assert model.tags[code.TAG] == "model"
    assert "mlflow.model.isExternal" not in model.tags
    (found,) = project.path.glob(f"mlruns/models/{model.model_id}/**/code/answers")
    assert {path.name for path in found.iterdir()} == {*package}
    assert [path.name for path in found.parent.iterdir()] == ["answers"]
    (found / "test_app.py").write_text("def test_of_a_recorded_version(): assert False")
    project.plain("--doctest-modules", "-q", "--co").stdout.no_fnmatch_line("*mlruns*")
    # By a process that knows nothing of the project.
    uri = f"sqlite:///{project.path / 'mlflow.db'}"
    script = [sys.executable, "-c", LOAD_AND_SERVE, uri, model.model_id]
    done = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["['Hello Ada']", '{"predictions": ["Hello Eve"]}'], done.stderr
    # Once.
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(code, "Building", lambda *_, **__: pytest.fail("built again"))
        project.run("-k", "q1", *options).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import sys\nimport mlflow\nsys.exit(3)\nmlflow.models.set_model(1)", "gives no model: SystemExit: 3"),
        ("import os\nos._exit(3)\nset_model(1)", "gave no model: exit status 3"),
    ],
)
def test_a_file_that_gives_no_model_is_refused_before_the_first_test(project: Project, text: str, why: str) -> None:
    project.commit("model", **{"model.py": text})
    requests = project.llm.requests
    result = project.run("-o", "genai_code=model:model.py")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: genai_code: '*model.py' {why}"])
    assert project.llm.requests == requests


def test_a_file_that_takes_too_long_is_refused(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servable, "PATIENCE", 0.1)
    project.commit("model", **{"model.py": "import time\ntime.sleep(60)\nset_model(1)"})
    result = project.run("-o", "genai_code=model:model.py")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: genai_code: '*model.py' gave no model within 0 seconds"])


def test_outside_git_a_model_has_what_it_imports(project: Project) -> None:
    shutil.rmtree(project.path / ".git")
    project.write("model.py", MODEL.replace("answers.core import answer", "core import answer"))
    project.write("core.py", "def answer(question):\n    return question\n")
    project.run("-k", "q1", "-o", "genai_code=model:model.py").assert_outcomes(passed=1)
    (model,) = project.models()
    (found,) = project.path.glob(f"mlruns/models/{model.model_id}/**/code")
    assert [path.name for path in found.iterdir()] == ["core.py"]
