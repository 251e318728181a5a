"""Without `--genai-version`: real pytest processes that find the plugin by its entry point, as users' do."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = {"mlflow", "opentelemetry", "pandas", "numpy", "git", "openai", "sqlalchemy"}

# Named by `-p`, it is loaded before the plugins that pytest finds by itself, and so sees what they do.
PROBE = """
import json
import os
import sys

WATCHED = ("socket.", "subprocess.", "os.posix_spawn", "os.fork", "os.exec")
seen = []
sys.addaudithook(lambda event, arguments: seen.append(event) if event.startswith(WATCHED) else None)

def pytest_sessionfinish(session):
    with open(os.environ["PROBE_FILE"], "w") as file:
        json.dump({"modules": sorted(sys.modules), "events": seen}, file)
"""

PLAIN = "def test_plain(): pass\n"

CASES = """
import pytest

@pytest.mark.genai_eval(expectations=("topic",), repeats=3)
@pytest.mark.parametrize("question, topic", [("Where is it?", "delivery"), ("A refund?", "billing")])
def test_topic(question, topic, genai_case, genai_version):
    genai_case.output = f"This is about {topic}."
    genai_case.score("on_topic", topic in genai_case.output, rationale="it says so")
    genai_case.expectations["tone"] = "kind"
    assert genai_case.inputs == {"question": question}
    assert genai_case.expectations == {"topic": topic, "tone": "kind"}
    assert genai_case.id == f"test_app.py::test_topic[{question}-{topic}]"
    assert (genai_case.repeat, genai_case.trace) == (0, None)
    assert (genai_version.name, genai_version.model_id, genai_version.commit) == ("local-dev", None, None)
    genai_version.log_params({"model": "small"})
    with genai_version.use("other") as other:
        assert other is genai_version

@pytest.mark.genai_eval
def test_marked_only():
    pass

@pytest.mark.genai_eval(data="rows.csv")
def test_row(genai_case):
    assert genai_case.inputs == {"question": "Where?"}
    assert genai_case.id == "test_app.py::test_row[late-1]"
"""


@dataclass(frozen=True)
class Run:
    """A finished process of pytest, and what was imported and done in it."""

    exit_code: int
    output: str
    modules: frozenset[str]
    events: tuple[str, ...]

    @property
    def packages(self) -> set[str]:
        return {name.partition(".")[0] for name in self.modules}


@dataclass(frozen=True)
class Project:
    """A folder with one test file, its pytest.ini, and nothing else."""

    path: Path
    probe: Path

    def write(self, tests: str) -> None:
        (self.path / "test_app.py").write_text(tests, encoding="utf-8")

    def files(self) -> dict[str, bytes]:
        return {
            str(file.relative_to(self.path)): file.read_bytes() for file in self.path.rglob("*") if file.is_file()
        }

    def run(self, *arguments: str) -> Run:
        seen = self.probe / "seen.json"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        given = {"PYTHONPATH": str(self.probe), "PYTHONDONTWRITEBYTECODE": "1", "PROBE_FILE": str(seen)}
        # What other plugins import or do by themselves is not ours to answer for.
        alone = [f"-pno:{name}" for name in ("cacheprovider", "asyncio", "xdist", "hypothesispytest", "pytest_cov")]
        command = [sys.executable, "-m", "pytest", "-pprobe", "--strict-markers", *alone, *arguments]
        done = subprocess.run(
            command, cwd=self.path, env=kept | given, capture_output=True, encoding="utf-8", check=False
        )
        probed = json.loads(seen.read_text(encoding="utf-8"))
        return Run(done.returncode, done.stdout + done.stderr, frozenset(probed["modules"]), tuple(probed["events"]))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "app", tmp_path / "probe")
    made.path.mkdir()
    made.probe.mkdir()
    (made.probe / "probe.py").write_text(PROBE, encoding="utf-8")
    (made.path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (made.path / "rows.csv").write_text("id,question\nlate-1,Where?\n", encoding="utf-8")
    return made


@pytest.mark.parametrize("tests", [PLAIN, CASES], ids=["plain", "cases"])
def test_nothing_heavy_is_imported_no_process_started_no_socket_opened_no_file_left(
    project: Project, tests: str
) -> None:
    project.write(tests)
    before = project.files()
    run = project.run()
    assert run.exit_code == 0, run.output
    assert "pytest_genaiver.plugin" in run.modules
    assert not run.packages & HEAVY
    assert not run.events
    assert project.files() == before


def test_a_run_without_cases_imports_the_entry_point_and_what_it_needs_only(project: Project) -> None:
    project.write(PLAIN)
    ours = {name.partition(".")[2] for name in project.run().modules if name.startswith("pytest_genaiver.")}
    assert ours == {
        "plugin",
        "hookspecs",
        "errors",
        "collecting",
        "collecting.marker",
        "collecting.row_parameter",
        "collecting.target_needs",
        "collecting.version_parameter",
        "options",
        "options.settings",
        "options.table",
        "options.values",
    }


def test_the_output_is_that_of_a_run_without_the_plugin(project: Project) -> None:
    project.write(PLAIN)
    assert plain_output(project.run()) == plain_output(project.run("-pno:genaiver"))


def plain_output(run: Run) -> list[str]:
    """The output without times and without pytest's own list of the plugins that are installed."""
    lines = re.sub(r"in \d+\.\d+s =+", "", run.output).splitlines()
    return [line for line in lines if not line.startswith("plugins:")]


def test_cases_run_as_plain_tests_once_each(project: Project) -> None:
    project.write(CASES)
    run = project.run()
    assert run.exit_code == 0
    assert re.search(r"=+ 4 passed in ", run.output)


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("", "test_app.py::test_it: genai_case needs @pytest.mark.genai_eval on the test"),
        ("@pytest.mark.genai_eval(repeat=3)", "test_app.py::test_it: genai_eval has no argument 'repeat'; allowed: "),
        (
            "@pytest.mark.genai_eval(repeats=0)",
            "test_app.py::test_it: genai_eval repeats=0 cannot be used; give a whole number",
        ),
    ],
    ids=["unmarked", "unknown argument", "bad value"],
)
def test_a_marker_that_cannot_be_used_fails_its_test_with_one_sentence(
    project: Project, marker: str, message: str
) -> None:
    project.write(f"import pytest\n{marker}\ndef test_it(genai_case): pass\ndef test_other(): pass\n")
    run = project.run()
    assert run.exit_code == 1
    assert re.search(r"=+ 1 passed, 1 error in ", run.output)
    assert message in run.output


def test_a_value_that_is_no_score_fails_its_test(project: Project) -> None:
    project.write(
        "import pytest\n@pytest.mark.genai_eval\ndef test_it(genai_case): genai_case.score('tone', 'kind')\n"
    )
    run = project.run()
    assert run.exit_code == 1
    assert (
        "score 'tone' is 'kind' (str), but a score must be a bool, a finite number or an MLflow Feedback"
        in run.output
    )
