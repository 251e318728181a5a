"""Sessions over the rows of `data=`: what is recorded of them, what is compared, under xdist too."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.core.digest import digest

if TYPE_CHECKING:
    from conftest import Project

TESTS = """
import pytest
from app import ask

@pytest.mark.genai_eval(data="support.jsonl", expectations=("answer",))
@pytest.mark.parametrize("tone", ["kind"])
def test_support(tone, genai_case):
    genai_case.output = ask(genai_case.inputs["question"])
    genai_case.score("good", genai_case.output == genai_case.expectations["answer"])

@pytest.mark.genai_eval(data=[{"id": "one", "inputs": "q3", "expectations": "good"}])
def test_scalar(genai_case):
    assert (genai_case.inputs, genai_case.expectations) == ({"input": "q3"}, {"expected_response": "good"})
    ask(genai_case.inputs["input"])

def load():
    from mlflow.genai.datasets import get_dataset
    return get_dataset(name="support questions")

@pytest.mark.genai_eval(data=load)
def test_object(genai_case):
    assert genai_case.inputs["question"] in ("q4", "q5")

def nothing():
    pytest.skip("no network")

@pytest.mark.genai_eval(data=nothing, expectations=("answer",))
def test_skipped(genai_case):
    raise ValueError

@pytest.mark.genai_eval(data="support questions")
def test_dataset(genai_case):
    assert genai_case.inputs["question"] in ("q4", "q5")
    ask(genai_case.inputs["question"])
"""

ROWS = [
    {"id": "refund-1", "question": "q1", "answer": "good", "tags": {"area": "billing", "mlflow.test.name": "mine"}},
    {"id": "late-2", "question": "q2", "answer": "good", "tags": "delivery"},
]

CONFTEST = """
import json
from pytest_genaiver.running.runner import PLANNED

def pytest_genai_case_scored(item, case):
    planned = item.stash[PLANNED]
    with open("told.jsonl", "a") as file:
        print(json.dumps([case.id, case.function, planned.case_id, planned.scalar, dict(planned.tags)]), file=file)
"""


def lines(rows: list[dict[str, object]]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def make_dataset(project: Project) -> None:
    from mlflow.genai.datasets import create_dataset

    with pytest.MonkeyPatch.context() as patch:
        # Not set_tracking_uri(), which would outlast this.
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{project.path / 'mlflow.db'}")
        made = create_dataset(name="support questions", experiment_id="0")
        made.merge_records([{"inputs": {"question": f"q{i}"}} for i in (4, 5)])


def test_rows_are_cases_with_their_id_inputs_and_tags_and_changes_are_by_content(project: Project) -> None:
    make_dataset(project)
    ignored = "mlflow.db\n__pycache__/\ntold.jsonl\n"
    files = {"test_app.py": TESTS, "support.jsonl": lines(ROWS), "conftest.py": CONFTEST, ".gitignore": ignored}
    project.commit(**files)
    result, report = project.report()
    result.assert_outcomes(passed=7, skipped=1)
    refund = report["cases"]["test_app.py::test_support[refund-1-kind]"]
    assert refund["digest"] == digest({"question": "q1", "tone": "kind"}, {"answer": "good"}, {})[0]
    digests = [digest({"question": f"q{i}"}, {}, {})[0] for i in (4, 5)]
    from_mlflow = [f"{test}[{one[:12]}]" for test in ("test_dataset", "test_object") for one in digests]
    ids = {name.rpartition("::")[2] for name in report["cases"]}
    assert ids == {"test_support[refund-1-kind]", "test_support[late-2-kind]", "test_scalar[one]", *from_mlflow}

    told = {t[0]: t[1:] for t in map(json.loads, (project.path / "told.jsonl").read_text().splitlines())}
    support = "test_app.py::test_support"
    assert told[f"{support}[refund-1-kind]"] == [support, "refund-1-kind", False, {"area": "billing"}]
    assert told[f"{support}[late-2-kind]"] == [support, "late-2-kind", False, {"delivery": "true"}]
    assert told["test_app.py::test_scalar[one]"] == ["test_app.py::test_scalar", "one", True, {}]

    traces = {t.info.tags["mlflow.test.name"]: t for t in project.traces()}
    trace = traces[f"{support}[refund-1-kind]"]
    assert trace.info.tags["mlflow.test.case_id"] == "refund-1-kind"
    assert trace.info.tags["area"] == "billing"
    assert trace.data.spans[0].inputs == {"question": "q1", "tone": "kind"}

    changed = [ROWS[1], {**ROWS[0], "answer": "bad"}]
    project.commit("other rows", **{"support.jsonl": lines(changed)})
    _, second = project.report()
    assert second["changes"]["changed"] == [f"{support}[refund-1-kind]"]
    assert second["changes"]["new"] == second["changes"]["removed"] == []


SMALL = """
import pytest

@pytest.mark.genai_eval(data={data})
def test_it(genai_case):
    genai_case.score("good", 1)
"""


@pytest.mark.story
def test_workers_read_for_themselves_and_find_the_same_ids(project: Project) -> None:
    project.commit(
        **{"test_app.py": SMALL.format(data="'rows.csv'"), "rows.csv": "question,expected_topic\nq1,a\nq2,b\nq3,c\n"}
    )
    result = project.run("-n1", "--genai-report", "out.json")
    result.assert_outcomes(passed=3)
    found = json.loads((project.path / "out.json").read_text())["cases"]
    wanted = [digest({"question": f"q{n}"}, {"expected_topic": t}, {})[0] for n, t in ((1, "a"), (2, "b"), (3, "c"))]
    assert {case["digest"] for case in found.values()} == set(wanted)
    assert set(found) == {f"test_app.py::test_it[{one[:12]}]" for one in wanted}


EMPTY = """
def load():
    from mlflow.genai.datasets import create_dataset
    return create_dataset(name="none yet", experiment_id="0")
"""


@pytest.mark.parametrize(
    ("data", "message", "arguments"),
    [
        ("load", "data=load() -> EvaluationDataset 'none yet': holds no rows; give at least one", []),
        (
            "'no rows', expectations=('x',)",
            "data='no rows': is no .jsonl, .json or .csv file, and MLflow cannot read this evaluation dataset: "
            "Dataset with name 'no rows' not found.",
            ["-n1"],
        ),
    ],
    ids=["here", "xdist"],
)
def test_data_that_cannot_be_used_is_a_usage_error_before_anything_runs(
    project: Project, data: str, message: str, arguments: list[str]
) -> None:
    project.commit(**{"test_app.py": EMPTY + SMALL.format(data=data)})
    result = project.run(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: test_app.py::test_it: genai_eval {message}"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")
    result.stdout.no_fnmatch_line("*evaluated*")
