"""Tests over the rows of `data=`, without a session: pytest collects and runs them, and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas  # noqa: F401 - imported first by a session within this process, it would be gone after it, for good
import pytest

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """
import pytest
mark = pytest.mark.genai_eval
"""

FILE = """\
{"id": "refund-1", "question": "A refund?", "answer": "billing"}
{"id": "late-2", "question": "Where is it?", "answer": "delivery"}
"""


class Suite:
    """A folder with tests, run in this process without `--genai-version`."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path: Path = pytester.path
        pytester.makeini("[pytest]\n")
        self.write("support.jsonl", FILE)

    def write(self, name: str, text: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(self, tests: str, *arguments: str, name: str = "test_it.py") -> pytest.RunResult:
        self.write(name, HEAD + tests)
        return self.pytester.runpytest_inprocess("-p", "pytest_genaiver.plugin", *arguments)

    def ids(self, tests: str, *arguments: str, name: str = "test_it.py") -> list[str]:
        result = self.run(tests, "--collect-only", "-q", *arguments, name=name)
        assert result.ret == pytest.ExitCode.OK
        return [line.rpartition("::")[2] for line in result.outlines if "::" in line]

    def refusal(self, tests: str, *arguments: str) -> str:
        result = self.run(tests, *arguments)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stdout.no_fnmatch_line("*Traceback*")
        (line,) = [line for line in result.errlines if line.startswith("ERROR: ")]
        return line.removeprefix("ERROR: ").replace(str(self.path), "FOLDER")


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Suite:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return Suite(pytester)


def test_a_row_is_a_parameter_of_the_item_and_not_of_the_function(suite: Suite) -> None:
    """The canary of how rows reach their items: pytest keeps a parameter that nothing asks for."""
    result = suite.run("""
import inspect

@mark(data="support.jsonl")
def test_it(request):
    assert list(inspect.signature(request.function).parameters) == ["request"]
    assert request.fixturenames == ["request"]
    assert request.node.callspec.params["genaiver_row"].id == request.node.callspec.id
    assert request.node.name == f"test_it[{request.node.callspec.id}]"

@mark(data="support.jsonl")
def test_nothing():
    pass
""")
    result.assert_outcomes(passed=4)


def test_a_case_has_its_rows_inputs_then_its_parameters(suite: Suite) -> None:
    result = suite.run("""
@pytest.fixture(params=["x"])
def client(request): return request.param

@mark(data="support.jsonl", expectations=("answer", "tone"))
@pytest.mark.parametrize("tone, n", [("kind", 1), ("short", 2)])
def test_it(genai_case, client, tone, n):
    assert list(genai_case.inputs) == ["question", "n"]
    assert list(genai_case.expectations) == ["answer", "tone"]
    assert genai_case.expectations["answer"] in ("billing", "delivery")
    genai_case.inputs["question"] = genai_case.expectations["answer"] = "changed"
""")
    result.assert_outcomes(passed=4)


def test_a_rows_expectations_win_over_the_markers_which_are_those_of_all_rows(suite: Suite) -> None:
    result = suite.run("""
ROWS = [{"id": "a", "q": 1, "expected_tone": "short"}, {"id": "b", "q": 2}]

@mark(data=ROWS, expectations={"expected_tone": "kind", "lang": "en"})
def test_it(genai_case):
    tone = {1: "short", 2: "kind"}[genai_case.inputs["q"]]
    assert genai_case.expectations == {"expected_tone": tone, "lang": "en"}
""")
    result.assert_outcomes(passed=2)


def test_a_target_takes_the_one_value_of_a_row_and_by_keyword_what_else_there_is(suite: Suite) -> None:
    result = suite.run("""
def shout(text): return text.upper()
def join(*, input, tone): return input + tone
def quiet(): return ""
ROWS = [{"id": "a", "inputs": "hi"}]

@mark(data=ROWS, target=shout)
def test_one(genai_case): assert genai_case.output == "HI"

@mark(data=ROWS, target=join)
@pytest.mark.parametrize("tone", ["!"])
def test_two(genai_case, tone): assert genai_case.output == "hi!"

@mark(data=ROWS, target=quiet, expectations=("input",))
def test_none(genai_case): assert genai_case.output == ""
""")
    result.assert_outcomes(passed=3)


def test_a_row_without_a_named_column_has_no_such_expectation(suite: Suite) -> None:
    result = suite.run("""
@mark(data=[{"q": 1, "answer": "a"}, {"q": 2}], expectations=("answer",))
def test_it(genai_case):
    assert genai_case.inputs in ({"q": 1}, {"q": 2})
    assert genai_case.expectations == ({"answer": "a"} if genai_case.inputs["q"] == 1 else {})
""")
    result.assert_outcomes(passed=2)


def test_ids_are_first_in_the_parameter_id_and_can_be_selected(suite: Suite) -> None:
    tests = """
@mark(data="support.jsonl")
class TestIt:
    @pytest.mark.parametrize("model", ["small", "large"])
    def test_a(self, model): pass
    def test_b(self): pass
    @mark(data=None)
    def test_c(self): pass
"""
    assert suite.ids(tests) == [
        "test_a[refund-1-small]",
        "test_a[refund-1-large]",
        "test_a[late-2-small]",
        "test_a[late-2-large]",
        "test_b[refund-1]",
        "test_b[late-2]",
        "test_c",
    ]
    assert suite.ids(tests, "-k", "refund and small") == ["test_a[refund-1-small]"]
    assert suite.ids(tests, "test_it.py::TestIt::test_b[late-2]") == ["test_b[late-2]"]


def test_ids_from_content_do_not_depend_on_the_order_or_the_kind_of_file(suite: Suite) -> None:
    rows = [{"question": f"q{i}", "expected_topic": "x"} for i in range(3)]
    suite.write("a.json", json.dumps(rows))
    suite.write("a.csv", "expected_topic,question\nx,q2\nx,q0\nx,q1\n")
    first = suite.ids('@mark(data="a.json")\ndef test_it(): pass')
    second = suite.ids('@mark(data="a.csv")\ndef test_it(): pass')
    assert [first[2], first[0], first[1]] == second
    assert len(set(first)) == 3


def test_a_path_is_relative_to_the_test_file_then_to_the_rootdir(suite: Suite) -> None:
    suite.write("sub/support.jsonl", '{"id": "near", "q": 1}')
    suite.write("data/other.JSONL", '{"id": "far", "q": 1}')
    assert suite.ids(
        f"""
import pathlib
@mark(data="support.jsonl")
def test_a(): pass
@mark(data=pathlib.Path("data/other.JSONL"))
def test_b(): pass
@mark(data={str(suite.path / "support.jsonl")!r})
def test_c(): pass
""",
        name="sub/test_it.py",
    ) == ["test_a[near]", "test_b[far]", "test_c[refund-1]", "test_c[late-2]"]


def test_a_function_and_a_file_are_read_once_for_all_tests(suite: Suite) -> None:
    suite.write(
        "test_later.py",
        f"""{HEAD}
import pathlib
file = pathlib.Path(__file__).with_name("support.jsonl")
file.write_text('{{"id": "new", "q": 1}}')

@mark(data=file)
def test_it(genai_case): assert "question" in genai_case.inputs
""",
    )
    result = suite.run("""
calls = []
def load():
    calls.append("load")
    yield {"q": 1}
    yield {"q": 2}

def path():
    calls.append("path")
    return "support.jsonl"

@mark(data=load)
class TestA:
    def test_a(self): pass
    def test_b(self): pass

@mark(data=load)
def test_c(): pass

@mark(data=path)
class TestD:
    def test_d(self): assert calls == ["load", "path"]
    def test_e(self): pass
""")
    result.assert_outcomes(passed=12)


@pytest.mark.parametrize(
    ("tests", "reason"),
    [
        (
            "@mark(data='support questions')\ndef test_it(): 1 / 0",
            "data='support questions' is an MLflow evaluation dataset: "
            "it is read only when --genai-version runs tests",
        ),
        ("def load(): pytest.skip('no network')\n@mark(data=load)\ndef test_it(): 1 / 0", "no network"),
    ],
)
def test_rows_that_cannot_be_had_skip_their_test_with_one_line(suite: Suite, tests: str, reason: str) -> None:
    result = suite.run(tests, "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines([f"SKIPPED [[]1] test_it.py:*: {reason}"])


ALLOWED = (
    "give a path to a .jsonl, .json or .csv file, a list of dicts, a pandas DataFrame, an MLflow evaluation dataset "
    "or its name, or a function that returns one of these"
)


@pytest.mark.parametrize(
    ("tests", "message"),
    [
        ("@mark(data=3)", f"data=3: cannot be used; {ALLOWED}"),
        ("@mark(data={'q': 1})", f"data=a dict: cannot be used; {ALLOWED}"),
        ("@mark(data='')", f"data='': cannot be used; {ALLOWED}"),
        ("@mark(data='test_it.py')", f"data='test_it.py': cannot be used; {ALLOWED}"),
        ("@mark(data=[])", "data=a list: holds no rows; give at least one"),
        (
            "@mark(data='no.csv')",
            "data='no.csv': no such file in the test file's folder FOLDER nor in rootdir",
        ),
        ("@mark(data='/no.csv')", "data='/no.csv': no such file"),
        (
            "@mark(data='bad.jsonl')",
            "data='bad.jsonl': line 2, column 'id': is a list; give a string or a whole number",
        ),
        (
            "def load(): raise KeyError('no\\nsuch')\n@mark(data=load)",
            "data=load(): the function raised KeyError: 'no\\nsuch'",
        ),
        ("def load(): pytest.fail('no\\nway')\n@mark(data=load)", "data=load(): the function raised Failed: no way"),
        ("def load(): return None\n@mark(data=load)", f"data=load() -> None: cannot be used; {ALLOWED}"),
        ("def load(): return 'bad.jsonl'\n@mark(data=load)", "data=load() -> 'bad.jsonl': line 2, column 'id'"),
        ("def load(): return load\n@mark(data=load)", f"data=load() -> load(): cannot be used; {ALLOWED}"),
        (
            "async def load(): pass\n@mark(data=load)",
            "data=load(): an async function cannot be used; give a plain one",
        ),
    ],
)
def test_data_that_cannot_be_used_is_a_usage_error_that_names_the_test(
    suite: Suite, tests: str, message: str
) -> None:
    suite.write("bad.jsonl", '{"q": 1}\n{"q": 1, "id": []}\n')
    refused = suite.refusal(f"{tests}\ndef test_it(): pass\n@mark(data=[])\ndef test_later(): pass")
    assert refused.startswith(f"test_it.py::test_it: genai_eval {message}")


PLACE = (
    "cannot reach this test: put it on the function, its class or module, not on a single parameter nor on a "
    "method of unittest.TestCase"
)


@pytest.mark.parametrize(
    ("tests", "message"),
    [
        (
            "@pytest.mark.parametrize('n', [1, pytest.param(2, marks=mark(data=[{'q': 1}]))])\ndef test_it(n): pass",
            f"test_it.py::test_it[2]: genai_eval data= {PLACE}",
        ),
        (
            "@mark(data=[{'id': 'a', 'q': 1}])\n"
            "@pytest.mark.parametrize('n', [pytest.param(2, marks=mark(data=[{'q': 2}]))])\ndef test_it(n): pass",
            f"test_it.py::test_it[a-2]: genai_eval data= {PLACE}",
        ),
        (
            "import unittest\n@mark(data=[{'q': 1}])\nclass TestIt(unittest.TestCase):\n    def test_it(self): pass",
            f"test_it.py::TestIt::test_it: genai_eval data= {PLACE}",
        ),
        (
            "@mark(data=[{'id': 'a', 'q': 1}, {'n': 2}])\n@pytest.mark.parametrize('n', [1])\ndef test_it(n): pass",
            "test_it.py::test_it[a-1]: 'n' is a column of genai_eval data= and a parameter of the test; "
            "rename one of the two",
        ),
    ],
)
def test_data_that_does_not_go_with_its_test_is_a_usage_error(suite: Suite, tests: str, message: str) -> None:
    assert suite.refusal(tests) == message


def test_expectations_name_columns_as_they_name_parameters(suite: Suite) -> None:
    result = suite.run("""
@mark(data=[{"q": 1, "expected_x": 2}], expectations=("topic",))
@pytest.mark.parametrize("n", [1])
def test_it(genai_case, n): pass
""")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "*genai_eval expectations names 'topic', which is no parameter or column of this test; "
            "parameters and columns: 'n', 'expected_x', 'q'"
        ]
    )


def test_a_column_cannot_become_an_expectation_that_the_row_has(suite: Suite) -> None:
    result = suite.run("""
@mark(data=[{"id": "a", "topic": 1, "expectations": {"topic": 2}}], expectations=("topic",))
def test_it(genai_case): pass
""")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*test_it[[]a]: genai_eval expectations names 'topic', which is an input and an expectation of the row"]
    )


def test_a_mistake_in_a_test_that_was_not_asked_for_stops_nothing(suite: Suite) -> None:
    tests = """
calls = []
def load():
    calls.append(1)
    1 / 0

@mark(data=load)
def test_bad(): pass
@mark(data=load)
def test_bad_too(): pass
@mark(data=[{"q": 1}])
def test_good(): assert len(calls) == 1
"""
    suite.run(tests, "test_it.py::test_good").assert_outcomes(passed=1)
    refused = suite.refusal(tests, "test_it.py::test_bad_too")
    assert (
        refused
        == "test_it.py::test_bad_too: genai_eval data=load(): the function raised ZeroDivisionError: division by zero"
    )


def test_a_table_is_read_without_a_session(suite: Suite) -> None:
    result = suite.run("""
import pandas

@mark(data=pandas.DataFrame({"id": [1, 2], "q": ["a", None], "n": [1, 2]}))
def test_it(genai_case):
    assert genai_case.inputs in ({"q": "a", "n": 1}, {"n": 2})
""")
    result.assert_outcomes(passed=2)


def test_a_mistake_in_an_xdist_worker_is_a_usage_error_without_the_flag(suite: Suite) -> None:
    suite.write("test_it.py", f"{HEAD}\n@mark(data='no.csv')\ndef test_it(): pass\ndef test_other(): pass")
    result = suite.pytester.runpytest_subprocess("-p", "pytest_genaiver.plugin", "-p", "xdist", "-n1")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: test_it.py::test_it: genai_eval data='no.csv': no such file *"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")


def test_ten_thousand_rows_are_read_once_and_are_ten_thousand_cases(suite: Suite) -> None:
    """What they cost beside plain parameters is measured by benchmarks/rows.py."""
    lines = [json.dumps({"question": f"What is number {i}?"}) for i in range(10_000)]
    suite.write("many.jsonl", "\n".join(lines))
    rows = "def rows():\n    print('read')\n    return [{'n': n} for n in range(10_000)]\n\n"
    tests = "@mark(data='many.jsonl')\ndef test_file(): pass\n\n@mark(data=rows)\ndef test_one(): pass\n\n"
    result = suite.run(f"{rows}{tests}@mark(data=rows)\ndef test_other(): pass", "--collect-only", "-q", "-s")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["30000 tests collected in *"])
    assert result.outlines.count("read") == 1
