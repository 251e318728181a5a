"""`genaiver prune`: what goes, what stays, and what is said before and after."""

from __future__ import annotations

import io
from datetime import datetime, timezone

import pytest

from pytest_genaiver.adapters.tracking import pruning
from pytest_genaiver.cli.main import INTERRUPTED, NO, OK, USAGE
from pytest_genaiver.cli.pruning import size


class Terminal(io.StringIO):
    """A person who answers."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def answers(monkeypatch):
    def answer(text: str) -> None:
        monkeypatch.setattr("sys.stdin", Terminal(text))

    return answer


@pytest.fixture
def aged(recorded, monkeypatch):
    """Records a session that began so many days ago; returns the version."""
    from mlflow.store.tracking import sqlalchemy_store

    def session(days: float = 0, **facts):
        then = int((datetime.now(timezone.utc).timestamp() - days * 86_400) * 1000)
        with monkeypatch.context() as patched:
            patched.setattr("mlflow.tracking._tracking_service.client.get_current_time_millis", lambda: then)
            patched.setattr(sqlalchemy_store, "get_current_time_millis", lambda: then)
            return recorded.session(**facts)

    return session


@pytest.fixture
def abandoned(recorded, aged):
    """Records a session of a commit that is on no branch any more."""

    def session(days: float, **facts):
        recorded.repo.git("checkout", "--quiet", "--detach")
        recorded.commit(f"abandoned {facts}")
        version = aged(days, **facts)
        recorded.repo.git("checkout", "--quiet", "main")
        return version

    return session


def left(recorded) -> set[str]:
    return {v.name for v in pruning.inventory(recorded.opened(name="looker").store, "app")} - {"looker"}


def test_old_versions_go_but_those_that_are_needed(recorded, genaiver, aged, abandoned) -> None:
    old = [abandoned(90 - i, name=f"old-{i}") for i in range(3)]
    deployed, pinned = abandoned(80, name="deployed"), abandoned(80, name="pinned")
    genaiver("deploy", deployed.name, "--env", "production", "--at", "2024-02-01")
    genaiver("pin", pinned.name)
    new = aged(1, name="new")
    assert left(recorded) == {v.name for v in (*old, deployed, pinned, new)}
    dry = genaiver("prune", "--older-than", "30", "--dry-run")
    assert (dry.code, dry.err) == (OK, "")
    assert dry.lines[0] == "to drop, of 7 versions: 3 versions, 3 sessions, 0 traces"
    assert dry.lines[1].split() == ["version", "last", "session", "sessions", "traces", "size"]
    assert [line.split()[0] for line in dry.lines[2:5]] == ["old-0", "old-1", "old-2"]
    assert dry.lines[5].startswith("about 0 bytes of traces in the database; files of sessions: ")
    assert dry.lines[6] == "kept all the same: 1 deployed, 1 pinned"
    assert max(map(len, dry.lines)) <= 80
    assert len(left(recorded)) == 6
    done = genaiver("prune", "--older-than", "30", "--yes")
    assert done.code == OK
    assert done.lines[:7] == dry.lines
    assert done.lines[7] == "dropped: 3 versions, 3 sessions, 0 traces"
    assert "mlflow gc --backend-store-uri sqlite:///" in done.lines[8]
    assert " --tracking-uri sqlite:///" in done.lines[8]
    assert left(recorded) == {"deployed", "pinned", "new"}
    again = genaiver("prune", "--older-than", "30", "--yes")
    assert (again.code, again.lines[0]) == (OK, "nothing to drop, of 4 versions")


def test_what_is_in_a_pool_of_today_s_branches_stays(recorded, genaiver, aged) -> None:
    fork = aged(90)
    recorded.repo.git("branch", "feature")
    recorded.commit()
    between = aged(80, scores={"passed": [1.0]}, verdict="regressed")
    recorded.commit()
    pooled = aged(70, verdict="pass")
    recorded.commit()
    tip = aged(60, verdict="pass")
    recorded.repo.write("app.py", "# edited\n")
    dirty = aged(50)
    recorded.repo.git("checkout", "--quiet", "--", "app.py")
    data = genaiver("prune", "--keep", "0", "--yes", "--json").json
    # The tip pools with its unchanged parent, and that one, since it passed, with the version that it was held
    # against, where a change was found: further back nothing is pooled. The fork is the baseline of the branch.
    assert {v["name"] for v in data["versions"]} == {dirty.name}
    assert {*data["kept"]} == {fork.model_id, between.model_id, pooled.model_id, tip.model_id}
    assert {*data["kept"].values()} == {"in the pool of a baseline"}
    recorded.repo.git("branch", "--delete", "--force", "feature")
    data = genaiver("prune", "--keep", "0", "--yes", "--json").json
    assert [v["name"] for v in data["versions"]] == [fork.name]
    assert data["dropped"] is True
    assert left(recorded) == {between.name, pooled.name, tip.name}


def test_it_asks_and_takes_no_for_an_answer(recorded, genaiver, abandoned, answers) -> None:
    abandoned(90, name="old")
    answers("n\n")
    done = genaiver("prune", "--keep", "0")
    assert done.code == NO
    assert "drop them? [y/N]: " in done.out
    assert left(recorded) == {"old"}
    answers("y\n")
    done = genaiver("prune", "--older-than", "30", "--json")
    assert (done.code, done.json["dropped"]) == (OK, True)
    assert "drop 1 version, 1 session, 0 traces? [y/N]: " in done.err
    assert left(recorded) == set()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "prune: give one of --keep N, the newest versions to keep, and --older-than DAYS"),
        (("--keep", "1", "--older-than", "1"), "prune: give one of --keep N"),
        (("--keep", "1"), "prune asks before it drops anything, and there is no terminal to ask on: give --yes, or "),
    ],
)
def test_mistakes_are_one_sentence(recorded, genaiver, arguments, sentence, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    done = genaiver("prune", *arguments)
    assert (done.code, done.out) == (USAGE, "")
    assert done.err.startswith(f"genaiver: {sentence}")


@pytest.mark.parametrize("number", ["-1", "many", "1.5"])
def test_a_number_is_a_number(recorded, genaiver, number) -> None:
    done = genaiver("prune", "--keep", number, "--dry-run")
    assert (done.code, done.out) == (USAGE, "")
    assert (
        f"Invalid value for '--keep': {number}" in done.err or f"Invalid value for '--keep': '{number}'" in done.err
    )


def test_in_a_shallow_clone_pools_are_unknown(recorded, genaiver, tmp_path, monkeypatch) -> None:
    recorded.commit()
    recorded.session()
    clone = recorded.repo.clone(tmp_path / "shallow", "--depth=1")
    monkeypatch.chdir(clone.path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{recorded.path / 'mlflow.db'}")
    done = genaiver("prune", "--keep", "0", "--yes")
    assert (done.code, done.out) == (USAGE, "")
    assert (
        "this clone is shallow: which versions are baselines cannot be known; run `git fetch --unshallow`" in done.err
    )


def test_outside_git_pools_are_unknown(recorded, genaiver, tmp_path, monkeypatch) -> None:
    recorded.session()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "pytest.ini").write_text("[pytest]\ngenai_app = app\naddopts = -p genaiver\n")
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{recorded.path / 'mlflow.db'}")
    done = genaiver("prune", "--keep", "0", "--dry-run")
    assert (done.code, done.out) == (USAGE, "")
    assert "outside git it cannot be known which versions are baselines" in done.err


def test_interrupted_it_says_how_to_go_on_and_goes_on(recorded, genaiver, abandoned, monkeypatch) -> None:
    for i in range(3):
        abandoned(90 - i, name=f"old-{i}")
    dropped = []

    def stop(store, version, traces, told) -> None:
        if dropped:
            raise KeyboardInterrupt
        dropped.append(version.name)
        real(store, version, traces, told)

    real = pruning.drop
    monkeypatch.setattr(pruning, "drop", stop)
    done = genaiver("prune", "--keep", "0", "--yes")
    assert done.code == INTERRUPTED
    assert done.err.splitlines()[0] == "stopped before the end; the same command goes on from here"
    assert dropped == ["old-0"]
    monkeypatch.setattr(pruning, "drop", real)
    assert genaiver("prune", "--older-than", "30", "--yes").code == OK
    assert left(recorded) == set()


def test_a_version_pinned_meanwhile_is_left_alone(recorded, genaiver, abandoned, monkeypatch) -> None:
    abandoned(90, name="old")
    monkeypatch.setattr(pruning, "still_free", lambda *_: False)
    done = genaiver("prune", "--keep", "0", "--yes")
    assert done.code == OK
    assert done.err == "old was deployed or pinned meanwhile, or is gone: left alone\n"
    assert left(recorded) == {"old"}


def test_a_long_list_is_cut_and_progress_is_told(recorded, genaiver, abandoned, monkeypatch) -> None:
    from pytest_genaiver.cli import prune as command
    from pytest_genaiver.cli import pruning as planning

    for i in range(3):
        abandoned(90 - i, name=f"old-{i}")
    monkeypatch.setattr(planning, "_SHOWN", 2)
    monkeypatch.setattr(command, "_STEP", 4)
    monkeypatch.setattr(pruning, "traces_of", lambda store, version: {f"{version.name}-{i}": 1500 for i in range(3)})
    monkeypatch.setattr(pruning, "drop", lambda store, version, traces, told: [told(1) for _ in traces])
    done = genaiver("prune", "--keep", "0", "--yes")
    assert "and 1 more (--json lists them)" in done.lines
    assert any(line.startswith("about 13.5 KB of traces in the database; ") for line in done.lines)
    assert done.err == "4 of 9 traces dropped\n8 of 9 traces dropped\n"


def test_sizes_in_words() -> None:
    assert [size(n) for n in (0, 999, 1000, 1_400_000, 2_000_000_000)] == [
        "0 bytes",
        "999 bytes",
        "1.0 KB",
        "1.4 MB",
        "2.0 GB",
    ]
