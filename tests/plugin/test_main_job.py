"""The main job: record, compare, fail on a regression."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project


def test_a_first_session_passes_and_says_that_it_is_the_first(project: Project) -> None:
    result = project.run()
    assert result.ret == 0
    result.stdout.fnmatch_lines(["pass: first session*", f"version app-{project.repo.sha()[:8]}", "baseline none: *"])


def test_an_unchanged_commit_passes(project: Project) -> None:
    first = project.repo.sha()[:8]
    project.run()
    project.commit("a note", **{"NOTES.md": "nothing"})
    result = project.run()
    assert result.ret == 0
    result.stdout.fnmatch_lines(["pass: *", f"baseline app-{first}, 1 commit back, *"])


def test_a_worse_app_fails_the_session_and_names_the_metric_and_the_cases(project: Project) -> None:
    for _ in range(3):
        project.run()
    project.commit("worse", **{"NOTES.md": "worse"})
    project.answers.share(3)
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "regressed: good *",
            "*good*1.00*0.30*regressed",
            "*test_app.py::test_answer?q9?*",
            "!!!*good regressed !!!*",
        ]
    )
    result.assert_outcomes(passed=10)


def test_every_call_is_traced_linked_scored_and_counted(project: Project) -> None:
    _, report = project.report()
    model_id = report["version"]["model_id"]
    traces = project.traces()
    assert len(traces) == 10 == report["session"]["traces_stored"] == report["session"]["traces_produced"]
    assert report["session"]["sources"] == {"cost": "litellm" if find_spec("litellm") else "mlflow"}
    for trace in traces:
        assert trace.info.trace_metadata["mlflow.modelId"] == model_id
        assert trace.info.trace_metadata["mlflow.sourceRun"] == report["session"]["run_id"]
        assert [s.name for s in trace.data.spans] == [trace.data.spans[0].name, "Completions"]
        assert trace.info.tags["mlflow.test.name"].startswith("test_app.py::test_answer[q")
        assert {a.name: a.value for a in trace.info.assessments} == {"passed": True, "good": True}
        assert trace.info.token_usage is not None
        assert trace.info.token_usage["total_tokens"] > 0


def test_an_interrupted_test_leaves_nothing_behind_in_the_process(project: Project) -> None:
    import mlflow
    from mlflow.tracing.context import get_configured_trace_tags

    interrupted = "import pytest\n@pytest.mark.genai_eval\ndef test_stops(): raise KeyboardInterrupt\n"
    project.commit(**{"test_app.py": interrupted})
    with pytest.raises(KeyboardInterrupt):  # pytester raises again what stopped the inner run
        project.run()
    assert get_configured_trace_tags() is None
    assert mlflow.get_active_model_id() is None
