"""Reports for people: --genai-report x.html and x.md, a CI job's summary, JUnit XML; and that no secret is in any."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Project

KEY = "sk-proj-" + "aB3dE5gH7jK9mN1pQ3sT"
PASSWORD = "pass 'w\"ord\\ <7>"
SUITE = """
import os
import pytest
from app import ask

KEY = "sk-proj-" + "aB3dE5gH7jK9mN1pQ3sT"

@pytest.mark.genai_eval(soft=True)
@pytest.mark.parametrize("question", [f"q{i}" for i in range(10)])
def test_answer(question, genai_case):
    os.environ["LATE_SECRET"] = "known-only-now-1"
    genai_case.output = {"answer": ask(question), "key": KEY, "late": ["known-only-now-1"]}
    genai_case.score("good", genai_case.output["answer"] == "good", rationale=f"denied for {KEY}")
    genai_case.log(headers={"Authorization": f"Bearer {KEY}"}, password=os.environ["APP_PASSWORD"])
    assert question != "q3", f"not with {KEY} and {os.environ['APP_PASSWORD']}"
"""
SECRETS = (KEY, PASSWORD, json.dumps(PASSWORD)[1:-1], "known-only-now-1")


@pytest.fixture(scope="session", autouse=True)
def drawn_once() -> None:
    """What draws the page is imported before the first session: pytester forgets what an inner run imported."""
    import matplotlib.backends.backend_svg  # noqa: F401


def refuse(*_: object) -> None:
    raise StoreError("the store is gone")


def leaks(folder: Path) -> list[str]:
    """Every file below that holds a secret; sources and git's own are not reports."""
    files = [
        f for f in folder.rglob("*") if f.is_file() and f.suffix not in (".py", ".pyc") and ".git" not in f.parts
    ]
    assert {"mlflow.db", "details.json", "results.json", "x.html", "x.md", "x.json", "junit.xml"} <= {
        f.name for f in files
    }
    return [f"{f.name}: {secret}" for f in files for secret in SECRETS if secret.encode() in f.read_bytes()]


def test_what_people_read_and_that_no_secret_is_anywhere(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_PASSWORD", PASSWORD)
    monkeypatch.setenv("LATE_SECRET", "")
    project.run()
    project.answers.share(3)
    step = project.path / "step.md"
    step.write_text("# before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step))
    ini = (project.path / "pytest.ini").read_text() + "genai_report_outputs = true\n"
    ignored = "mlflow.db\n__pycache__/\n*.html\n*.md\nx.json\njunit.xml\n"
    project.commit("worse", **{"test_app.py": SUITE, "pytest.ini": ini, ".gitignore": ignored})
    reports = [arg for suffix in ("html", "md", "json") for arg in ("--genai-report", f"x.{suffix}")]
    result = project.run("-v", "--junitxml=junit.xml", *reports)

    assert result.ret == 1
    shown = result.stdout.str()
    assert not [
        secret for secret in SECRETS if secret in shown.partition(" genai version ")[2].partition("short test")[0]
    ]
    assert leaks(project.path) == []
    # The call that was traced, its question and its tokens, are whole.
    assert sum(t.info.token_usage is not None for t in project.traces()) == 30

    page = (project.path / "x.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.S)[1])  # type: ignore[index]
    (case,) = (c for c in data["cases"] if c[0].endswith("[q5]"))
    assert data["verdicts"][case[1]] == "suspect"
    assert case[4] == "question: q5"
    assert "".join(text for kind, text in case[6] if kind != 2) == "good"
    assert "bad" in "".join(text for kind, text in case[6] if kind != 1)
    assert (len(case[9]), len(case[10])) == (1, 2)
    assert "[masked]" in page
    assert page.count('<svg class="plot"') >= 4

    text = (project.path / "x.md").read_text(encoding="utf-8")
    assert text.startswith("<!-- pytest-genaiver:app -->\n### \N{CROSS MARK} regressed&#58; good")
    assert "<p>current</p><pre>" in text
    assert step.read_text(encoding="utf-8") == f"# before\n{text}"

    junit = (project.path / "junit.xml").read_text(encoding="utf-8")
    assert '<property name="genai_verdict" value="regressed"' in junit
    assert '<property name="genai_metric:good" value="1.00 -&gt; 0.30 (regressed)"' in junit
    assert junit.count('<property name="genai_score:good" value="0"') == 7
    assert junit.count('<property name="genai_score:latency"') == 10


def test_a_report_that_cannot_be_written_is_one_line(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = """
import pathlib

def test_z():
    pathlib.Path("out.html").mkdir()
"""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.path / "no" / "such" / "folder"))
    monkeypatch.setattr("pytest_genaiver.concluding.reporting.metrics_of_commits", refuse)
    project.commit(**{"test_z.py": blocked})
    result = project.run("--genai-report", "out.html", "--genai-report", "out.md")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "*GenaiverWarning: the report lacks the history: the store is gone",
            "*GenaiverWarning: cannot write '*out.html': *",
            "*GenaiverWarning: cannot write '*folder': *",
        ]
    )
    text = (project.path / "out.md").read_text(encoding="utf-8")
    assert "pass&#58; first session" in text
    assert "<pre>" not in text


def test_what_the_baseline_left_is_missing_where_it_cannot_be_read(project: Project) -> None:
    project.run()
    project.commit("now")
    (details,) = project.path.rglob("details.json")
    details.write_text("{", encoding="utf-8")
    result = project.run("--genai-report", "out.html")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*GenaiverWarning: the report lacks what run * of the baseline left: *"])
    (data,) = re.findall(
        r'<script id="data" type="application/json">(.*?)</script>',
        (project.path / "out.html").read_text(encoding="utf-8"),
        re.S,
    )
    assert [(case[6], len(case[8])) for case in json.loads(data)["cases"]] == [(None, 1)] * 10


def test_a_secret_in_a_test_id_is_masked_in_what_is_stored(project: Project) -> None:
    suite = f"""
import pytest

@pytest.mark.genai_eval
@pytest.mark.parametrize("text", ["{KEY}", "{KEY}1", "plain"])
def test_safe(text, genai_case):
    genai_case.score("ok", "sk-" in text)
"""
    project.commit("keys", **{"test_app.py": suite})
    project.run()
    project.commit("now")
    _, report = project.report()
    first, second, plain = report["cases"]
    assert re.fullmatch(r"test_app\.py::test_safe\[\[masked-[0-9a-f]{8}\]\]", first)
    assert first != second
    assert plain == "test_app.py::test_safe[plain]"
    assert report["changes"]["new"] == report["changes"]["removed"] == []
    stored = [project.path / "mlflow.db", *project.path.rglob("results.json"), *project.path.rglob("cases.json")]
    assert len(stored) >= 3
    assert [file.name for file in stored if KEY.encode() in file.read_bytes()] == []
