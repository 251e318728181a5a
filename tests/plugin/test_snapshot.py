"""What a session records of the whole app, and what it says changed since the baseline."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.adapters.snapshot import distributions
from pytest_genaiver.adapters.tracking.store import Store
from pytest_genaiver.core.snapshot import Snapshot
from pytest_genaiver.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Project

APP = """
from openai import OpenAI

PROMPT = "You are a support agent. {style}"
MODEL, TEMPERATURE = "{model}", {temperature}

def ask(question):
    messages = [{{"role": "system", "content": PROMPT}}, {{"role": "user", "content": question}}]
    with OpenAI(max_retries=0) as client:
        reply = client.chat.completions.create(model=MODEL, temperature=TEMPERATURE, messages=messages)
    return reply.choices[0].message.content
"""
SUITE = """
import pytest
from app import MODEL, ask

@pytest.mark.genai_eval
@pytest.mark.parametrize("question", ["q1", "q2"])
def test_answer(question, genai_case, genai_version):
    genai_version.log_params({"top_k": TOP_K})
    genai_case.output = ask(question)
    genai_case.score("good", genai_case.output == "good")
"""


def app(
    style: str = "Be kind.", model: str = "gpt-4o-mini", temperature: float = 0.0, top_k: int = 5
) -> dict[str, str]:
    return {
        "app.py": APP.format(style=style, model=model, temperature=temperature),
        "test_app.py": SUITE.replace("TOP_K", str(top_k)),
    }


def artifact(project: Project, run: Any, name: str) -> str:
    (path,) = project.path.glob(f"mlruns/**/{run.info.run_id}/artifacts/genaiver/{name}")
    return path.read_text(encoding="utf-8")


def snapshot(project: Project, run: Any) -> Snapshot:
    return Snapshot.from_json(json.loads(artifact(project, run, "snapshot.json")))


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The distributions that the sessions of the test find, changeable between them."""
    found = {"openai": "1.2", "pytest": "9.0"}
    monkeypatch.setattr(
        distributions,
        "installed",
        lambda: [distributions.Installed(name=name, version=version) for name, version in found.items()],
    )
    return found


def test_a_session_records_the_whole_app(project: Project) -> None:
    sha = project.commit("app", **app())
    project.repo.git("remote", "add", "origin", "https://ada:secret@example.org/app.git")
    project.run("-o", "console_output_style=classic", "-k", "q1 or q2").assert_outcomes(passed=2)
    (run,) = project.runs()
    found = snapshot(project, run)
    assert (found.commit, found.branch, found.dirty) == (sha, "main", None)
    assert found.remote == "https://example.org/app.git"
    assert found.params == {"top_k": "5"}
    assert found.models == {"gpt-4o-mini": {"temperature": "0"}}
    assert list(found.prompts) == ["system:You are a support agent. Be"]
    assert found.dependencies["mlflow"] == found.dependencies["mlflow-skinny"]
    assert found.python.startswith("3.")
    assert found.command == "pytest --genai-version -o console_output_style=classic -k 'q1 or q2'"
    assert f"mlflow=={found.dependencies['mlflow']}" in artifact(project, run, "requirements.txt").splitlines()
    assert run.data.tags["genaiver.snapshot"] == found.digest
    (model,) = project.models()
    assert model.tags["genaiver.snapshot"] == found.digest
    assert model.tags["genaiver.dependencies"] == found.dependencies_digest
    assert model.tags["genaiver.python"] == found.python
    assert model.tags["genaiver.snapshot_run"] == run.info.run_id


def test_a_clone_of_the_same_commit_gives_the_same_digest(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: dict[str, str]
) -> None:
    project.commit("app", **app())
    project.run().assert_outcomes(passed=2)
    clone = project.repo.clone(tmp_path / "elsewhere")
    monkeypatch.chdir(clone.path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{project.path / 'mlflow.db'}")
    installed["pip"] = "26.0"
    report = tmp_path / "report.json"
    project.run("-k", "q2", "--genai-report", str(report)).assert_outcomes(passed=1)
    here, there = project.runs()
    assert snapshot(project, here).digest == json.loads(report.read_text())["snapshot"]["digest"]
    assert here.data.tags["genaiver.snapshot"] == there.data.tags["genaiver.snapshot"]


def test_what_changed_since_the_baseline_is_told(project: Project, installed: dict[str, str]) -> None:
    project.commit("app", **app())
    project.run().assert_outcomes(passed=2)
    project.commit("kinder prompt", **app("Be very kind.", "gpt-4o", 0.7, 9))
    installed["openai"] = "1.3"
    result, report = project.report()
    result.stdout.fnmatch_lines(
        [
            "changed since the baseline",
            "  configuration  top_k 5 -> 9",
            "  models         gpt-4o-mini -> gpt-4o, gpt-4o temperature 0 -> 0.7",
            "  prompts        system:You are a support agent. Be *-> *",
            "  dependencies   openai 1.2 -> 1.3",
            "  1 commit       * kinder prompt",
        ]
    )
    since = report["since_baseline"]
    assert [c["subject"] for c in since["commits"]] == ["kinder prompt"]
    assert since["count"] == 1
    areas = [change["area"] for change in since["changes"]]
    assert areas == ["configuration", "model", "model", "prompt", "dependency", "code"]
    assert report["changes"]["new"] == []


def test_a_report_is_a_baseline_that_knows_its_snapshot_wherever_the_store_is(
    project: Project, empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.commit("app", **app())
    _, report = project.report()
    before = tmp_path / "before.json"
    before.write_text(json.dumps(report))
    shutil.copy(empty_store, tmp_path / "another.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'another.db'}")
    project.commit("warmer", **app(temperature=0.9))
    result = project.run(f"--genai-baseline={before}")
    result.stdout.fnmatch_lines(["changed since the baseline", "  models    gpt-4o-mini temperature 0 -> 0.9"])


def test_a_baseline_without_a_snapshot_is_no_trouble(project: Project, installed: dict[str, str]) -> None:
    project.commit("app", **app())
    project.run().assert_outcomes(passed=2)
    (path,) = project.path.glob("mlruns/**/snapshot.json")
    path.write_text("{")
    project.commit("next", **app("Be very kind."))
    result = project.run()
    result.stdout.fnmatch_lines(
        ["changed since the baseline", "  1 commit  * next", "warning: the snapshot of run *"]
    )
    path.unlink()
    project.commit("last", **app("Be kind."))
    _, report = project.report("--genai-baseline", "HEAD~2")
    assert report["since_baseline"]["changes"] is None
    assert report["since_baseline"]["count"] == 2


def test_a_first_session_has_nothing_to_tell(project: Project) -> None:
    result, report = project.report()
    result.stdout.no_fnmatch_line("*changed since*")
    assert report["since_baseline"] is None
    assert report["snapshot"]["models"] == {"gpt-4o-mini": {}}


def test_a_version_that_was_recorded_with_other_dependencies_is_told(
    project: Project, installed: dict[str, str]
) -> None:
    project.commit("app", **app())
    project.run("-k", "q1").assert_outcomes(passed=1)
    result = project.run()
    result.stdout.no_fnmatch_line("*was recorded*")
    installed["openai"] = "1.3"
    result = project.run()
    result.stdout.fnmatch_lines(["warning: this version was recorded with other dependencies: openai 1.2 -> 1.3"])
    first, _, last = project.runs()
    assert snapshot(project, last).dependencies["openai"] == "1.3"
    (model,) = project.models()
    assert model.tags["genaiver.snapshot"] == first.data.tags["genaiver.snapshot"]
    assert last.data.tags["genaiver.snapshot"] != first.data.tags["genaiver.snapshot"]


def test_every_version_of_a_session_has_a_snapshot_of_its_own(project: Project) -> None:
    suite = """
import pytest
from app import ask
from pytest_genaiver import GenaiverError

@pytest.mark.genai_eval(versions=["large", "small"])
def test_answer(genai_case, genai_version):
    genai_version.log_params({"size": genai_version.name})
    with pytest.raises(GenaiverError, match=f"of version {genai_version.name} is recorded as .* cannot become '0'"):
        genai_version.log_params({"size": 0})
    genai_case.output = ask("q1")
    genai_case.score("good", 1)
"""
    project.commit("versions", **{**app(), "test_app.py": suite})
    project.run().assert_outcomes(passed=2)
    models = {model.name: model for model in project.models()}
    runs = {run.data.tags["genaiver.version"]: run for run in project.runs()}
    for name in ("large", "small"):
        found = snapshot(project, runs[name])
        assert found.params == {"size": name}
        assert found.models == {"gpt-4o-mini": {"temperature": "0"}}
        assert models[name].params == {"size": name}
        assert models[name].tags["genaiver.snapshot"] == found.digest == runs[name].data.tags["genaiver.snapshot"]
    (own,) = models.keys() - {"large", "small"}
    assert snapshot(project, runs[own]).models == snapshot(project, runs[own]).params == {}


def test_a_parameter_of_another_session_cannot_change(project: Project) -> None:
    project.commit("app", **app())
    project.run().assert_outcomes(passed=2)
    project.write("conftest.py", "")
    suite = SUITE.replace("TOP_K", "9")
    project.repo.git("update-index", "--assume-unchanged", "test_app.py")
    project.write("test_app.py", suite)
    result = project.run("-k", "q1")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*parameter 'top_k' of version app-* is recorded as '5' and cannot become '9'*"])


def test_a_parameter_that_another_worker_wrote_meanwhile_is_written(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Store.log_params

    def after_another(store: Store, model_id: str, params: dict[str, str]) -> None:
        write(store, model_id, params)
        write(store, model_id, params)

    monkeypatch.setattr(Store, "log_params", after_another)
    project.commit("app", **app())
    project.run("-k", "q1").assert_outcomes(passed=1)
    (model,) = project.models()
    assert model.params == {"top_k": "5"}


def test_a_parameter_that_the_store_refuses_fails_its_test(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("cannot record the version's parameters: too long")

    monkeypatch.setattr(Store, "log_params", refuse)
    project.commit("app", **app())
    result = project.run("-k", "q1")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*StoreError: cannot record the version's parameters: too long"])
    (run,) = project.runs()
    assert snapshot(project, run).params == {}


@pytest.mark.story
def test_xdist_workers_add_up(project: Project) -> None:
    suite = (
        SUITE.replace("TOP_K", "5")
        + """
@pytest.mark.genai_eval
@pytest.mark.parametrize("worker", range(8))
def test_parameters(worker, genai_case, genai_version):
    genai_version.log_params({"same": "1", f"of-{worker}": worker})
    genai_case.score("ok", 1)
"""
    )
    project.commit("app", **{**app(), "test_app.py": suite})
    project.subprocess("--genai-version", "-n", "2").assert_outcomes(passed=10)
    (run,) = project.runs()
    found = snapshot(project, run)
    assert found.params == {"top_k": "5", "same": "1", **{f"of-{i}": str(i) for i in range(8)}}
    assert found.models == {"gpt-4o-mini": {"temperature": "0"}}
    assert list(found.prompts) == ["system:You are a support agent. Be"]


def test_secrets_of_the_command_are_not_stored(project: Project) -> None:
    _, report = project.report("-o", "junit_suite_name=sk-proj-0123456789abcdefghijklmnop")
    assert "0123456789" not in json.dumps(report)
    (run,) = project.runs()
    assert "0123456789" not in artifact(project, run, "snapshot.json") + artifact(project, run, "results.json")


def test_a_partial_session_calls_nothing_gone(project: Project) -> None:
    other = (
        app()["test_app.py"]
        + """
@pytest.mark.genai_eval
def test_other(genai_case):
    import app
    app.MODEL = "gpt-4o"
    try:
        genai_case.output = ask("q3")
    finally:
        app.MODEL = "gpt-4o-mini"
"""
    )
    project.commit("app", **{**app(), "test_app.py": other})
    project.run().assert_outcomes(passed=3)
    project.commit("next")
    _, report = project.report("-k", "test_answer")
    assert [change["area"] for change in report["since_baseline"]["changes"]] == ["code"]
    project.write("test_app.py", app()["test_app.py"])
    project.commit("without the other")
    _, report = project.report("--genai-baseline", "HEAD~2")
    gone, _ = report["since_baseline"]["changes"]
    assert gone == {"area": "model", "name": "gpt-4o", "before": "temperature=0", "after": None}
