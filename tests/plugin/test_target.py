"""`target=`: the app is called ahead of its tests and beside them, with everything that its fixtures set up."""

from __future__ import annotations

import json
import os
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Project

APP = """
import asyncio, threading
from openai import AsyncOpenAI, OpenAI

MESSAGES = lambda question: [{"role": "user", "content": question}]
together = threading.Barrier(4, timeout=5)

def ask(question):
    with OpenAI(max_retries=0) as client:
        reply = client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES(question))
        return reply.choices[0].message.content

async def ask_async(question):
    async with AsyncOpenAI(max_retries=0) as client:
        reply = await client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES(question))
        return reply.choices[0].message.content

def ask_together(question):
    "Passes only where four are called at once."
    together.wait()
    return ask(question)

def ask_in_a_thread(question):
    found = []
    thread = threading.Thread(target=lambda: found.append(ask(question)))
    thread.start()
    thread.join()
    return found[0]
"""


def suite(project: Project, tests: str, **files: str) -> None:
    text = "import os, time, pytest\nimport app\n\n" + textwrap.dedent(tests)
    project.commit("suite", **{"app.py": APP, "test_app.py": text, **files})


def scores(report: dict[str, Any], metric: str) -> list[Any]:
    return [value for case in report["cases"].values() for value in case["scores"].get(metric, [])]


def test_targets_are_called_together_and_their_traces_are_their_cases(project: Project) -> None:
    suite(
        project,
        """
        @pytest.mark.genai_eval(target=app.ask_together)
        @pytest.mark.parametrize("question", [f"q{i}" for i in range(4)])
        def test_sync(question, genai_case):
            genai_case.score("good", genai_case.output == "good")

        @pytest.mark.genai_eval(target="app:ask_async")
        @pytest.mark.parametrize("question", [f"q{i}" for i in range(4)])
        def test_async(question, genai_case):
            genai_case.score("good", genai_case.output == "good")

        @pytest.mark.genai_eval(target=app.ask_in_a_thread)
        @pytest.mark.parametrize("question", ["q1", "q2"])
        def test_in_a_thread(question, genai_case):
            assert genai_case.output == "good"

        @pytest.mark.genai_eval
        def test_inline(genai_case):
            genai_case.output = app.ask("q")

        def test_plain():
            assert app.ask("q") == "good"
        """,
    )
    result, report = project.report("--genai-concurrency", "4")
    result.assert_outcomes(passed=12)
    assert len(scores(report, "total_tokens")) == 11
    assert len(scores(report, "latency")) == 11
    assert None not in scores(report, "latency")
    assert scores(report, "good") == [1.0] * 8
    traces = project.traces()
    assert report["session"]["traces_stored"] == report["session"]["traces_produced"] == len(traces)
    models = {t.info.trace_metadata["mlflow.modelId"] for t in traces}
    assert models == {report["version"]["model_id"]}
    by_case = {name: case["traces"] for name, case in report["cases"].items()}
    owner = {t.info.trace_id: t.info.tags["mlflow.test.name"] for t in traces}
    assert all(owner[trace] == name for name, ids in by_case.items() for trace in ids)
    calls = [s for t in traces for s in t.data.spans if s.span_type == "CHAT_MODEL"]
    assert len(calls) == 12


def test_an_item_is_called_ahead_only_with_the_fixtures_it_needs_up(project: Project) -> None:
    """Own fixtures are up when the call starts; wider ones stay up until the last call that needs them has ended."""
    suite(
        project,
        """
        STATE = {"module": False, "calls": [], "late": []}

        @pytest.fixture(scope="module", autouse=True)
        def server():
            STATE["module"] = True
            yield
            STATE["module"] = False
            assert not STATE["late"]

        @pytest.fixture
        def setting(monkeypatch):
            monkeypatch.setenv("SETTING", "set")

        def wide(question):
            time.sleep(0.05)
            STATE["calls"].append(question)
            return STATE["module"]

        def narrow(question):
            return os.environ.get("SETTING")

        @pytest.mark.genai_eval(target=wide)
        @pytest.mark.parametrize("question", [f"q{i}" for i in range(6)])
        def test_wide(question, genai_case):
            assert genai_case.output is True
            if genai_case.inputs["question"] == "q0":
                time.sleep(0.3)
                assert len(STATE["calls"]) == 6, "the others were called meanwhile"

        @pytest.mark.genai_eval(target=narrow)
        @pytest.mark.parametrize("question", ["q1", "q2"])
        def test_narrow(question, setting, genai_case):
            assert genai_case.output == "set"

        @pytest.mark.genai_eval(target=narrow)
        @pytest.mark.parametrize("question", ["q1"])
        def test_without_it(question, genai_case):
            assert genai_case.output is None
        """,
    )
    project.run().assert_outcomes(passed=9)


def test_a_fixture_gives_the_target_once_for_all_that_share_it(project: Project) -> None:
    suite(
        project,
        """
        MADE = []

        @pytest.fixture(scope="class", params=["a", "b"])
        def agent(request):
            MADE.append(request.param)
            open_ = [True]
            def ask(question):
                time.sleep(0.02)
                assert open_
                return request.param + question
            yield ask
            open_.clear()

        class TestAgent:
            @pytest.mark.genai_eval(target="agent")
            @pytest.mark.parametrize("question", ["1", "2", "3"])
            def test_answer(self, question, genai_case, request):
                assert genai_case.output == request.node.callspec.params["agent"] + question

        def test_made():
            assert MADE == ["a", "b"]
        """,
    )
    project.run().assert_outcomes(passed=7)


def test_every_repeat_is_called_and_the_gate_can_have_more(project: Project) -> None:
    suite(
        project,
        """
        @pytest.mark.genai_eval(target=app.ask)
        @pytest.mark.parametrize("question", [f"q{i}" for i in range(10)])
        def test_answer(question, genai_case):
            genai_case.score("good", genai_case.output == "good")
        """,
    )
    _, first = project.report("--genai-repeats", "3")
    assert {len(case["scores"]["good"]) for case in first["cases"].values()} == {3}
    assert {len(case["traces"]) for case in first["cases"].values()} == {3}
    project.commit("worse", **{"prompt.txt": "worse"})
    project.answers.share(9)
    result, second = project.report()
    assert result.ret == 1
    assert second["decision"]["metrics"]["good"]["verdict"] == "regressed"
    assert max(len(case["scores"]["good"]) for case in second["cases"].values()) > 1
    assert second["session"]["traces_stored"] == second["session"]["traces_produced"]


def test_what_a_target_raises_is_shown_from_the_apps_frame_on_with_what_it_printed(project: Project) -> None:
    suite(
        project,
        """
        def broken(question):
            print("printed by the target")
            raise ValueError("broken by the app")

        @pytest.mark.genai_eval(target=broken)
        @pytest.mark.parametrize("question", ["seen"])
        def test_seen(question, genai_case):
            print("printed by the test")
            genai_case.output

        @pytest.mark.genai_eval(target=broken)
        @pytest.mark.parametrize("question", ["unseen"])
        def test_unseen(question, genai_case):
            pass

        @pytest.mark.genai_eval(target=broken)
        @pytest.mark.parametrize("question", ["expected"])
        def test_expected(question, genai_case):
            with pytest.raises(ValueError, match="broken by the app"):
                genai_case.output
        """,
    )
    result, report = project.report()
    result.assert_outcomes(failed=2, passed=1)
    output = result.stdout.str()
    assert output.count("E       ValueError: broken by the app") == 2
    assert output.count("- Captured output of the target -") == 2
    assert "ahead.py" not in output
    assert "pool.py" not in output
    assert scores(report, "passed") == [0.0, 0.0, 1.0]
    assert scores(report, "latency") == []


def test_a_target_that_hangs_is_given_up_and_the_providers_failures_are_missing_values(project: Project) -> None:
    suite(
        project,
        """
        from threading import Event

        @pytest.mark.genai_eval(target=lambda question: Event().wait())
        @pytest.mark.parametrize("question", ["q"])
        def test_hangs(question, genai_case):
            genai_case.output

        @pytest.mark.genai_eval(target=app.ask)
        @pytest.mark.parametrize("question", ["q"])
        def test_down(question, genai_case):
            genai_case.output
        """,
    )
    project.answers.status = lambda n: 503
    result, report = project.report("-o", "genai_call_timeout=0.3")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*CallTimeout: the call took longer than genai_call_timeout allows (0.3 s)"])
    assert scores(report, "passed") == [None, None]
    assert report["session"]["calls_failed"] == 2


def test_calls_that_no_test_will_use_are_not_made(project: Project) -> None:
    suite(
        project,
        """
        def ask(question):
            with open("calls.txt", "a") as file:
                file.write(question + "\\n")
            time.sleep(0.3)

        @pytest.mark.genai_eval(target=ask)
        @pytest.mark.parametrize("question", [f"q{i}" for i in range(20)])
        def test_answer(question, genai_case):
            assert genai_case.inputs["question"] != "q1"

        @pytest.mark.skip
        @pytest.mark.genai_eval(target=ask)
        @pytest.mark.parametrize("question", ["skipped"])
        def test_skipped(question, genai_case):
            pass
        """,
        **{".gitignore": "mlflow.db\n__pycache__/\ncalls.txt\n"},
    )
    calls = project.path / "calls.txt"
    result, report = project.report("-x", "--genai-concurrency", "2")
    result.assert_outcomes(failed=1, passed=1)
    assert len(calls.read_text().split()) <= 10
    assert report["session"]["complete"] is False
    assert report["session"]["traces_stored"] == report["session"]["traces_produced"]
    result.stdout.fnmatch_lines(["* targets were called ahead, and no test used the answer"])
    calls.unlink()
    project.run("-k", "test_skipped or q3").assert_outcomes(skipped=1, passed=1, deselected=19)
    assert calls.read_text().split() == ["q3"]


def test_the_known_cost_is_limited_and_the_session_then_partial(project: Project) -> None:
    suite(
        project,
        """
        @pytest.mark.genai_eval(target=app.ask)
        @pytest.mark.parametrize("question", [f"q{i}" for i in range(8)])
        def test_called(question, genai_case):
            genai_case.output

        @pytest.mark.genai_eval
        @pytest.mark.parametrize("question", [f"q{i}" for i in range(8)])
        def test_inline(question, genai_case):
            genai_case.output = app.ask(question)
        """,
    )
    _, whole = project.report()
    one = scores(whole, "cost")[0]
    result, report = project.report("--genai-max-cost", f"{one * 3.5:.8f}", "--genai-concurrency", "1")
    result.assert_outcomes(passed=4, skipped=12)
    result.stdout.fnmatch_lines(
        ["*cut short (the known cost has reached --genai-max-cost, * USD: 12 of 16 cases did not run)*"]
    )
    assert report["session"]["complete"] is False
    assert len(report["cases"]) == 4


def test_a_stream_is_collected_and_its_first_token_timed(project: Project) -> None:
    suite(
        project,
        """
        async def stream(question):
            for word in ("a ", "stream"):
                yield word

        @pytest.mark.genai_eval(target=stream)
        @pytest.mark.parametrize("question", ["q"])
        def test_stream(question, genai_case):
            assert genai_case.output == "a stream"
        """,
    )
    result, report = project.report()
    result.assert_outcomes(passed=1)
    assert len(scores(report, "first_token")) == 1
    assert scores(report, "first_token")[0] <= scores(report, "latency")[0]


def test_the_same_file_runs_as_plain_tests(project: Project) -> None:
    suite(
        project,
        """
        @pytest.fixture
        def agent():
            return app.ask

        @pytest.mark.genai_eval(target="agent")
        @pytest.mark.parametrize("question", ["q"])
        def test_fixture(question, genai_case):
            assert genai_case.output == "good"

        @pytest.mark.genai_eval(target="app:ask_async")
        @pytest.mark.parametrize("question", ["q"])
        def test_async(question, genai_case):
            assert genai_case.output == genai_case.output == "good"

        def broken(question):
            raise ValueError("broken by the app")

        @pytest.mark.genai_eval(target=broken)
        @pytest.mark.parametrize("question", ["q"])
        def test_broken(question, genai_case):
            for _ in range(2):
                with pytest.raises(ValueError, match="broken by the app"):
                    genai_case.output
        """,
    )
    project.plain().assert_outcomes(passed=3)
    project.run().assert_outcomes(passed=3)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            "'nothing'",
            "target='nothing' is no fixture of this test; write the name of one, or 'package.module:function'",
        ),
        ("'app:nothing'", "target='app:nothing' cannot be imported: module 'app' has no attribute 'nothing'"),
        ("lambda topic: 1", "target needs topic, but the inputs hold question"),
    ],
)
def test_a_target_that_cannot_be_called_is_a_usage_error(project: Project, target: str, message: str) -> None:
    suite(
        project,
        f"""
        @pytest.mark.genai_eval(target={target})
        @pytest.mark.parametrize("question", ["q"])
        def test_answer(question, genai_case):
            pass
        """,
    )
    result = project.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: test_app.py::test_answer*: genai_eval {message.replace('[', '[[]')}"])


@pytest.mark.story
def test_workers_of_xdist_call_their_share_ahead(project: Project) -> None:
    suite(
        project,
        """
        @pytest.mark.genai_eval(target=app.ask)
        @pytest.mark.parametrize("question", [f"q{i}" for i in range(12)])
        def test_answer(question, genai_case):
            genai_case.score("good", genai_case.output == "good")
        """,
    )
    path = project.path / ".genaiver" / "x.json"
    path.parent.mkdir(exist_ok=True)
    result = project.run("-n2", "--genai-report", os.fspath(path))
    result.assert_outcomes(passed=12)
    report = json.loads(path.read_text())
    assert scores(report, "good") == [1.0] * 12
    assert report["session"]["traces_stored"] == 12


def test_parameters_are_the_targets_and_the_test_need_not_take_them(project: Project) -> None:
    suite = """
import pytest
from app import ask

@pytest.mark.parametrize("style", ["short"])
class TestIt:
    @pytest.mark.genai_eval(target=lambda question, style: ask(question) + style, expectations=("topic",))
    @pytest.mark.parametrize("question, topic", [("q1", "a"), ("q2", "b")])
    def test_none(self, genai_case):
        assert genai_case.output.endswith("short")
        assert genai_case.inputs.keys() == {"question", "style"}

    @pytest.mark.genai_eval(target=lambda question: ask(question))
    @pytest.mark.parametrize("question", ["q1"])
    def test_one(self, genai_case, style):
        assert style == "short"
"""
    project.commit(**{"test_app.py": suite})
    project.plain().assert_outcomes(passed=3)
    project.run().assert_outcomes(passed=3)


def test_a_parameter_that_nothing_takes_stays_a_mistake_without_a_target(project: Project) -> None:
    suite = "import pytest\n@pytest.mark.genai_eval\n@pytest.mark.parametrize('q', [1])\ndef test_a(): pass\n"
    project.commit(**{"test_app.py": suite})
    assert "uses no argument 'q'" in project.plain().stdout.str()
