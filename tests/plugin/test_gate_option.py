"""--genai-gate: which verdict fails the session, and how; what a case or a metric line says about it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import History, Project

SUITE = """
import json, os
import pytest

@pytest.mark.genai_eval
@pytest.mark.parametrize("question", [f"q{i}" for i in range(10)])
def test_answer(question, genai_case):
    for name, value in json.loads(os.environ["SCORES"]).items():
        genai_case.score(name, value)
"""


@pytest.fixture
def suite(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A suite whose scores the environment sets."""
    project.commit("suite", **{"test_app.py": SUITE})
    scored(monkeypatch, good=1)
    return project


def scored(monkeypatch: pytest.MonkeyPatch, **scores: float) -> None:
    monkeypatch.setenv("SCORES", json.dumps(scores))


def metrics(project: Project, *lines: str) -> None:
    """Commits these genai_metrics lines."""
    ini = (project.path / "pytest.ini").read_text()
    project.commit("metrics", **{"pytest.ini": ini + "genai_metrics =\n" + "".join(f"    {x}\n" for x in lines)})


def verdicts(report: dict[str, Any]) -> dict[str, str]:
    return {name: metric["verdict"] for name, metric in report["decision"]["metrics"].items()}


@pytest.mark.parametrize(("mode", "code"), [("fail", 1), ("strict", 1), ("warn", 0), ("off", 0)])
def test_a_regression(
    suite: Project, history: History, monkeypatch: pytest.MonkeyPatch, mode: str, code: int
) -> None:
    for _ in range(3):
        history.session()
    suite.commit("worse")
    scored(monkeypatch, good=0)
    result, report = suite.report("--genai-gate", mode)
    assert result.ret == code
    text = result.stdout.str()
    assert "Traceback" not in text
    assert result.outlines[-1].strip("=").strip().startswith("10 passed in ")
    assert ("!!!" in text) == bool(code)
    if code:
        result.stdout.fnmatch_lines(
            ["regressed: good *", "!!!!*! genaiver: good regressed !*!!!!", "=*10 passed in*"]
        )
    if mode == "warn":
        result.stdout.fnmatch_lines(["regressed: good (1 of 2 gated metrics); the gate only warns"])
    if mode == "off":
        assert report["decision"] is None
        result.stdout.fnmatch_lines(["off: the gate is off, nothing is decided"])
    else:
        assert verdicts(report) == {"passed": "pass", "good": "regressed"}


@pytest.mark.parametrize(("mode", "code"), [("fail", 0), ("strict", 1)])
def test_an_inconclusive_comparison(
    suite: Project, history: History, monkeypatch: pytest.MonkeyPatch, mode: str, code: int
) -> None:
    history.session()
    suite.commit("too few to tell")
    scored(monkeypatch, good=0)
    result = suite.run("--genai-gate", mode, "--genai-repeats", "1", "-k", "q1 or q2")
    assert result.ret == code
    result.stdout.fnmatch_lines(["inconclusive: good*"])
    if code:
        result.stdout.fnmatch_lines(["!!!*! genaiver: good inconclusive, and the gate is strict !*!!!"])


def test_strict_fails_neither_a_first_session_nor_a_pass(suite: Project) -> None:
    result = suite.run("--genai-gate", "strict")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["pass: first session, *"])
    suite.commit("unchanged")
    result = suite.run("--genai-gate", "strict")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["pass: 2 gated metrics, *"])


def test_worse_exit_codes_are_kept(suite: Project, history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        history.session()
    stop = "import pytest\ndef test_z(): raise KeyboardInterrupt\n"
    broken = (
        "def pytest_runtest_logreport(report):\n    if 'test_z' in report.nodeid: raise ValueError('broken hook')\n"
    )
    suite.commit("worse", **{"test_z.py": stop, "broken.py": broken})
    scored(monkeypatch, good=0)
    result = suite.pytester.runpytest_inprocess("--genai-version", no_reraise_ctrlc=True)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["regressed: good *", "!!!*KeyboardInterrupt*!!!"])
    suite.write("test_z.py", "def test_z(): pass\n")
    result = suite.run("-p", "broken")
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    assert suite.run("no_such_file.py").ret == pytest.ExitCode.USAGE_ERROR
    result = suite.run("-k", "nothing_of_this_name")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert all(run.info.status != "RUNNING" for run in suite.runs())


def test_a_failed_hard_assertion_is_a_failure_and_its_repeat_counts(suite: Project, history: History) -> None:
    history.session()
    suite.commit("fails", **{"test_app.py": SUITE + "    assert question != 'q3'\n"})
    result, report = suite.report("--genai-repeats", "1")
    assert result.ret == 1
    result.assert_outcomes(passed=9, failed=1)
    assert "!!!" not in result.stdout.str()
    cases = {name: case["scores"] for name, case in report["cases"].items()}
    assert cases["test_app.py::test_answer[q3]"] == {"passed": [0.0], "good": [1.0]}
    assert cases["test_app.py::test_answer[q4]"] == {"passed": [1.0], "good": [1.0]}
    assert report["decision"]["metrics"]["passed"]["current"] == pytest.approx(0.9)


def test_a_baseline_that_shares_no_case_is_inconclusive_and_loud(suite: Project, history: History) -> None:
    history.session()
    suite.commit("renamed", **{"test_app.py": SUITE.replace("test_answer", "test_reply")})
    result, report = suite.report("-q")
    assert result.ret == 0
    assert report["decision"]["verdict"] == "inconclusive"
    result.stdout.fnmatch_lines(["inconclusive: *", "warning: no case is shared with the baseline: *"])
    assert suite.run("--genai-gate", "strict").ret == 1


def test_a_case_that_is_not_gated_fails_nothing(
    suite: Project, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        history.session()
    gates = SUITE.replace('f"q{i}" for i', 'pytest.param(f"q{i}", marks=pytest.mark.genai_eval(gate=GATES[i])) for i')
    scores = gates.replace("value)", "value if gate_of(question) == 'fail' else 0)")
    head = (
        "GATES = ['fail'] * 4 + ['warn'] * 3 + ['off'] * 3\ndef gate_of(question): return GATES[int(question[1])]\n"
    )
    suite.commit("not gated", **{"test_app.py": head + scores})
    result, report = suite.report()
    assert result.ret == 0
    assert verdicts(report) == {"passed": "pass", "good": "pass"}
    assert report["decision"]["metrics"]["good"]["cases"] == 4
    assert report["cases"]["test_app.py::test_answer[q9]"]["scores"]["good"] == [0.0]


def test_metric_lines_decide_what_counts_as_worse(
    suite: Project, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {"loose": 1.0, "strict": 1.0, "watched": 1.0, "unread": 1.0, "size_a": 3.5, "size_b": 3.5, "wide": 3.5}
    for _ in range(3):
        history.session(scores=before)
    metrics(
        suite,
        "loose: higher, tolerance=0.6",
        "strict: higher, tolerance=0.3",
        "watched: higher, gate=warn",
        "unread: gate=off",
        "size_*: score, lower",
        "wide: max=4",
        "floor: min=0.9",
    )
    scored(monkeypatch, loose=0.5, strict=0.5, watched=0.5, unread=0.5, size_a=7.5, size_b=1.5, wide=6.5, floor=0.5)
    result, report = suite.report("--genai-repeats", "1")
    assert result.ret == 1
    assert verdicts(report) == {
        "passed": "pass",
        "good": "inconclusive",
        "loose": "pass",
        "strict": "regressed",
        "watched": "regressed",
        "size_a": "regressed",
        "size_b": "improved",
        "wide": "regressed",
        "floor": "regressed",
    }
    (banner,) = (line for line in result.outlines if "!!!" in line)
    assert "watched" not in banner
    result.stdout.fnmatch_lines(["warning: watched is worse, which only warns: *"])


def test_a_broken_minimum_needs_no_baseline(suite: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics(suite, "good: min=0.9")
    scored(monkeypatch, good=0.5)
    result = suite.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["regressed: good *", "baseline none: *"])


def test_a_metric_line_that_cannot_be_read_is_a_usage_error_that_shows_one_that_can(suite: Project) -> None:
    metrics(suite, "good: higher, tolerence=0.1")
    result = suite.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *'good: higher, tolerence=0.1'*A valid line: '*: *'*"])


def test_more_tokens_only_warn_until_a_line_declares_them(project: Project, history: History) -> None:
    long = "from app import ask as short\ndef ask(question): return short(question + ' please' * 50)\n"
    for _ in range(3):
        history.session(scores={"input_tokens": 1.0, "cost": 1e-7, "latency": 0.001})
    suite = (project.path / "test_app.py").read_text().replace("from app", "from longer")
    project.commit("longer", **{"longer.py": long, "test_app.py": suite})
    result, report = project.report("--genai-repeats", "1")
    assert result.ret == 0
    assert verdicts(report)["input_tokens"] == verdicts(report)["cost"] == "regressed"
    result.stdout.fnmatch_lines(["warning: input_tokens is worse, which only warns: 1 -> *"])
    metrics(project, "input_tokens: tolerance=10%")
    result = project.run("--genai-repeats", "1", "--genai-baseline", "HEAD~2")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["!!!*input_tokens regressed*!!!"])


@pytest.mark.parametrize(("alpha", "code"), [("0.05", 1), ("0.00001", 0)])
def test_alpha_is_the_chance_that_is_taken(
    suite: Project, history: History, monkeypatch: pytest.MonkeyPatch, alpha: str, code: int
) -> None:
    history.session()
    suite.commit("worse")
    scored(monkeypatch, good=0)
    result, report = suite.report("-o", f"genai_alpha={alpha}", "--genai-repeats", "1")
    assert result.ret == code
    assert report["decision"]["alpha"] == float(alpha)
