"""The action's steps, run in clones of a repository against a loopback GitHub: a first pull request, the next push to
it, a regression, a fork.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
SUITE = """
import pathlib, pytest

@pytest.mark.genai_eval
@pytest.mark.parametrize("n", range(20))
def test_answer(n, genai_case):
    genai_case.output = "open at nine"
    genai_case.score("right", n >= int(pathlib.Path(__file__).with_name("wrong.txt").read_text()))
"""
EXPRESSION = re.compile(r"\$\{\{ (.*?) \}\}")


class Runner:
    """What GitHub's runner does with a composite action, as far as this one asks for it.

    `cache` is a folder: saved under its key, restored by the first restore key that a saved one starts with.
    """

    def __init__(self, workspace, cache, *, event, inputs, github, temp):
        action = YAML(typ="safe").load((ROOT / "action.yml").read_text())
        self.steps = action["runs"]["steps"]
        self.workspace, self.cache, self.temp = workspace, cache, temp
        given = {name: str(value.get("default", "")) for name, value in action["inputs"].items()}
        self.facts = {
            **{f"inputs.{name}": value for name, value in {**given, "token": "ghs_x", **inputs}.items()},
            "github.event_name": "pull_request" if event.get("number") else "push",
            "github.event.pull_request.number": str(event.get("number", "")),
            "github.head_ref || github.ref_name": event["branch"],
            "github.base_ref || github.event.repository.default_branch": "main",
            "github.run_id": str(event["run"]),
            "github.run_attempt": "1",
        }
        self.github = github
        self.log = ""

    def value(self, text):
        return EXPRESSION.sub(lambda m: self.facts[m[1]], text)

    def run(self):
        """Run every step; returns the exit code of the first that failed. Later ones run where they say so."""
        failed = 0
        for step in self.steps:
            if not self._wanted(step.get("if", ""), failed):
                continue
            code = self._cached(step) if "uses" in step else self._shell(step)
            failed = failed or code
        return failed

    def _wanted(self, condition, failed):
        parts = [part.strip() for part in condition.split("&&") if part.strip()]
        if failed and "always()" not in parts:
            return False
        return all(self._holds(part) for part in parts if part != "always()")

    def _holds(self, part):
        name, sign, value = re.fullmatch(r"(\S+) (==|!=) '(.*)'", part).groups()
        return (self.facts.get(name, "") == value) == (sign == "==")

    def _cached(self, step):
        name = step["uses"].partition("@")[0]
        if name == "actions/upload-artifact":
            self.uploaded = sorted(p.name for p in Path(self.value(step["with"]["path"])).iterdir())
        elif name == "actions/cache/save":
            for path in step["with"]["path"].split():
                source = self.workspace / path
                if not source.exists():  # told by the action, no failure
                    continue
                to = self.cache / self.value(step["with"]["key"]) / path
                to.parent.mkdir(parents=True, exist_ok=True)
                (shutil.copytree if source.is_dir() else shutil.copy)(source, to)
        else:
            assert name == "actions/cache/restore"
            self._restore(self.value(step["with"]["restore-keys"]).split())
        return 0

    def _restore(self, prefixes):
        saved = sorted(self.cache.iterdir(), key=lambda p: p.stat().st_mtime, reverse=True)
        found = next((s for prefix in prefixes for s in saved if s.name.startswith(prefix)), None)
        if found is not None:
            shutil.copytree(found, self.workspace, dirs_exist_ok=True)

    def _shell(self, step):
        outputs = self.temp / "outputs"
        outputs.write_text("")
        environment = {
            **os.environ,
            **self.github,
            **{name: self.value(value) for name, value in step.get("env", {}).items()},
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_OUTPUT": str(outputs),
            "GITHUB_STEP_SUMMARY": str(self.temp / "summary.md"),
            "RUNNER_TEMP": str(self.temp),
        }
        folder = self.workspace / self.value(step.get("working-directory", "."))
        # As GitHub runs `shell: bash`.
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        self.log += done.stdout + done.stderr
        for line in outputs.read_text().splitlines():
            name, _, value = line.partition("=")
            self.facts[f"steps.{step.get('id')}.outputs.{name}"] = value
        return done.returncode

    def output(self, name):
        return self.facts.get(f"steps.read.outputs.{name}")


@pytest.fixture
def act(make_repo, tmp_path, github, monkeypatch):
    """act(wrong=…) commits an app of so many wrong answers, clones it shallowly, and runs the action there."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    repo, cache = make_repo("app"), tmp_path / "cache"
    cache.mkdir()
    ignored = "mlflow.db\nmlruns\n.genaiver\n__pycache__/\n"
    repo.commit(
        "first", **{"test_app.py": SUITE, "wrong.txt": "0", ".gitignore": ignored, "pytest.ini": "[pytest]\n"}
    )
    runs = iter(range(1, 99))

    def run(*, number=None, wrong=None, branch="main", **inputs):
        event = {"number": number, "branch": branch, "run": next(runs)}
        if number and branch != repo.git("branch", "--show-current"):
            repo.git("switch", "--quiet", "--create", branch)
        if wrong is not None:
            repo.commit(f"{wrong} wrong", **{"wrong.txt": str(wrong)})
        place = tmp_path / f"clone-{event['run']}" / "app"
        repo.clone(place, "--depth=1", f"--branch={branch}", "--no-single-branch")
        temp = tmp_path / f"temp-{event['run']}"
        temp.mkdir()
        environment = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_REF": f"refs/pull/{number}/merge" if number else f"refs/heads/{branch}",
            "GITHUB_HEAD_REF": branch if number else "",
            "GITHUB_BASE_REF": "main" if number else "",
            "GITHUB_SHA": repo.sha(branch),
        }
        given = {"install": "", "args": "-p no:cacheprovider -p genaiver", **inputs}
        runner = Runner(place, cache, event=event, inputs=given, github=environment, temp=temp)
        runner.code = runner.run()
        return runner

    return run


@pytest.mark.story
def test_from_the_first_pull_request_to_a_regression_and_a_fork(act, github) -> None:
    main = act()
    assert (main.code, main.output("verdict"), main.output("baseline")) == (0, "pass", "none"), main.log
    assert main.uploaded == ["report.html", "report.json", "report.md"]
    assert github.comments == []

    first = act(number=17, branch="topic", wrong="00")
    assert first.code == 0, first.log
    assert (first.output("verdict"), first.output("baseline")) == ("pass", main.output("version"))
    assert [c["body"].partition("\n")[0] for c in github.comments] == ["<!-- pytest-genaiver:app -->"]

    worse = act(number=17, branch="topic", wrong=15)
    assert (worse.code, worse.output("verdict")) == (1, "regressed"), worse.log
    assert len(github.comments) == 1
    assert "regressed" in github.comments[0]["body"]
    assert (
        "::warning file=test_app.py,line=4,title=genaiver%3A right got worse::test_app.py::test_answer[" in worse.log
    )
    assert worse.uploaded == ["report.html", "report.json", "report.md"]

    # A fork's token may not comment: the verdict stands, the report is in the summary and the artifact.
    github.refuse = 403
    comment = next(s for s in worse.steps if s["name"].startswith("Comment"))
    assert worse._shell(comment) == 0
    assert "the token may not comment here (403)" in worse.log


def test_a_session_that_cannot_start_keeps_its_exit_code_and_says_none(act, github) -> None:
    refused = act(number=17, branch="topic", args="-p genaiver --genai-alpha-typo=1")
    assert refused.code == 4
    assert [refused.output(name) for name in ("verdict", "version", "baseline")] == ["none"] * 3
    assert "there is no report in report.md" in refused.log
    assert github.comments == []
