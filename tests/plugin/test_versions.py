"""Several versions in one session: kept apart, linked to their own model, compared side by side."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project

SUITE = """
import mlflow
import pytest
from app import ask

def target(question):
    return ask(question), mlflow.get_active_model_id()

ROWS = [{"question": f"q{i}"} for i in range(8)]

@pytest.mark.genai_eval(target=target, versions=["agent-v1", "agent-v2"], data=ROWS)
def test_target(genai_case, genai_version):
    assert genai_version.name in ("agent-v1", "agent-v2")
    assert genai_case.output[1] == genai_version.model_id == mlflow.get_active_model_id()
    genai_case.score("short", genai_version.name == "agent-v1" or genai_case.inputs["question"] == "q1")

@pytest.mark.genai_eval(versions=["agent-v1"])
def test_inline(genai_case, genai_version):
    genai_case.output = ask("q9")

@pytest.mark.genai_eval
@pytest.mark.parametrize("question", ["q1", "q2"])
def test_use(question, genai_case, genai_version):
    own = genai_version.name
    genai_case.output = ask(question)
    genai_case.score("on_topic", True)
    with genai_version.use("agent-v3"):
        assert genai_version.name == "agent-v3"
        ask(question)
        ask(question)
        genai_case.score("on_topic", False)
    assert genai_version.name == own
"""


def test_each_version_has_its_own_traces_scores_and_session(project: Project) -> None:
    project.commit("versions", **{"test_app.py": SUITE})
    result, report = project.report()
    result.assert_outcomes(passed=19)
    result.stdout.fnmatch_lines(
        [
            "version agent-v2 beside agent-v1",
            "short *1.00 *0.12 *-0.88 *regressed",
            f"version agent-v3 beside {report['version']['name']}",
            "21 cases evaluated*",
        ]
    )
    assert {name.partition("[")[0] for name in report["cases"]} == {"test_app.py::test_use"}
    assert all(case["scores"]["on_topic"] == [1.0] for case in report["cases"].values())
    versions = report["versions"]
    assert {name: len(found["cases"]) for name, found in versions.items()} == {
        "agent-v1": 9,
        "agent-v2": 8,
        "agent-v3": 2,
    }
    assert {name: found["reference"] for name, found in versions.items()} == {
        "agent-v1": None,
        "agent-v2": "agent-v1",
        "agent-v3": report["version"]["name"],
    }
    third = next(iter(versions["agent-v3"]["cases"].values()))["scores"]
    first = next(iter(report["cases"].values()))["scores"]
    assert third["on_topic"] == [0.0]
    assert third["total_tokens"] == [2 * first["total_tokens"][0]]
    assert "passed" not in third
    assert report["decision"]["verdict"] == "pass"

    names = {model.model_id: model.name for model in project.models()}
    linked = [names[trace.info.trace_metadata["mlflow.modelId"]] for trace in project.traces()]
    assert {name: linked.count(name) for name in ("agent-v1", "agent-v2", "agent-v3")} == {
        "agent-v1": 9,
        "agent-v2": 8,
        "agent-v3": 4,
    }
    on_topic = {
        names[t.info.trace_metadata["mlflow.modelId"]]: a.value
        for t in project.traces()
        for a in t.info.assessments
        if a.name == "on_topic"
    }
    assert on_topic == {report["version"]["name"]: True, "agent-v3": False}

    named = project.run("--genai-baseline", "agent-v3", "-k", "test_use")
    named.stdout.fnmatch_lines(["baseline agent-v3, *", "on_topic *0.00 *1.00 *"])


@pytest.mark.story
def test_the_same_file_runs_as_plain_tests_and_under_xdist(project: Project) -> None:
    suite = SUITE.replace(" == genai_version.model_id == mlflow.get_active_model_id()", " or True")
    project.commit("versions", **{"test_app.py": suite})
    project.plain().assert_outcomes(passed=19)
    result = project.run("-n1", "-k", "test_target or test_use")
    result.assert_outcomes(passed=18)
    result.stdout.fnmatch_lines(["version agent-v2 beside agent-v1", "short *1.00 *0.12 *regressed"])


@pytest.mark.parametrize("versions", ["[]", "'v1'", "['v1', 'v1']", "[1]"])
def test_names_that_cannot_be_used_are_refused(project: Project, versions: str) -> None:
    test = f"import pytest\n@pytest.mark.genai_eval(versions={versions})\ndef test_a(): pass\n"
    project.write("test_app.py", test)
    result = project.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    shown = versions.replace("[", "[[]")
    result.stderr.fnmatch_lines(
        [f"ERROR: *genai_eval versions={shown} cannot be used; give a list of names, each once"]
    )


def test_a_switch_is_undone_where_the_test_fails_within_it(project: Project) -> None:
    suite = """
import os, pytest
from app import ask

@pytest.mark.genai_eval
def test_fails(genai_case, genai_version):
    with genai_version.use("agent-v3"):
        ask("q1")
        raise ValueError("within")

@pytest.mark.genai_eval
def test_next(genai_case, genai_version):
    genai_case.output = ask("q1")
    assert genai_version.name != "agent-v3"
    assert os.environ["MLFLOW_ACTIVE_MODEL_ID"] == genai_version.model_id
"""
    project.commit("switch", **{"test_app.py": suite})
    assert os.environ.get("MLFLOW_ACTIVE_MODEL_ID") is None
    project.run().assert_outcomes(passed=1, failed=1)


def test_a_parameter_of_the_version_is_written_once_and_another_value_is_an_error_that_names_both(
    project: Project,
) -> None:
    suite = """
import pytest
from pytest_genaiver import GenaiverError

@pytest.mark.genai_eval
def test_params(genai_case, genai_version):
    genai_case.score("ok", 1)
    genai_version.log_params({"model": "gpt-4o-mini", "temperature": 0.7})
    genai_version.log_params({"temperature": 0.7})
    with pytest.raises(GenaiverError, match="is recorded as 'gpt-4o-mini' and cannot become 'o3'"):
        genai_version.log_params({"model": "o3"})
"""
    project.commit("params", **{"test_app.py": suite})
    project.run().assert_outcomes(passed=1)
    (model,) = project.models()
    assert model.params == {"model": "gpt-4o-mini", "temperature": "0.7"}
