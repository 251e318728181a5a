"""`genaiver bisect` with sessions that are recorded in place of being run; the last test runs real ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters.tracking.place import place_of
from pytest_genaiver.adapters.tracking.store import Store
from pytest_genaiver.bisecting.running import Ran
from pytest_genaiver.cli import bisect
from pytest_genaiver.cli import main as cli
from pytest_genaiver.concluding.closing import results_text
from pytest_genaiver.core.results import CaseResult, SessionFacts, Version, VersionResults

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Repo

PACKAGE = Path(__file__).parents[2]
GOOD, BAD = [1.0] * 19 + [0.0], [1.0, 0.0] * 10


class World:
    """A project of which commit number `first_bad` broke the app; sessions are recorded in place of being run."""

    def __init__(self, recorded, commits: int, first_bad: int) -> None:
        self.recorded = recorded
        self.shas = [recorded.commit(f"change {i}") for i in range(commits)]
        self.store = Store(place_of(f"sqlite:///{recorded.path}/mlflow.db", recorded.path))
        self.store.open("app")
        self.first_bad = first_bad
        self.ran: list[tuple[int, int]] = []
        self.broken: dict[int, str] = {}
        self.interrupt_after: int | None = None
        self.values: dict[int, list[float]] = {}

    @property
    def ends(self) -> tuple[str, str]:
        return self.shas[0], self.shas[-1]

    def record(self, number: int, repeats: int = 1, **scores: list[float]) -> None:
        """One session of that commit, made without a work tree of it."""
        sha = self.shas[number]
        values = self.values.get(number, BAD if number >= self.first_bad else GOOD)
        given = {"passed": values, "brevity": [0.5] * 20, **scores}
        version = Version(name=f"app-{sha[:8]}", app="app", commit=sha)
        tags = {"genaiver.app": "app", "genaiver.commit": sha, "genaiver.dirty": "false"}
        model_id = self.store.version(version.name, tags, {})
        run_id = self.store.start_session(version.name, {"genaiver.model_id": model_id}, model_id)
        facts = SessionFacts(
            id=run_id, run_id=run_id, started="2026-01-01T00:00:00+00:00", complete=True, repeats=repeats
        )
        cases = {
            f"test_app.py::test_answer[q{i}]": CaseResult(
                id=f"test_app.py::test_answer[q{i}]",
                digest=f"q{i}",
                function="test_app.py::test_answer",
                scores={metric: [row[i]] * repeats for metric, row in given.items()},
            )
            for i in range(20)
        }
        text = results_text(VersionResults(version=version, session=facts, cases=cases))
        self.store.save_results(run_id, text, {})
        self.store.end_session(run_id, {"genaiver.complete": "true"}, ok=True)

    def run(self, place, commit: str, repeats: int, say) -> Ran:
        """Stands in for `run_commit`."""
        number = self.shas.index(commit)
        if self.interrupt_after is not None and len(self.ran) >= self.interrupt_after:
            raise KeyboardInterrupt
        self.ran.append((number, repeats))
        if number in self.broken:
            return Ran(why=self.broken[number], tail=("E  ImportError: no module",))
        self.record(number, repeats)
        return Ran()

    @property
    def numbers(self) -> list[int]:
        return [number for number, _ in self.ran]


@pytest.fixture
def make_world(recorded, monkeypatch: pytest.MonkeyPatch) -> Callable[..., World]:
    def make(commits: int = 10, first_bad: int = 6) -> World:
        world = World(recorded, commits, first_bad)
        monkeypatch.setattr(bisect, "run_commit", world.run)
        return world

    return make


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """Ten commits of which the seventh broke it; GOOD and BAD are recorded five times."""
    made = make_world()
    made.record(0, 5)
    made.record(9, 5)
    return made


def test_the_first_bad_commit_is_named_with_all_that_one_wants_to_know(world: World, genaiver) -> None:
    done = genaiver("bisect", *world.ends)
    assert done.code == 0
    sha = world.shas[6]
    assert done.lines[0].startswith(f"{sha[:8]} is the first bad commit (posterior 0.9")
    assert done.lines[1:4] == [
        "  change 6",
        "  Ada, 2023-11-14T22:20:20+00:00",
        f"  passed: 0.95 -> 0.50 ({world.shas[0][:8]} -> {world.shas[9][:8]})",
    ]
    assert "    1.00 -> 0.00  test_app.py::test_answer[q1]" in done.lines
    assert f"  {len(world.ran)} runs of {len(set(world.numbers))} commits, 2 known before" in done.lines
    assert done.lines[-1] == f"  next: git show {sha[:8]}"
    assert len(world.ran) <= 4
    assert f"{world.shas[5][:8]}: 1 repeat of every case; " in done.err
    assert not (world.recorded.path / ".genaiver/bisect.json").exists()


def test_what_is_recorded_is_used_for_nothing(world: World, genaiver) -> None:
    for number in (4, 5, 6):
        world.record(number)
    done = genaiver("bisect", *world.ends, "--json")
    assert world.ran == []
    assert done.json["outcome"] == "found"
    assert done.json["first_bad"]["commit"] == world.shas[6]
    assert done.json["first_bad"]["subject"] == "change 6"
    assert (done.json["recorded"], done.json["runs"], done.json["metric"]) == (5, {}, "passed")
    assert (done.json["before"], done.json["after"]) == (0.95, 0.5)
    assert {"case": "test_app.py::test_answer[q1]", "before": 1.0, "after": 0.0} in done.json["moved"]


def test_good_and_bad_are_named_as_any_version_and_need_not_be_recorded(make_world, genaiver) -> None:
    world = make_world(4, 2)
    world.record(3)
    done = genaiver("bisect", "HEAD~3", f"app-{world.shas[3][:8]}", "--json")
    assert done.json["first_bad"]["commit"] == world.shas[2]
    assert world.ran[:2] == [(0, 5), (3, 4)]


def test_a_plan_costs_nothing(world: World, genaiver) -> None:
    done = genaiver("bisect", *world.ends, "--plan")
    assert (done.code, world.ran) == (0, [])
    assert done.lines == [
        "8 commits between GOOD and BAD, 0 of them recorded",
        "runs: about 4 of 1 repeat of 20 cases, at most 32",
        "calls of the app: about 80",
        "cost: unknown",
    ]
    assert not (world.recorded.path / ".genaiver/bisect.json").exists()


def test_a_plan_before_anything_is_known_of_the_ends(make_world, genaiver) -> None:
    world = make_world(4, 2)
    world.record(1)
    done = genaiver("bisect", *world.ends, "--plan", "--json")
    assert done.json["recorded"] == 1
    assert done.json["runs"]["expected"] == 4
    assert (done.json["calls"], done.json["cost"]) == (None, None)
    assert "unknown: neither GOOD nor BAD is recorded" in genaiver("bisect", *world.ends, "--plan").out


def test_a_plan_with_a_price(make_world, genaiver) -> None:
    world = make_world(4, 2)
    for number in (0, 3):
        world.record(number, 5, cost=[0.25] * 20)
    assert "cost: about $10.00" in genaiver("bisect", *world.ends, "--plan").lines


def test_interrupted_it_goes_on_where_it_was(world: World, genaiver) -> None:
    world.interrupt_after = 2
    done = genaiver("bisect", *world.ends)
    assert (done.code, done.err.splitlines()[-1]) == (cli.INTERRUPTED, "interrupted")
    first = list(world.numbers)
    world.interrupt_after = None
    done = genaiver("bisect", *world.ends)
    assert done.code == 0
    assert len(set(world.numbers)) == len(world.numbers)
    assert world.numbers[: len(first)] == first
    assert f"  {len(world.ran)} runs of {len(world.ran)} commits" in done.out


def test_another_search_is_not_forgotten_by_accident(world: World, genaiver) -> None:
    world.interrupt_after = 1
    genaiver("bisect", *world.ends, "--", "-k", "a b")
    world.interrupt_after = None
    done = genaiver("bisect", *world.ends)
    assert done.code == cli.USAGE
    command = f"genaiver bisect {world.shas[0][:12]} {world.shas[9][:12]} -- -k 'a b'"
    assert f"another search is unfinished; go on with it: {command}, or drop it with --restart" in done.err
    assert genaiver("bisect", *world.ends, "--restart").code == 0


def test_one_search_at_a_time(world: World, genaiver) -> None:
    import fcntl

    folder = world.recorded.path / ".genaiver"
    with (folder / "bisect.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = genaiver("bisect", *world.ends)
    assert (done.code, "another genaiver bisect is running" in done.err) == (cli.USAGE, True)


def test_a_commit_that_cannot_run_is_gone_round(world: World, genaiver) -> None:
    world.broken = {5: "its session could not collect its tests"}
    done = genaiver("bisect", *world.ends)
    assert done.code == cli.NO
    assert "E  ImportError: no module" in done.err
    assert f"{world.shas[5][:8]} is skipped: its session could not collect its tests" in done.err
    assert done.lines[0] == "the first bad commit is one of 2, which the evidence does not tell apart:"
    assert done.lines[1].endswith("change 5 (skipped: its session could not collect its tests)")
    assert done.lines[-1] == "  next: let a skipped commit run, or give more repeats with --most"
    assert world.numbers.count(5) == 1
    shown = genaiver("bisect", *world.ends, "--json").json
    assert [suspect["commit"] for suspect in shown["suspects"]] == world.shas[5:7]
    assert (shown["outcome"], shown["first_bad"]) == ("range", None)


def test_a_commit_whose_session_leaves_nothing_is_skipped(world: World, genaiver, monkeypatch) -> None:
    def run(place, commit: str, repeats: int, say) -> Ran:
        return Ran() if commit == world.shas[5] else world.run(place, commit, repeats, say)

    monkeypatch.setattr(bisect, "run_commit", run)
    assert "is skipped: its session left no value" in genaiver("bisect", *world.ends).err


@pytest.mark.parametrize(("number", "end"), [(0, "GOOD"), (9, "BAD")])
def test_an_end_that_cannot_run_ends_the_search(make_world, genaiver, number: int, end: str) -> None:
    world = make_world()
    world.broken = {number: "its session collected no test"}
    world.record(9 - number)
    done = genaiver("bisect", *world.ends)
    assert done.code == cli.USAGE
    assert f"{end} {world.shas[number][:8]} cannot be measured: its session collected no test" in done.err


def test_ends_that_do_not_differ(make_world, genaiver) -> None:
    world = make_world(4, 9)
    world.record(1)
    done = genaiver("bisect", *world.ends, "--most", "5")
    assert done.code == cli.NO
    assert done.lines[0].startswith(
        "GOOD and BAD do not differ in brevity: 0.50 -> 0.50; no drop beyond its tolerance"
    )
    assert "name another metric with --metric" in done.lines[0]
    assert world.ran == [(3, 5), (0, 5)]


def test_a_drop_too_small_for_its_noise_says_which_repeats_would_tell(make_world, genaiver) -> None:
    world = make_world(3, 9)
    world.values = {2: [1.0] * 17 + [0.0] * 3}
    for _ in range(2):
        world.record(0)
        world.record(2)
        world.values = {0: [1.0] * 18 + [0.0] * 2, 2: [1.0] * 16 + [0.0, 0.0, 1.0, 0.0]}
    done = genaiver("bisect", *world.ends, "--most", "2", "--metric", "passed")
    assert (done.code, world.ran) == (cli.NO, [])
    assert "repeats of each would be needed (--most)" in done.lines[0]
    assert "--metric" not in done.lines[0]


def test_a_better_bad_is_no_bad(world: World, genaiver) -> None:
    world.values = {0: BAD, 9: GOOD}
    world.record(0, 20)
    world.record(9, 20)
    done = genaiver("bisect", *world.ends, "--metric", "passed")
    assert done.code == cli.NO
    assert "BAD is better than GOOD in passed" in done.out


def test_a_metric_that_nobody_scored(world: World, genaiver) -> None:
    done = genaiver("bisect", *world.ends, "--metric", "nothing")
    assert done.code == cli.USAGE
    assert "--metric: 'nothing' was not scored; recorded are: brevity, passed" in done.err


def test_other_metrics_that_fell_are_told(make_world, genaiver) -> None:
    world = make_world(2, 1)
    world.record(0, 5, tone=[1.0] * 20)
    world.record(1, 5, tone=[0.5] * 20)
    done = genaiver("bisect", *world.ends, "--metric", "passed")
    assert "  also worse in BAD than in GOOD: tone (--metric)" in done.lines


def test_a_part_of_the_drop_is_told_in_short(world: World, genaiver) -> None:
    world.values = dict.fromkeys(range(3, 6), [1.0] * 14 + [0.0, 1.0] * 3)
    world.values |= dict.fromkeys(range(6, 9), [0.0] * 20) | {9: [0.0] * 20}
    world.record(9, 20)
    world.record(4, 5)
    done = genaiver("bisect", *world.ends)
    short = [sha[:8] for sha in world.shas]
    assert f"  {short[3]} is worse than {short[0]} and better than {short[9]}: more than one" in done.out
    assert done.lines[0].startswith(short[3])


def test_a_merge_names_the_search_within_what_it_brought_in(make_world, genaiver) -> None:
    world = make_world(3, 9)
    world.record(0, 5)
    repo: Repo = world.recorded.repo
    base = repo.sha()
    repo.git("checkout", "--quiet", "-b", "topic")
    tip = repo.commit("topic", **{"topic.txt": "x"})
    repo.git("checkout", "--quiet", "main")
    repo.commit("meanwhile", **{"main.txt": "x"})
    world.shas += [repo.sha(), repo.merge("topic")]
    world.first_bad = len(world.shas) - 1
    world.record(world.first_bad, 5)
    done = genaiver("bisect", world.shas[0], "main", "--", "tests", "-k", "a b")
    assert done.lines[0].startswith(world.shas[-1][:8])
    assert done.lines[-1] == (
        f"  it is a merge; within what it brought in: genaiver bisect {base[:8]} {tip[:8]} -- tests -k 'a b'"
    )


@pytest.mark.parametrize(
    ("ends", "message"),
    [
        (("HEAD", "HEAD"), "GOOD and BAD are both"),
        (("HEAD", "HEAD~2"), "comes after BAD"),
        (("nothing", "HEAD"), "'nothing' is no recorded version, commit, branch, tag or model id"),
        (("HEAD~1", "HEAD", "--copy", "gone"), "--copy: 'gone' does not exist"),
        (("HEAD~1", "HEAD", "--copy", "/"), "--copy: '/' is not in the project"),
        (("HEAD~1", "HEAD", "--most", "21"), "21 is not in the range 1<=x<=20"),
    ],
)
def test_mistakes(world: World, genaiver, ends: tuple[str, ...], message: str) -> None:
    done = genaiver("bisect", *ends)
    assert (done.code, message in done.err) == (cli.USAGE, True), done.err


def test_a_version_with_uncommitted_changes_is_no_commit(world: World, genaiver) -> None:
    world.recorded.repo.write("app.py", "# edited\n")
    version = world.recorded.session()
    done = genaiver("bisect", world.shas[0], version.name)
    assert f"{version.name!r} was recorded with uncommitted changes; name a commit" in done.err


def test_a_version_of_another_clone(world: World, genaiver, tmp_path: Path, monkeypatch) -> None:
    clone = world.recorded.repo.clone(tmp_path / "clone", "--depth=1")
    monkeypatch.chdir(clone.path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{world.recorded.path}/mlflow.db")
    done = genaiver("bisect", f"app-{world.shas[0][:8]}", "HEAD")
    assert "which is not in this clone; fetch it first" in done.err


def test_outside_git(world: World, genaiver, tmp_path: Path, monkeypatch) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\ngenai_app = app\naddopts = -p genaiver\n")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{world.recorded.path}/mlflow.db")
    assert "bisect needs a git repository with commits" in genaiver("bisect", "a", "b").err


APP = """
import random
RATE = {rate}
calls = random.Random({number})
def answer(question):
    return "right" if calls.random() < RATE else "wrong"
"""
TESTS = """
import pytest
from app import answer
from extra import LOADED
@pytest.mark.genai_eval(soft=True)
@pytest.mark.parametrize("question", range(12))
def test_answer(question, genai_case):
    genai_case.output = answer(question)
    assert genai_case.output == "right"
"""


@pytest.mark.story
def test_a_real_search_interrupted_and_gone_on_with_leaves_the_users_tree_alone(recorded, monkeypatch) -> None:
    repo = recorded.repo
    repo.write("test_app.py", TESTS)
    for number in range(4):
        repo.commit(f"change {number}", **{"app.py": APP.format(rate=0.95 if number < 2 else 0.2, number=number)})
    shas = repo.git("log", "--format=%H", "--reverse").split()[1:]
    repo.write("app.py", "raise RuntimeError('half done')\n")
    repo.git("add", "app.py")
    repo.write("extra.py", "LOADED = True\n")
    before = users_state(repo)
    opened = recorded.opened(name="not-a-commit")
    assert opened.store.experiment_id
    environment = {
        **os.environ,
        "PYTHONPATH": str(PACKAGE),
        "GITHUB_ACTIONS": "true",
        "GITHUB_REF": "refs/pull/1/merge",
    }
    code = "from pytest_genaiver.cli.main import run; run()"
    command = [sys.executable, "-c", code, "bisect", shas[0], shas[3], "--copy", "extra.py", "--", "-q"]
    first = subprocess.Popen(
        command,
        cwd=repo.path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_for_a_session(recorded, shas)
    os.killpg(first.pid, signal.SIGINT)
    _, err = first.communicate(timeout=60)
    assert (first.returncode, err.splitlines()[-1]) == (cli.INTERRUPTED, "interrupted"), err
    assert users_state(repo) == before
    second = subprocess.run(command, cwd=repo.path, env=environment, capture_output=True, text=True, check=False)
    assert second.returncode == 0, second.stderr
    assert second.stdout.startswith(f"{shas[2][:8]} is the first bad commit")
    assert "known before" in second.stdout
    assert users_state(repo) == before
    assert opened.store.version_named(f"app-{shas[2][:8]}") is not None


def wait_for_a_session(recorded, shas: list[str]) -> None:
    """Until the first run is recorded and the next one is under way."""
    store = recorded.opened(name="not-a-commit").store
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if any(s.complete for v in store.versions_of_commits(shas, "app") for s in store.sessions(v.model_id)):
            time.sleep(1)
            return
        time.sleep(0.2)
    raise AssertionError("no session was recorded")


def users_state(repo: Repo) -> dict[str, str]:
    asked = ("status --porcelain", "rev-parse HEAD", "branch --all", "worktree list", "stash list", "diff --cached")
    return {question: repo.git(*question.split()) for question in asked}
