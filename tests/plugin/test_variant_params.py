"""Parameters that belong to the app: the same case is known again when they change."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Project

SUITE = """
import pytest
from app import ask

MODELS = ["small"]

@pytest.mark.genai_eval(variant_params=("model",))
@pytest.mark.parametrize("question", [f"q{i}" for i in range(6)])
@pytest.mark.parametrize("model", MODELS)
def test_answer(model, question, genai_case):
    assert genai_case.id == f"test_app.py::test_answer[{question}]"
    assert genai_case.inputs["model"] == model
    genai_case.output = ask(f"{model} {question}")
    genai_case.score("good", genai_case.output == "good")
"""


def suite(project: Project, *models: str) -> None:
    project.commit(**{"test_app.py": SUITE.replace('["small"]', repr(list(models)))})


def good(report: dict[str, Any]) -> dict[str, float]:
    return {name.partition("::")[2]: case["scores"]["good"][0] for name, case in report["cases"].items()}


def test_a_changed_model_is_compared_with_the_one_it_replaces(project: Project) -> None:
    suite(project, "small")
    for _ in range(3):
        project.run()
    suite(project, "tiny")
    project.answers.rule = lambda question, n: "bad" if question.startswith("tiny") else "good"
    result, report = project.report()
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["regressed: good *", "variant model=tiny is compared with variant model=small, which*"]
    )
    result.stdout.fnmatch_lines(["*6 cases evaluated, 6 compared*"])
    assert set(report["cases"]) == {f"test_app.py::test_answer[q{i}]" for i in range(6)}
    case = report["cases"]["test_app.py::test_answer[q1]"]
    assert case["variant"] == {"model": "tiny"}
    assert report["changes"] == {
        "new": [],
        "removed": [],
        "changed": [],
        "renamed": {},
        "variants": {"model=tiny": "model=small"},
    }
    traces = {t.info.tags["mlflow.test.name"]: t for t in project.traces(run_id=report["session"]["run_id"])}
    trace = traces["test_app.py::test_answer[tiny-q1]"]
    assert trace.info.tags["mlflow.test.case_id"] == "tiny-q1"
    key = hashlib.sha256(f"test_app.py::test_answer[q1]\0{case['digest']}\0".encode() + b"0").hexdigest()[:32]
    assert key in {t.info.tags["mlflow.eval.requestId"] for t in project.traces(run_id=report["session"]["run_id"])}


def test_several_variants_are_kept_apart_and_each_meets_itself(project: Project) -> None:
    suite(project, "small", "big")
    _, first = project.report()
    (project.path / "first.json").write_text(json.dumps(first))
    assert len(first["cases"]) == 12
    assert "test_app.py::test_answer[q0]{model=big}" in first["cases"]
    suite(project, "big", "small")
    project.answers.rule = lambda question, n: "bad" if question == "small q3" else "good"
    for named in ((), ("--genai-baseline", "first.json")):
        result, report = project.report("--genai-repeats", "2", *named)
        result.stdout.fnmatch_lines(["*12 cases evaluated, 12 compared*"])
        assert report["changes"]["variants"] == {}
        assert [name for name, value in good(report).items() if value == 0.0] == ["test_answer[q3]{model=small}"]
        assert {len(case["traces"]) for case in report["cases"].values()} == {2}
    # One of several, chosen by name: nothing went, and the other is not removed.
    result, report = project.report("-k", "big", "--genai-baseline", "first.json")
    assert set(report["cases"]) == {f"test_app.py::test_answer[q{i}]" for i in range(6)}
    result.stdout.fnmatch_lines(["*6 cases evaluated, 6 compared*"])
    assert report["changes"]["removed"] == []


def test_a_new_variant_among_others_is_new(project: Project) -> None:
    suite(project, "small")
    project.run()
    suite(project, "small", "tiny")
    _, report = project.report()
    assert report["changes"]["new"] == [f"test_app.py::test_answer[q{i}]{{model=tiny}}" for i in range(6)]
    assert report["changes"]["variants"] == {}
    assert report["baseline"]["coverage"] == 0.5


@pytest.mark.story
def test_workers_run_again_the_variant_that_is_wanted(project: Project) -> None:
    suite(project, "small", "big")
    for _ in range(5):
        project.run()
    project.commit("change")
    project.answers.rule = lambda question, n: "bad" if question == "small q3" else "good"
    result = project.run("-n1", "--genai-report", "out.json")
    assert result.ret == 1
    report = json.loads((project.path / "out.json").read_text())
    scores = {name: case["scores"]["good"] for name, case in report["cases"].items()}
    assert len(scores.pop("test_app.py::test_answer[q3]{model=small}")) > 2
    assert {len(values) for values in scores.values()} == {report["session"]["repeats"]}
    broken = report["decision"]["metrics"]["good"]["broken"]
    assert [finding["case"] for finding in broken] == ["test_app.py::test_answer[q3]{model=small}"]


ALIKE = """
import pytest

@pytest.mark.genai_eval(variant_params=("model",))
@pytest.mark.parametrize("model", ["same", "same"])
def test_answer(model, genai_case):
    genai_case.score("good", True)
"""


def test_values_that_look_the_same_stay_two_cases(project: Project) -> None:
    project.commit(**{"test_app.py": ALIKE})
    _, report = project.report()
    assert len(report["cases"]) == 2


def test_without_the_flag_the_id_leaves_the_variant_out_too(project: Project) -> None:
    suite(project, "small", "big")
    project.plain().assert_outcomes(passed=12)


def test_an_unknown_parameter_is_a_usage_error(project: Project) -> None:
    project.commit(**{"test_app.py": ALIKE.replace('("model",)', '("modle",)')})
    result = project.run()
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*variant_params names 'modle', which is no parameter of this test; *'model'"])


def test_a_model_that_renames_every_case_is_loud_and_the_line_that_mends_it_is_printed(project: Project) -> None:
    bare = SUITE.replace('(variant_params=("model",))', "").replace("[{question}]", "[{model}-{question}]")
    project.commit(**{"test_app.py": bare})
    project.run()
    project.commit(**{"test_app.py": bare.replace("small", "tiny")})
    result, report = project.report()
    warning = (
        "no case is shared with the baseline: 6 cases would be, but for the parameter 'model' (small -> tiny); if it "
        'belongs to the app, write @pytest.mark.genai_eval(variant_params=("model",)) and record the baseline anew'
    )
    assert warning in report["warnings"]
    assert f"warning: {warning}" in result.outlines
    assert report["decision"]["verdict"] == "inconclusive"
    case = report["cases"]["test_app.py::test_answer[tiny-q1]"]
    assert case["params"] == {"model": "tiny", "question": "q1"}
