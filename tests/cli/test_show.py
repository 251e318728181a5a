"""`genaiver show`: everything that is recorded of one version."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import click

from pytest_genaiver import looking, opening
from pytest_genaiver.adapters.tracking.deployments import deploy, pin
from pytest_genaiver.adapters.tracking.files import REQUIREMENTS, SNAPSHOT
from pytest_genaiver.cli.main import OK, USAGE, main
from pytest_genaiver.cli.project import open_project
from pytest_genaiver.cli.versions import find_version
from pytest_genaiver.core.snapshot import Snapshot

HOSTILE = "x\x1b[31m\u202e<b>\nnext"


def snapshot_of(**given):
    fields = {
        "commit": "c" * 40,
        "params": {"temperature": "0.2", "k": "5"},
        "models": {"gpt-5": {"temperature": "0.7"}, "gpt-4o": {}},
        "prompts": {"support@3": "d" * 64},
        "dependencies": {"mlflow": "3.17.2", "openai": "1.0"},
        "python": "3.11.9",
        "platform": "Linux",
        "command": "pytest --genai-version",
        **given,
    }
    return Snapshot(**fields)


def files(snapshot):
    return {SNAPSHOT: json.dumps(snapshot.to_json()), REQUIREMENTS: "mlflow==3.17.2\nopenai==1.0\n"}


def test_the_whole_page(recorded, genaiver) -> None:
    snapshot = snapshot_of()
    recorded.session({"on_topic": [1.0, 0.0], "cost": [0.002]}, seconds=12.34, traces_produced=10, traces_stored=9)
    version = recorded.session(
        {"on_topic": [1.0], "cost": [0.002]},
        files=files(snapshot),
        verdict="regressed",
        seconds=2.0,
        traces_produced=10,
        traces_stored=10,
    )
    done = genaiver("show", "HEAD")
    assert (done.code, done.err) == (OK, "")
    assert done.lines == [
        f"version {version.name}",
        f"commit    {version.commit} on main",
        "subject   first",
        f"model id  {version.model_id}",
        "",
        f"snapshot       {snapshot.digest[:16]}",
        "configuration  temperature=0.2, k=5",
        "model          gpt-5 (temperature=0.7)",
        "model          gpt-4o",
        "prompt         support@3 dddddddd",
        f"dependencies   2 packages, digest {snapshot.dependencies_digest[:8]} (-v lists them)",
        "python         3.11.9, Linux",
        "command        pytest --genai-version",
        "",
        "metric       mean  cases  values",
        "on_topic     0.75     10      20",
        "cost      $0.0020     10      20",
        "",
        "session           verdict    cases  repeats    time   traces  baseline",
        "2026-01-03 00:00  regressed     10        1   2.0 s       10",
        "2026-01-02 00:00  pass          10        1  12.3 s  9 of 10",
        "",
        f"look: mlflow ui --backend-store-uri sqlite:///{recorded.path}/mlflow.db",
    ]


def test_verbose_leaves_nothing_out(recorded, genaiver, monkeypatch) -> None:
    monkeypatch.setattr(looking.page, "FEW_SESSIONS", 1)
    snapshot = snapshot_of(params={f"p{i}": "1" for i in range(9)})
    for _ in range(3):
        recorded.session(files=files(snapshot))
    short, whole = genaiver("show", "HEAD"), genaiver("show", "HEAD", "-v")
    assert "p5=1 and 3 more (-v)" in short.out
    assert "and 2 older (-v shows them)" in short.out
    assert "p8=1" in whole.out.replace("\n", " ")
    assert "mlflow=3.17.2" in whole.out
    assert snapshot.digest in whole.out
    assert whole.out.count(" pass ") == 3
    assert "older" not in whole.out


def test_json_holds_it_all(recorded, genaiver) -> None:
    snapshot = snapshot_of()
    version = recorded.session(files=files(snapshot))
    found = genaiver("show", version.name, "--json").json
    assert (found["name"], found["commit"], found["dirty"]) == (version.name, version.commit, False)
    assert found["snapshot"]["digest"] == snapshot.digest
    assert found["metrics"] == [{"metric": "passed", "kind": "binary", "mean": 1.0, "values": 10, "cases": 10}]
    [session] = found["sessions"]
    assert (session["verdict"], session["cases"], session["repeats"], session["complete"]) == ("pass", 10, 1, True)
    assert (found["deployments"], found["pinned"], found["older_sessions"]) == ([], False, 0)


def test_deployments_and_pins(recorded, genaiver) -> None:
    recorded.session()
    with click.Context(main, obj=()) as context:
        project = open_project(context)
    ref = find_version(project, "HEAD")
    deploy(project.store, ref, "production", datetime(2026, 3, 4, 5, 6, tzinfo=timezone.utc), by="ada")
    pin(project.store, ref)
    done = genaiver("show", "HEAD")
    assert "deployed  production from 2026-03-04 05:06 UTC, recorded by ada" in done.lines
    assert "pinned    yes, prune spares it" in done.lines


def test_a_dirty_version_a_variant_and_a_session_that_was_cut_short(recorded, genaiver) -> None:
    recorded.repo.write("app.py", "# edited\n")
    recorded.repo.write("notes.txt", "x")
    version = recorded.session(variant="eu", complete=False, cut_short="-x")
    done = genaiver("show", version.name)
    assert "variant      eu" in done.lines
    assert any(line.startswith("uncommitted  changes ") for line in done.lines)
    assert "untracked    notes.txt" in done.lines
    assert "snapshot  not recorded" in done.lines
    assert "of sessions that were cut short: there is no other" in done.lines
    assert "  2026-01-02 00:00: cut short (-x)" in done.lines


def test_a_version_without_a_session_that_can_be_read(recorded, genaiver) -> None:
    version = recorded.opened().version
    done = genaiver("show", version.name)
    assert (done.code, done.lines[-2]) == (OK, "")
    assert "no session is recorded" in done.out
    assert genaiver("show", version.name, "--json").json["metrics"] == []
    broken = recorded.session()
    [results] = recorded.path.glob("mlruns/**/results.json")
    results.write_text("{}")
    done = genaiver("show", broken.name)
    assert done.code == OK
    assert "warning: a recorded session was left out:" in done.out
    opening.start_run(recorded.opened())
    assert "not finished" in genaiver("show", broken.name).out


def test_a_snapshot_that_cannot_be_read_is_named(recorded, genaiver) -> None:
    recorded.session(files={SNAPSHOT: "{"})
    done = genaiver("show", "HEAD")
    assert "snapshot  not recorded" in done.lines
    assert "warning: the snapshot of run" in done.out


def test_what_models_and_commits_say_stays_in_its_line(recorded, genaiver) -> None:
    given = {"params": {HOSTILE: HOSTILE}, "models": {HOSTILE: {HOSTILE: HOSTILE}}, "command": HOSTILE}
    recorded.commit("evil \x1b[31m subject \u202e")
    recorded.session(files=files(snapshot_of(**given)))
    done = genaiver("show", "HEAD", "-v")
    assert done.code == OK
    assert all(line.isprintable() for line in done.lines)
    assert not any(line.startswith("next") for line in done.lines)


def test_it_fits_the_terminal(recorded, genaiver, monkeypatch) -> None:
    recorded.session({"a_metric_with_a_very_long_name": [0.5]}, files=files(snapshot_of()), seconds=1.0)
    for columns in (40, 60, 80, 120):
        monkeypatch.setenv("COLUMNS", str(columns))
        done = genaiver("show", "HEAD")
        # What is to be copied stays whole.
        kept = [line for line in done.lines if not line.startswith(("look: ", "version "))]
        assert max(map(len, kept)) <= columns


def test_reproduce_prints_the_commands(recorded, genaiver) -> None:
    recorded.repo.git("remote", "add", "origin", "https://ada:secret@example.com/app.git")
    version = recorded.session(files=files(snapshot_of()), command="pytest --genai-version -k 'a b'")
    done = genaiver("show", "HEAD", "--reproduce")
    assert "git clone --quiet https://example.com/app.git " + version.name in done.lines
    assert f"commit={version.commit}" in done.lines
    assert "python3.11 -m venv ../" + version.name + "-venv" in done.lines
    assert "openai==1.0" in done.lines
    assert "secret" not in done.out
    assert done.lines[-2].endswith("pytest --genai-version -k 'a b' --genai-baseline none --genai-repeats 1")
    assert genaiver("show", "HEAD", "--reproduce", "--json").json["commands"] == done.lines


def test_one_case_by_its_id_its_parameters_or_a_part_of_it(recorded, genaiver) -> None:
    recorded.session()
    for case in ("test_app.py::test_answer[q1]", "q1", "answer[q1]"):
        done = genaiver("show", "HEAD", "--reproduce", case)
        assert "pytest --genai-version 'test_app.py::test_answer[q1]' --genai-baseline none" in done.lines[-1]


def test_a_case_that_is_none_or_several(recorded, genaiver) -> None:
    recorded.session()
    several = "is part of several cases: test_app.py::test_answer[q0]"
    for case, said in (("nope", "is no case of app-"), ("answer", several)):
        done = genaiver("show", "HEAD", "--reproduce", case)
        assert (done.code, done.out) == (USAGE, "")
        assert said in done.err


def test_what_cannot_be_recreated(recorded, genaiver) -> None:
    version = recorded.opened().version
    done = genaiver("show", version.name, "--reproduce")
    assert (done.code, "there is no session to recreate" in done.err) == (USAGE, True)


def test_outside_git_versions_have_names_only(recorded, genaiver, monkeypatch) -> None:
    import shutil

    shutil.rmtree(recorded.path / ".git")
    version = recorded.session({"on_topic": [1.0]})
    done = genaiver("show", version.name)
    assert done.code == OK
    assert "commit    none: recorded outside git" in done.lines
    assert "recorded outside git" in genaiver("show", version.name, "--reproduce").err
    assert genaiver("history").code == OK
    other = recorded.session({"on_topic": [0.0]}, name="other")
    assert genaiver("compare", version.name, other.name).code == OK


def test_where_nothing_is_recorded_nothing_is_made(recorded, genaiver) -> None:
    for command in (["show", "HEAD"], ["compare", "HEAD", "main"], ["history"]):
        done = genaiver(*command)
        assert (done.code, done.out) == (USAGE, "")
        assert "no session is recorded" in done.err
    (recorded.path / "mlflow.db").unlink()
    before = sorted(p.name for p in recorded.path.iterdir())
    for command in (["show", "HEAD"], ["compare", "HEAD", "main"], ["history"]):
        assert genaiver(*command).code == USAGE
    assert sorted(p.name for p in recorded.path.iterdir()) == before


def test_a_detached_head(recorded, genaiver) -> None:
    first = recorded.session()
    recorded.commit()
    recorded.session()
    recorded.repo.git("checkout", "--quiet", "--detach")
    for command in (["show", first.commit], ["history"], ["compare", first.commit, "HEAD"]):
        done = genaiver(*command)
        assert (done.code, done.err) == (OK, "")
        assert first.commit[:8] in done.out
