"""Which cases are new, removed, changed or renamed; what a session's own selection leaves out is none of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import History, Project

BEFORE = """
import pytest

ROWS = [("a", 1), ("b", 2), ("c", 3), ("d", 4)]

@pytest.mark.genai_eval(expectations=("wanted",))
@pytest.mark.parametrize("question, wanted", ROWS, ids=[f"{q}{i}" for i, (q, _) in enumerate(ROWS)])
def test_rows(question, wanted, genai_case):
    genai_case.score("good", True)

@pytest.mark.genai_eval
def test_stays(genai_case):
    genai_case.score("good", True)

@pytest.mark.genai_eval
def test_goes(genai_case):
    genai_case.score("good", True)
"""
# Row b is gone, so that c and d move up; the expectation of a is another one; e is new.
AFTER = BEFORE.replace('("a", 1), ("b", 2)', '("a", 7)').replace('("d", 4)]', '("d", 4), ("e", 5)]')
AFTER = AFTER.partition("@pytest.mark.genai_eval\ndef test_goes")[0]
OTHER = "import pytest\n@pytest.mark.genai_eval\ndef test_other(genai_case): genai_case.score('good', True)\n"

SUITE = """
import pytest

@pytest.mark.genai_eval
@pytest.mark.parametrize("question", [pytest.param(f"q{i}", marks=[pytest.mark.odd] * (i % 2)) for i in range(10)])
def test_answer(question, genai_case):
    genai_case.score("good", True)
"""


def test_each_change_is_listed_as_what_it_is(project: Project) -> None:
    project.commit("before", **{"test_app.py": BEFORE, "test_other.py": OTHER})
    project.run()
    (project.path / "test_other.py").unlink()
    project.commit("after", **{"test_app.py": AFTER})
    result, report = project.report("-v")
    assert result.ret == 0
    rows = "test_app.py::test_rows"
    assert report["changes"] == {
        "new": [f"{rows}[e3]"],
        "removed": [f"{rows}[b1]", "test_app.py::test_goes", "test_other.py::test_other"],
        "changed": [f"{rows}[a0]"],
        "renamed": {f"{rows}[c1]": f"{rows}[c2]", f"{rows}[d2]": f"{rows}[d3]"},
        "variants": {},
    }
    result.stdout.fnmatch_lines(
        [
            "5 cases evaluated, 3 compared, 1 repeat each",
            "1 new case:",
            "  test_app.py::test_rows?e3?",
            "3 removed cases:",
            "  test_app.py::test_rows?b1?",
            "  test_app.py::test_goes",
            "  test_other.py::test_other",
            "1 changed case, not compared:",
            "  test_app.py::test_rows?a0?",
            "2 renamed cases:",
            "  test_app.py::test_rows?c1? (was test_app.py::test_rows?c2?)",
        ]
    )


@pytest.mark.parametrize(
    ("selection", "left"),
    [
        (["-k", "q1"], 1),
        (["-m", "odd"], 5),
        (["test_app.py::test_answer[q3]"], 1),
        (["--lf"], 1),
        (["--deselect", "test_app.py::test_answer[q4]"], 9),
        (["--ignore", "test_app.py", "test_more.py"], 1),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_a_session_leaves_out_is_not_removed(
    project: Project, history: History, selection: list[str], left: int
) -> None:
    history.session()
    ini = (project.path / "pytest.ini").read_text()
    more = OTHER.replace("test_other", "test_more")
    project.commit("now", **{"test_app.py": SUITE, "test_more.py": more, "pytest.ini": f"{ini}markers = odd\n"})
    failed = project.path / ".pytest_cache" / "v" / "cache" / "lastfailed"
    failed.parent.mkdir(parents=True)
    (project.path / ".pytest_cache" / ".gitignore").write_text("*\n")
    failed.write_text(json.dumps({"test_app.py::test_answer[q2]": True}))
    _, report = project.report(*selection)
    assert report["changes"]["removed"] == []
    assert len([name for name in report["cases"] if name.startswith("test_app.py")] or report["cases"]) == left


def test_what_is_gone_is_removed_though_the_session_is_partial(project: Project, history: History) -> None:
    history.session()
    project.commit("fewer", **{"test_app.py": SUITE.replace("range(10)", "range(8)")})
    _, report = project.report("-k", "q1 or q2")
    assert report["changes"]["removed"] == ["test_app.py::test_answer[q8]", "test_app.py::test_answer[q9]"]
    (project.path / "test_app.py").unlink()
    project.commit("gone", **{"test_other.py": OTHER})
    _, report = project.report("test_other.py", "--genai-baseline", "HEAD~2")
    assert len(report["changes"]["removed"]) == 10


def test_a_test_named_on_the_command_line_says_nothing_of_the_rest_of_its_file(
    project: Project, history: History
) -> None:
    history.session()
    project.commit("fewer", **{"test_app.py": SUITE.replace("range(10)", "range(8)")})
    _, report = project.report("test_app.py::test_answer")
    assert report["changes"]["removed"] == []


def test_a_file_that_cannot_be_imported_hides_its_cases_and_removes_none(project: Project) -> None:
    project.run()
    project.commit("broken", **{"test_app.py": "import nothing_of_this_name\n"})
    result, report = project.report("--continue-on-collection-errors")
    assert result.ret != 0
    assert report["changes"]["removed"] == []
