"""`genaiver doctor`: each finding with its fix, in any state of the project, the store and the server."""

from __future__ import annotations

import dataclasses
import os
import socket
import sqlite3
import time
from contextlib import closing

import pytest

from pytest_genaiver.adapters.tracking import health
from pytest_genaiver.cli.checks import comparison, secrets, storage
from pytest_genaiver.cli.checks.finding import fail
from pytest_genaiver.cli.main import NO, OK


@pytest.fixture(autouse=True)
def a_key(monkeypatch):
    for keys in secrets._PROVIDERS.values():
        for key in keys:
            monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")


@pytest.fixture
def found(genaiver):
    """The findings by check; the last of each."""

    def of(*arguments):
        done = genaiver(*arguments, "doctor", "--json")
        assert done.err == ""
        assert done.code == (OK if done.json["ok"] else NO)
        assert all(f["fix"] or f["state"] == "ok" for f in done.json["findings"])
        return {f["check"]: f for f in done.json["findings"]}

    return of


def test_a_healthy_project(recorded, genaiver) -> None:
    old = recorded.session()
    recorded.commit()
    done = genaiver("doctor")
    assert (done.code, done.err) == (OK, "")
    assert done.lines[-1] == "all is well"
    assert {line.split()[0] for line in done.lines[:-1] if not line.startswith(" ")} == {"ok"}
    # A path is not cut: it is there to be copied.
    assert max(len(line) for line in done.lines if "sqlite:///" not in line) <= 80
    assert "\x1b" not in done.out
    assert f"ok    baseline    {old.name}, 1 commit back, " in done.out
    data = genaiver("doctor", "--json").json
    assert (data["ok"], data["baseline"]["name"], data["baseline"]["coverage"]) == (True, old.name, None)
    checks = list(dict.fromkeys(f["check"] for f in data["findings"]))
    assert checks == [
        *("python", "pytest", "mlflow", "openai", "plugin", "xdist", "settings", "git", "depth", "target", "ci"),
        *("secrets", "store", "disk", "clock", "experiment", "artifacts", "version", "baseline"),
    ]
    assert "sesame" not in done.out


def test_nothing_is_made_where_nothing_is_recorded(recorded, found) -> None:
    (recorded.path / "mlflow.db").unlink()
    before = sorted(recorded.path.rglob("*"))
    store = found()["store"]
    assert store["state"] == "warn"
    assert store["text"].endswith("mlflow.db is not there yet: nothing is recorded")
    assert store["fix"] == "pytest --genai-version"
    assert sorted(recorded.path.rglob("*")) == before


def test_a_first_commit_has_nothing_to_compare_with(recorded, found) -> None:
    recorded.session()
    baseline = found()["baseline"]
    assert (baseline["state"], baseline["text"]) == ("warn", "none: no ancestor (first commit of main)")
    assert baseline["fix"] == "record this commit: later ones compare with it"


def test_an_empty_store_and_no_recorded_ancestor(recorded, found) -> None:
    assert found()["experiment"]["text"] == "no experiment 'app' in the store: nothing is recorded"
    recorded.commit()
    recorded.session()
    baseline = found()["baseline"]
    assert baseline["text"] == "none: no recorded ancestor (parent on main)"
    assert "on the target branch" in baseline["fix"]


def test_settings_that_cannot_be_used(recorded, found) -> None:
    result = found("-o", "genai_gate=strickt")
    assert list(result)[-1] == "settings"
    assert (result["settings"]["state"], "strickt" in result["settings"]["text"]) == ("fail", True)


def test_outside_git(recorded, found, tmp_path, monkeypatch) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -p genaiver\n")
    monkeypatch.chdir(folder)
    result = found()
    assert (result["git"]["state"], result["git"]["fix"]) == ("warn", "git init")
    assert "target" not in result


def test_git_that_does_not_answer(recorded, found, monkeypatch) -> None:
    (recorded.path / ".git" / "HEAD").write_text("nonsense")
    assert found()["git"]["state"] in ("warn", "fail")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("pytest_genaiver.adapters.git.git_available", lambda: False)
    assert "install git" in found()["git"]["fix"]


def test_no_commit_yet(recorded, found) -> None:
    recorded.repo.git("checkout", "--quiet", "--orphan", "empty")
    assert found()["git"]["text"].startswith("no commit yet")


def test_a_shallow_clone_without_its_target_branch(recorded, found, tmp_path, monkeypatch) -> None:
    recorded.commit()
    recorded.session()
    recorded.commit()
    clone = recorded.repo.clone(tmp_path / "shallow", "--depth=1")
    monkeypatch.chdir(clone.path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{recorded.path / 'mlflow.db'}")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_BASE_REF", "release")
    result = found()
    assert (result["depth"]["state"], "fetch-depth: 0" in result["depth"]["fix"]) == ("warn", True)
    assert result["target"]["state"] == "warn"
    assert result["target"]["fix"] == "git fetch origin release"
    assert result["ci"]["text"] == "github, a pull request onto release"
    assert result["baseline"]["state"] in ("ok", "warn")


def test_uncommitted_changes(recorded, found) -> None:
    version = recorded.session()
    recorded.repo.write("app.py", "# edited\n")
    result = found()
    assert result["git"]["text"].endswith(", with uncommitted changes: this session would be no baseline")
    assert result["baseline"]["text"].startswith(f"{version.name}, same commit, ")


def test_the_configured_baseline_is_looked_up(recorded, found) -> None:
    recorded.session()
    recorded.commit()
    assert found("-o", "genai_baseline=none")["baseline"]["text"] == "none is asked for"
    wrong = found("-o", "genai_baseline=deployed:production")["baseline"]
    assert (wrong["state"], "nothing was deployed to production" in wrong["text"]) == ("fail", True)
    (recorded.path / "mlruns").rename(recorded.path / "gone")
    lost = found()
    assert (lost["artifacts"]["state"], "restore mlruns/" in lost["artifacts"]["fix"]) == ("fail", True)


def test_a_session_left_out_is_named(recorded, found) -> None:
    recorded.session()
    recorded.commit()
    recorded.session()
    recorded.commit()
    for file in (recorded.path / "mlruns").rglob("results.json"):
        file.write_text("{")
    done = found()
    assert (done["baseline"]["state"], done["artifacts"]["state"]) == ("warn", "ok")
    assert "a recorded session was left out" in done["baseline"]["text"]


@pytest.mark.parametrize(
    ("revision", "text", "fix"),
    [
        ("451aebb31d03", "made by an older MLflow than", "then: mlflow db upgrade sqlite:///"),
        ("ffffffffffff", "made by a newer MLflow than", "pip install --upgrade mlflow"),
    ],
)
def test_a_store_of_another_mlflow(recorded, found, revision, text, fix) -> None:
    with closing(sqlite3.connect(recorded.path / "mlflow.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    result = found()
    assert result["store"]["state"] == "fail"
    assert text in result["store"]["text"]
    assert fix in result["store"]["fix"]
    assert "experiment" not in result


@pytest.mark.parametrize(
    ("content", "state", "text"),
    [(b"", "warn", "holds no MLflow schema yet"), (b"no database" * 99, "fail", "cannot read")],
)
def test_a_file_that_is_no_store(recorded, found, content, state, text) -> None:
    (recorded.path / "mlflow.db").write_bytes(content)
    store = found()["store"]
    assert (store["state"], text in store["text"]) == (state, True)


@pytest.mark.parametrize("uri", ["sqlite://", "./mlruns"])
def test_a_store_that_cannot_hold_versions(recorded, found, uri, monkeypatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    result = found()
    assert list(result)[-1] == "store"
    assert result["store"]["state"] == "fail"


@pytest.mark.parametrize(
    ("changes", "check", "state", "text"),
    [
        ({"free": 5e8}, "disk", "warn", "0.5 GB free"),
        ({"free": 1e6}, "disk", "fail", "0.0 GB free"),
        ({"ahead": 90.0}, "clock", "warn", "the file system's is 90 s ahead"),
        ({"ahead": -90.0}, "clock", "warn", "the file system's is 90 s behind"),
        ({"writable": False, "ahead": None}, "store", "fail", "cannot be written"),
    ],
)
def test_what_may_be_wrong_with_a_file(recorded, found, monkeypatch, changes, check, state, text) -> None:
    real = health.look_at_file
    monkeypatch.setattr(health, "look_at_file", lambda path: dataclasses.replace(real(path), **changes))
    result = found()
    assert (result[check]["state"], text in result[check]["text"]) == (state, True)


def test_a_store_in_git(recorded, found) -> None:
    recorded.session()
    recorded.repo.write(".gitignore", "mlruns\n.genaiver\n__pycache__/\n")
    assert found()["ignored"]["fix"] == "echo mlflow.db >> .gitignore; the same for mlruns"
    recorded.repo.commit("oh no")
    assert found()["ignored"]["fix"] == "git rm --cached mlflow.db"


def test_another_database(recorded, found, monkeypatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://ada:sesame@127.0.0.1:1/mlflow")
    monkeypatch.setattr(
        storage, "recorded", lambda store, experiment: [fail("experiment", "no driver", "install it")]
    )
    result = found()
    assert result["store"]["text"] == "postgresql://127.0.0.1:1/mlflow"


def test_a_dead_and_a_hanging_server_are_given_up_in_seconds(recorded, found, monkeypatch) -> None:
    monkeypatch.setattr(storage, "PATIENCE", 1.3)
    before = dict(os.environ)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hanging = f"http://127.0.0.1:{silent.getsockname()[1]}"
        for uri, fix in (
            (hanging, ("look at the server", "start the server")),
            ("http://127.0.0.1:1", ("start the",)),
        ):
            monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
            begun = time.monotonic()
            server = found()["server"]
            assert time.monotonic() - begun < 5
            assert server["state"] == "fail"
            assert server["fix"].startswith(fix)
    assert {**os.environ, "MLFLOW_TRACKING_URI": ""} == {**before, "MLFLOW_TRACKING_URI": ""}


@pytest.mark.parametrize(
    ("answer", "state", "text"),
    [
        ({}, "ok", " answers in 10 ms, MLflow 99.1 (here "),
        ({"version": "3.0.0"}, "warn", ": older than its client"),
        ({"seconds": 2.0}, "warn", " answers in 2000 ms, MLflow 99.1"),
        ({"status": 404, "version": None}, "warn", ", with HTTP 404: is it MLflow?"),
        ({"status": 401, "version": None}, "fail", " refuses this user (HTTP 401)"),
    ],
)
def test_what_a_server_answers(recorded, found, monkeypatch, answer, state, text) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow.example:5000")
    given = {"status": 200, "version": "99.1", "seconds": 0.01, "ahead": 3.0, **answer}
    monkeypatch.setattr(health, "look_at_server", lambda uri, seconds: health.ServerHealth(**given))
    monkeypatch.setattr(storage, "recorded", lambda store, experiment: [])
    result = found()
    assert (result["server"]["state"], text in result["server"]["text"]) == (state, True)
    assert ("clock" in result) == (state != "fail")


def test_a_store_that_stops_answering(recorded, found, monkeypatch) -> None:
    def late(seconds, work):
        raise TimeoutError

    recorded.session()
    with monkeypatch.context() as patched:
        patched.setattr(comparison, "within", late)
        assert found()["baseline"]["text"] == "the search took more than 15 s"
    monkeypatch.setattr(storage, "within", late)
    result = found()
    assert result["experiment"]["text"] == "the store did not answer within 5 s"
    assert "baseline" not in result


def test_a_version_without_a_session(recorded, found) -> None:
    recorded.opened()
    result = found()
    assert result["experiment"]["state"] == "ok"
    assert "artifacts" not in result


def test_what_must_be_mended_is_counted(recorded, genaiver, monkeypatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite://")
    monkeypatch.delenv("OPENAI_API_KEY")
    done = genaiver("doctor")
    assert (done.code, done.lines[-1]) == (NO, "1 to mend, 1 to look at")
    assert any(line.startswith(" " * 18 + "-> set genai_tracking_uri") for line in done.lines)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert genaiver("doctor").lines[-1] == "nothing to mend, 2 to look at"
