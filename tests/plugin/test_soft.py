"""Soft assertions: evidence for the gate, no failure of the item."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Project

SUITE = """
import asyncio, unittest
import pytest

soft = pytest.mark.genai_eval(soft=True)

@soft
def test_good():
    assert True

@soft
def test_assert():
    reply = "we open at nine"
    assert "ten" in reply, reply

@soft
def test_without_message():
    raise AssertionError

@soft
def test_fail():
    pytest.fail("not polite")

@soft
def test_raises():
    with pytest.raises(ValueError):
        pass

@soft
@pytest.mark.asyncio
async def test_async():
    await asyncio.sleep(0)
    assert False

class TestUnit(unittest.TestCase):
    @soft
    def test_method(self):
        self.assertEqual(1, 2)

@soft
@pytest.mark.xfail
def test_expected():
    assert False

@soft
def test_other_exception():
    raise ValueError("broken app")

@soft
def test_hangs():
    import pytest_timeout
    pytest_timeout.expire()

@pytest.fixture
def broken():
    assert False, "fixture"

@soft
def test_fixture(broken):
    pass

@pytest.mark.genai_eval(soft=False)
def test_hard():
    assert False
"""
# Its name is all that this plugin knows of the real one.
TIMEOUT = """
import pytest

def expire():
    pytest.fail("Timeout (>1.0s) from pytest-timeout.")
"""
SOFTLY = ["test_assert", "test_without_message", "test_fail", "test_raises", "test_async", "TestUnit::test_method"]


def passed_by_name(report: dict[str, Any]) -> dict[str, list[float | None]]:
    return {name.partition("::")[2]: case["scores"]["passed"] for name, case in report["cases"].items()}


def test_a_failed_assertion_is_evidence_and_everything_else_stays(project: Project) -> None:
    project.commit(**{"test_app.py": SUITE, "pytest_timeout.py": TIMEOUT})
    project.write("pytest.ini", (project.path / "pytest.ini").read_text() + "genai_soft_assertions = yes\n")
    project.commit("the marker wins over the ini key")
    result, report = project.report("-v", "--junitxml=junit.xml")
    result.assert_outcomes(passed=1, failed=3, errors=1, xfailed=1)
    result.stdout.fnmatch_lines(
        [
            "*test_app.py::test_assert SOFT-FAILED*",
            "*6 cases failed softly; there is nothing to compare with yet:",
            "*6 soft-failed*",
        ]
    )
    scores = passed_by_name(report)
    assert {name for name, values in scores.items() if values == [0.0]} == {
        *SOFTLY,
        "test_expected",
        "test_other_exception",
        "test_hangs",
        "test_hard",
    }
    assert scores["test_fixture"] == [None]
    notes = report["cases"]["test_app.py::test_assert"]["notes"]
    assert notes[0].startswith("repeat 1: we open at nine\nassert 'ten' in 'we open at nine'")
    feedback = {t.info.tags["mlflow.test.name"]: t.info.assessments for t in project.traces()}
    (found,) = feedback["test_app.py::test_fail"]
    assert (found.name, found.value, found.rationale) == ("passed", False, "not polite")
    junit = (project.path / "junit.xml").read_text()
    assert 'failures="3"' in junit
    assert '<property name="genai_soft_failed" value="not polite"' in junit
    assert junit.count("genai_soft_failed") == 6
    assert '<property name="genai_soft_failed" value="AssertionError"' in junit


def test_without_the_flag_a_soft_assertion_is_an_ordinary_one(project: Project) -> None:
    project.commit(**{"test_app.py": SUITE})
    result = project.plain("-q", "-k", "test_assert or test_method or test_hard or test_good")
    result.assert_outcomes(passed=1, failed=3)


ONE = """
import pytest

@pytest.mark.genai_eval
@pytest.mark.parametrize("n", range(4))
def test_one(n, genai_case):
    genai_case.output = n
    assert n != 1, f"{n} is not enough"
"""


def test_the_ini_key_makes_cases_soft_and_the_gate_alone_fails_the_session(project: Project) -> None:
    project.commit(**{"test_app.py": ONE.replace("n != 1", "n >= 0")})
    for _ in range(5):
        project.run()
    project.commit(
        **{"test_app.py": ONE, "pytest.ini": (project.path / "pytest.ini").read_text() + "cache_dir = .c\n"}
    )
    result, report = project.report("-x", "-o", "genai_soft_assertions=true")
    assert result.ret == 1
    # Nothing stopped at the first one, nothing is a last failure: the gate says what is wrong.
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(
        ["test_app.py .f..*", "regressed: passed *", "*1 case failed softly:", "*test_one?1?: 1 is not enough"]
    )
    assert [f["case"] for f in report["decision"]["metrics"]["passed"]["broken"]] == ["test_app.py::test_one[1]"]
    assert not list(project.path.glob(".c/v/cache/lastfailed"))
    assert report["session"]["complete"]


REPEATED = """
import pytest

@pytest.mark.genai_eval(soft=True)
def test_second(genai_case):
    assert genai_case.repeat != 1, "the second"

@pytest.mark.genai_eval(soft=True)
def test_second_and_a_bug(genai_case):
    assert genai_case.repeat != 1, "the second"
    assert genai_case.repeat != 2, "the third"
    if genai_case.repeat == 0:
        raise RuntimeError("a bug")
"""


def test_with_fixed_repeats_an_item_fails_softly_once_and_hard_wins(project: Project) -> None:
    project.commit(**{"test_app.py": REPEATED})
    result, report = project.report("--genai-repeats", "3", "--junitxml=junit.xml")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["test_app.py fF*", "E*RuntimeError: a bug", "*1 failed, 1 soft-failed*"])
    assert passed_by_name(report) == {"test_second": [1.0, 0.0, 1.0], "test_second_and_a_bug": [0.0, 0.0, 0.0]}
    junit = (project.path / "junit.xml").read_text()
    assert junit.count("genai_soft_failed") == 1
    assert "repeat 2 of 3: the second" in junit


def test_soft_failures_are_listed_and_traced_where_pytest_would_list_others(project: Project) -> None:
    ini = (project.path / "pytest.ini").read_text()
    project.commit(**{"test_app.py": ONE, "pytest.ini": f"{ini}genai_soft_assertions = yes\n"})
    listed = "SOFT-FAILED test_app.py::test_one?1? - 1 is not enough"
    first = project.run("-rA", "--tb=short")
    first.stdout.fnmatch_lines(
        [
            "*= soft failures =*",
            "*_ test_one?1? _*",
            "test_app.py:8: in test_one",
            "E   Assert*: 1 is *",
            listed,
        ]
    )
    first.stdout.fnmatch_lines(["1 case failed softly; there is nothing to compare with yet:"])
    second = project.run("-ra")
    second.stdout.fnmatch_lines([listed, "1 case failed softly*"])
    second.stdout.no_fnmatch_line("E   AssertionError*")
    line = project.run("-rA", "--tb=line", "--genai-gate", "off")
    line.stdout.fnmatch_lines(["*= soft failures =*", "*test_app.py:8: AssertionError: 1 is not enough", listed])
    line.stdout.no_fnmatch_line("E   AssertionError*")
    project.run("-q", "--genai-gate", "off").stdout.no_fnmatch_line("*= soft failures =*")


RERUN = """
import pytest

attempts = []

@pytest.mark.flaky(reruns=3)
@pytest.mark.genai_eval(soft=True)
def test_flaky(genai_case):
    attempts.append(genai_case.repeat)
    if len(attempts) == 1:
        raise RuntimeError("down")
    assert len(attempts) > 2, f"attempt {len(attempts)}"
"""


def test_what_is_no_failure_is_not_run_again(project: Project) -> None:
    project.commit(**{"test_app.py": RERUN})
    result, report = project.report()
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*1 rerun, 1 soft-failed*"])
    assert passed_by_name(report) == {"test_flaky": [0.0]}
    assert report["cases"]["test_app.py::test_flaky"]["notes"][0].startswith("repeat 1: attempt 2")


def test_workers_tell_the_controller(project: Project) -> None:
    project.commit(**{"test_app.py": ONE})
    result = project.run(*("-n1", "-v", "-o", "genai_soft_assertions=1", "--genai-report", "out.json"))
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*SOFT-FAILED*test_app.py::test_one?1?*", "*3 passed, 1 soft-failed*"])
    report = json.loads((project.path / "out.json").read_text())
    assert sorted(map(tuple, passed_by_name(report).values())) == [(0.0,), (1.0,), (1.0,), (1.0,)]


SUBTESTS = """
import unittest
import pytest

@pytest.mark.genai_eval(soft=True)
def test_fixture(subtests):
    for n in range(3):
        with subtests.test(n=n):
            assert n != 1

class TestUnit(unittest.TestCase):
    @pytest.mark.genai_eval(soft=True)
    def test_soft(self):
        for n in range(3):
            with self.subTest(n=n):
                self.assertNotEqual(n, 1)

    @pytest.mark.genai_eval
    def test_hard(self):
        for n in range(3):
            with self.subTest(n=n):
                self.assertNotEqual(n, 1)
"""


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="subtests came with pytest 9")
def test_a_subtest_that_fails_is_evidence_too(project: Project) -> None:
    project.commit(**{"test_app.py": SUBTESTS})
    result, report = project.report()
    scores = {"test_fixture": [0.0], "TestUnit::test_soft": [0.0], "TestUnit::test_hard": [0.0]}
    assert passed_by_name(report) == scores
    result.stdout.fnmatch_lines(["*2 soft-failed*"])
