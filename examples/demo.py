"""A team's day with pytest-genaiver, played in a temporary git repository: `make demo`.

The team records its support agent, makes a harmless change, and is stopped before it merges a worse prompt.
Every step runs the real `pytest --genai-version` and is checked; the demo exits 0 when each did what it
should, else 1.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path

EXAMPLE = Path(__file__).parent / "customer_support"
BASELINE_SEEDS = (1, 2, 3)
UNCHANGED_SEED = 4
WORSE_SEED = 5

GITIGNORE = "mlflow.db*\nmlruns/\n.genaiver/\n__pycache__/\n.pytest_cache/\n"
WORSE_PROMPT = """\
You are the friendly support agent of Mill Lane, a furniture shop.
Answer the customer in a warm and helpful tone. Keep it short.
"""

# Only these reach the demo's commands: keys, proxies, CI variables and pytest options of the caller stay out.
KEPT_VARIABLES = ("PATH", "HOME", "USERPROFILE", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP", "LANG", "PYTHONPATH")
MACHINE_LINES = ("platform ", "rootdir: ", "configfile: ", "plugins: ", "asyncio: ")
GIT_IDENTITY = {
    f"GIT_{role}_{field}": value
    for role in ("AUTHOR", "COMMITTER")
    for field, value in (("NAME", "The support team"), ("EMAIL", "team@example.org"))
}


class DemoError(Exception):
    """A step did not do what it should."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One finished command: what it printed, and how it ended."""

    exit_code: int
    stdout: str
    stderr: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One finished `pytest --genai-version`, with the results file that it wrote."""

    command: str
    run: Run
    results: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The team's repository; results files lie beside it, so that they never become part of a commit."""

    repository: Path
    results: Path

    def git(self, *arguments: str) -> None:
        """Run a git command. Raises DemoError with git's own words when it fails."""
        run = self._run(["git", *arguments])
        if run.exit_code:
            raise DemoError(f"`git {' '.join(arguments)}` exited with {run.exit_code}:\n{run.stderr}")

    def commit(self, message: str) -> None:
        """Commit everything."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        say(f"$ git add --all && git commit --message {message!r}")

    def branch(self, name: str) -> None:
        """Start a branch from main, as a pull request does."""
        self.git("checkout", "--quiet", "-b", name, "main")
        say(f"$ git checkout -b {name} main")

    def evaluate(self, name: str, *, seed: int) -> Session:
        """Run the evaluation of what is checked out; `seed` fixes the answers of the loopback LLM."""
        options = ["--genai-version", "--genai-report", f"../results/{name}.json"]
        colour = "--color=yes" if sys.stdout.isatty() else "--color=no"
        run = self._run([sys.executable, "-m", "pytest", *options, colour], FAKE_LLM_SEED=str(seed))
        return Session(command=" ".join(["pytest", *options]), run=run, results=self.results / f"{name}.json")

    def _run(self, command: list[str], **more: str) -> Run:
        kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        fixed = {
            "COLUMNS": "80",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        }
        start = time.perf_counter()
        done = subprocess.run(
            command,
            cwd=self.repository,
            env=kept | fixed | GIT_IDENTITY | more,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        seconds = time.perf_counter() - start
        return Run(exit_code=done.returncode, stdout=done.stdout, stderr=done.stderr, seconds=seconds)


def main() -> int:
    """Play the day; 0 when every step did what it should."""
    if shutil.which("git") is None:
        print("the demo needs git, which is not on the PATH", file=sys.stderr)
        return 1
    folder = Path(tempfile.mkdtemp(prefix="genaiver-demo-")).resolve()
    project = Project(repository=folder / "support-app", results=folder / "results")
    try:
        create(project)
        record_baseline(project)
        merge_harmless_change(project)
        catch_worse_prompt(project)
    except DemoError as error:
        print(f"\nThe demo failed: {error}\nIts repository is left in {project.repository}", file=sys.stderr)
        return 1
    tell_what_to_open(project)
    return 0


def create(project: Project) -> None:
    """Make the team's repository from the example app."""
    shutil.copytree(EXAMPLE, project.repository, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    project.results.mkdir()
    (project.repository / ".gitignore").write_text(GITIGNORE, encoding="utf-8")
    heading("The team's repository")
    say(f"A customer support agent with 40 evaluation cases, in {project.repository}")
    say("A loopback server plays the LLM: no key, no cost, answers at random but seeded.")
    project.git("init", "--quiet")
    project.git("symbolic-ref", "HEAD", "refs/heads/main")
    project.commit("Add the support agent")


def record_baseline(project: Project) -> None:
    """Step 1: the first sessions of main have nothing to compare with; they become the baseline."""
    heading("Step 1: record main as the baseline")
    say("Answers are random: each further session of a commit makes it a stronger baseline.")
    for number, seed in enumerate(BASELINE_SEEDS, start=1):
        session = project.evaluate(f"1-baseline-{number}", seed=seed)
        check(session, exit_code=0, verdict="pass")
        show(session, folded=number > 1)


def merge_harmless_change(project: Project) -> None:
    """Step 2: a commit that changes no behaviour passes, although its answers differ."""
    heading("Step 2: a pull request that changes only the README")
    project.branch("describe-the-shop")
    with (project.repository / "README.md").open("a", encoding="utf-8") as readme:
        readme.write("\nThe shop is called Mill Lane.\n")
    project.commit("Name the shop in the README")
    session = project.evaluate("2-unchanged", seed=UNCHANGED_SEED)
    check(session, exit_code=0, verdict="pass")
    show(session)


def catch_worse_prompt(project: Project) -> None:
    """Step 3: a commit with a worse prompt fails, and the report names the metric and the broken cases."""
    heading("Step 3: a pull request that simplifies the prompt")
    project.branch("simplify-the-prompt")
    (project.repository / "prompts" / "system.md").write_text(WORSE_PROMPT, encoding="utf-8")
    project.commit("Simplify the system prompt")
    session = project.evaluate("3-worse-prompt", seed=WORSE_SEED)
    check(session, exit_code=1, verdict="regressed", mentions=("on_topic", "test_support["))
    show(session)


def tell_what_to_open(project: Project) -> None:
    """Step 4: where to look next."""
    heading("What to open next")
    store = project.repository / "mlflow.db"
    say("Every version, trace and score, in MLflow's pages:")
    say(f"  mlflow ui --backend-store-uri sqlite:///{store.as_posix()}")
    say("The results of each session, each usable as --genai-baseline:")
    for results in sorted(project.results.iterdir()):
        say(f"  {results}")
    say("The repository, to go on from here:")
    say(f"  cd {project.repository}")
    say("How to use it in your project:")
    say(f"  {EXAMPLE.parents[1] / 'README.md'}")
    say("")
    say("Each step did what it should.")


def check(session: Session, *, exit_code: int, verdict: str, mentions: tuple[str, ...] = ()) -> None:
    """Hold a session against what it should do. Raises DemoError with its whole output when it did not."""
    run = session.run
    problems = []
    if run.exit_code != exit_code:
        problems.append(f"exit code {run.exit_code} instead of {exit_code}")
    if not re.search(rf"\b{verdict}\b", run.stdout):
        problems.append(f"the terminal does not say {verdict!r}")
    problems += [f"the terminal does not mention {text!r}" for text in mentions if text not in run.stdout]
    decided = verdict_of(session.results)
    if decided != verdict:
        problems.append(f"the results file says {decided!r} instead of {verdict!r}")
    if problems:
        whole = textwrap.indent(f"{run.stdout}\n{run.stderr}", "    ")
        raise DemoError(f"{session.results.stem}: {'; '.join(problems)}. It printed:\n{whole}")


def verdict_of(results: Path) -> str | None:
    """The verdict in a results file; None when there is no such file."""
    if not results.exists():
        return None
    verdict: str = json.loads(results.read_text(encoding="utf-8"))["decision"]["verdict"]
    return verdict


def show(session: Session, *, folded: bool = False) -> None:
    """Print what pytest printed, without its lines about the machine; folded: its last line only."""
    lines = session.run.stdout.strip().splitlines()
    kept = lines[-1:] if folded else [line for line in lines if not line.startswith(MACHINE_LINES)]
    say(f"$ {session.command}")
    for line in kept:
        say(f"  | {line}".rstrip())
    say(f"  [{len(lines) - len(kept)} lines folded] exit code {session.run.exit_code}, {session.run.seconds:.1f} s\n")


def heading(text: str) -> None:
    say(f"\n{text}\n{'-' * len(text)}")


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
