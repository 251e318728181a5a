"""Every snippet of docs/ runs.

Python under a title is a file; the titled files of one section are a project, whose tests run as plain tests and as a
session, against a loopback LLM. Python without a title is executed beside stand-ins for the reader's own modules.
Commands are ones that exist; ini files and JSON can be read. (YAML is tested with the action, Groovy not at all.)
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from pytest_genaiver.cli import main as cli
from pytest_genaiver.options import settings
from pytest_genaiver.options.table import EVERYWHERE

if TYPE_CHECKING:
    from types import ModuleType

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
READERS_OWN = {
    "support_agent": "def support_agent(question, **_): return f'billing, delivery: {question}'\n",
    "my_app/__init__": "",
    "my_app/scorers": "def brief(outputs): return len(outputs) < 400\n",
}


class Snippet(NamedTuple):
    page: str
    section: str
    language: str
    title: str
    text: str


def snippets() -> list[Snippet]:
    found = []
    for page in sorted(DOCS.glob("*.md")):
        for section in re.split(r"^(?=## )", page.read_text(encoding="utf-8"), flags=re.MULTILINE):
            heading = section.partition("\n")[0].lstrip("# ")
            found += [Snippet(page.name, heading, *match.groups("")) for match in BLOCK.finditer(section)]
    return found


SNIPPETS = snippets()
PROJECTS: dict[tuple[str, str], list[Snippet]] = {}
for one in SNIPPETS:
    if one.language == "python" and one.title:
        # The pages that lead through one project by several sections; the others have one in each.
        PROJECTS.setdefault((one.page, "" if one.page == "start.md" else one.section), []).append(one)


def named(language: str, *, titled: bool = False) -> list[pytest.param]:
    chosen = [s for s in SNIPPETS if s.language == language and bool(s.title) == titled]
    return [pytest.param(s, id=f"{s.page}-{s.section}-{i}") for i, s in enumerate(chosen)]


def test_every_language_has_its_test() -> None:
    assert {s.language for s in SNIPPETS} <= {"python", "sh", "ini", "json", "text", "yaml", "diff", "groovy", "toml"}


def test_a_diff_adds_and_takes_what_the_examples_do() -> None:
    """Of the suites in examples/migration; their annotations are left out on the page."""
    suites = [file.read_text(encoding="utf-8") for file in (DOCS.parent / "examples" / "migration").glob("*/*/*.py")]
    lines = {re.sub(r": \w+(?=[,)])| -> None", "", line) for suite in suites for line in suite.splitlines()}
    changed = [
        line[1:] for one in SNIPPETS if one.language == "diff" for line in one.text.splitlines() if line[0] in "+-"
    ]
    assert len(changed) > 5
    assert [line for line in changed if line not in lines] == []


@pytest.fixture
def place(pytester, make_repo, empty_store, fake_llm: ModuleType, monkeypatch: pytest.MonkeyPatch):
    """A repository with the reader's own modules, and a provider on the loopback interface."""
    repo = make_repo("docs-app")
    shutil.copy(empty_store, repo.path / "mlflow.db")
    for name, text in READERS_OWN.items():
        repo.write(f"{name}.py", text)
        monkeypatch.delitem(sys.modules, name.replace("/__init__", "").replace("/", "."), raising=False)
    repo.write("pytest.ini", "[pytest]\npythonpath = .\n")
    repo.write(".gitignore", "mlflow.db\nmlruns\n.genaiver\n__pycache__\n")
    monkeypatch.chdir(repo.path)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_ID", "RELEASE", "SLACK_WEBHOOK"):
        monkeypatch.delenv(name, raising=False)
    with fake_llm.FakeLLM(seed=1, answer=lambda messages, n: f"Yes: {messages[-1]['content'][:40]} ({n})") as llm:
        for name, value in llm.environment.items():
            monkeypatch.setenv(name, value)
        yield repo


@pytest.mark.story
@pytest.mark.parametrize("files", PROJECTS.values(), ids=[f"{page}-{section}" for page, section in PROJECTS])
def test_titled_files_of_a_section_are_a_project_that_runs(files, place, pytester, monkeypatch) -> None:
    for file in files:
        place.write(file.title, file.text)
        monkeypatch.delitem(sys.modules, Path(file.title).stem, raising=False)
    if not any(file.title.startswith("test_") for file in files):
        place.write("test_any.py", "def test_any(): pass\n")
    place.commit("snippets")
    plain = pytester.runpytest_inprocess("-p", "pytest_genaiver.plugin", "-q")
    assert plain.ret == 0, plain.outlines
    if any("genai_eval" in file.text for file in files):
        session = pytester.runpytest_inprocess("-p", "pytest_genaiver.plugin", "--genai-version")
        assert session.ret == 0, session.outlines
        assert any(line.startswith("pass: first session") for line in session.outlines)


@pytest.mark.parametrize("snippet", named("python"))
def test_python_runs(snippet, place, monkeypatch) -> None:
    monkeypatch.syspath_prepend(place.path)
    exec(compile(snippet.text, snippet.page, "exec"), {"__name__": "snippet", "pytest": pytest})


@pytest.mark.parametrize("snippet", named("json"))
def test_json_can_be_read(snippet) -> None:
    assert [json.loads(line) for line in snippet.text.splitlines() if line.strip()]


@pytest.mark.parametrize("snippet", named("ini"))
def test_ini_files_can_be_read(snippet, pytester) -> None:
    text = snippet.text if snippet.text.startswith("[") else f"[pytest]\n{snippet.text}"
    pytester.makefile(".ini", pytest=text)
    settings.read_settings(pytester.parseconfig("-p", "genaiver"), {})


@pytest.mark.parametrize("snippet", named("sh"))
def test_commands_exist(snippet) -> None:
    subprocess.run(["bash", "-n", "-c", snippet.text], check=True)
    flags = {"--genai-version", *(option.flag for option in EVERYWHERE)}
    assert set(re.findall(r"--genai-[a-z-]+", snippet.text)) <= flags
    for line in snippet.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["genaiver"] and len(words) > 1 and not words[1].startswith("-"):
            assert words[1] in cli.COMMANDS, line
            known = {flag for p in cli.main.get_command(None, words[1]).params for flag in p.opts}
            ours = words[: words.index("--")] if "--" in words else words
            assert {word.partition("=")[0] for word in ours if word.startswith("--")} <= {*known, "--help"}, line


def test_the_site_is_built_without_a_warning(tmp_path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=DOCS.parent, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    home = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "make my LLM app worse" in home
    # Fonts and analytics would tell others who reads.
    assert not re.findall(r'(?:src|href)="https?://(?!squidfunk)[^"]+\.(?:css|js|woff2?)', home)


def test_every_page_is_in_the_navigation() -> None:
    listed = re.findall(r"([\w-]+\.md)$", (DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(page.name for page in DOCS.glob("*.md"))


def test_links_lead_somewhere() -> None:
    found = [
        (page.name, link)
        for page in DOCS.glob("*.md")
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    ]
    assert [(page, link) for page, link in found if "://" not in link and not (DOCS / link).exists()] == []


def test_the_messages_that_the_page_explains_are_ours() -> None:
    """Each fixed piece of a quoted message stands in the source."""
    package = Path(settings.__file__).parents[1]
    source = "\n".join(file.read_text(encoding="utf-8") for file in package.rglob("*.py"))
    source = re.sub(r'"\s*\n\s*f?"', "", source)
    rows = re.findall(r"^\| (.*?) \| .*\|$", (DOCS / "troubleshooting.md").read_text(encoding="utf-8"), re.MULTILINE)
    pieces = [p.strip() for row in rows for quoted in re.findall(r"`([^`]+)`", row) for p in quoted.split("…")]
    assert len(pieces) > 12
    assert [piece for piece in pieces if piece not in source] == []
