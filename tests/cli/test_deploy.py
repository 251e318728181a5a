"""`genaiver deploy`: recording a deployment, listing them, and what ran when."""

from __future__ import annotations

import getpass

import pytest

from pytest_genaiver.cli import deploy as module
from pytest_genaiver.cli.main import FAILED, NO, OK, USAGE


@pytest.fixture(autouse=True)
def ada(monkeypatch):
    """Nobody's CI service, and a zone that every machine agrees on."""
    for name in module._ACTORS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LOGNAME", "ada")


def test_a_version_is_deployed_and_another_after_it(recorded, genaiver) -> None:
    old = recorded.session()
    recorded.commit()
    new = recorded.session()
    first = genaiver("deploy", old.name, "--env", "production", "--at", "2024-02-01T12:00Z")
    assert (first.code, first.err) == (OK, "")
    assert first.out.startswith(f"production: {old.name} from 2024-02-01 ")
    assert first.lines[0].endswith(" on, its first deployment")
    second = genaiver("deploy", "HEAD", "--env", "production")
    assert second.lines[0].endswith(f" on, after {old.name}")
    assert genaiver("deploy", "--env", "production", "--json").json["version"] == new.name
    then = genaiver("deploy", "--env", "production", "--at", "2024-02-02")
    assert then.code == OK
    assert f": {old.name}, since 2024-02-01" in then.out
    assert then.out.endswith(", recorded by ada\n")
    assert (
        genaiver("deploy", "--env", "production", "--at", "2024-02-02", "--json")
        .json["at"]
        .endswith("12:00:00+00:00")
    )


def test_the_list_is_newest_first(recorded, genaiver) -> None:
    version = recorded.session()
    for env, at in (
        ("production", "2024-02-01T12:00Z"),
        ("staging", "2024-01-20T12:00Z"),
        ("production", "2024-03-01"),
    ):
        assert genaiver("deploy", version.name, "--env", env, "--at", at).code == OK
    done = genaiver("deploy", "--list", "--env", "production")
    assert done.code == OK
    assert done.lines[0].split() == ["environment", "version", "from", "until", "by"]
    assert [line.split()[0:3] for line in done.lines[1:]] == [
        ["production", version.name, "2024-03-01"],
        ["production", version.name, "2024-02-01"],
    ]
    assert [line.split()[4] for line in done.lines[1:]] == ["now", "2024-03-01"]
    assert max(map(len, done.lines)) <= 80
    data = genaiver("deploy", "--list", "--json").json
    assert [d["env"] for d in data] == ["production", "production", "staging"]
    assert [d["until"] for d in data] == [None, data[0]["at"], None]


def test_a_deployment_of_the_past_says_what_runs_since(recorded, genaiver) -> None:
    version = recorded.session()
    genaiver("deploy", version.name, "--env", "production", "--at", "2024-03-01")
    done = genaiver("deploy", version.name, "--env", "production", "--at", "2024-02-01")
    assert done.lines[1].startswith("  since 2024-03-01 00:00:00 ")


def test_said_twice_it_is_on_record_once(recorded, genaiver) -> None:
    version = recorded.session()
    for _ in range(2):
        done = genaiver("deploy", version.name, "--env", "production", "--at", "2024-02-01T12:00Z")
    assert done.code == OK
    assert done.out.startswith(f"production: {version.name} is on record for 2024-02-01 ")
    assert len(genaiver("deploy", "--list", "--json").json) == 1
    other = recorded.session(name="other")
    done = genaiver("deploy", other.name, "--env", "production", "--at", "2024-02-01T12:00Z")
    assert (done.code, done.out) == (USAGE, "")
    assert "a record is never overwritten; give another time with --at" in done.err


def test_json_of_a_deployment(recorded, genaiver) -> None:
    version = recorded.session(complete=False)
    data = genaiver("deploy", "HEAD", "--env", "production", "--json").json
    assert (data["version"], data["env"], data["by"], data["before"]) == (version.name, "production", "ada", None)
    assert data["remarks"] == ["note: no session of it was complete: all were cut short"]
    assert genaiver("deploy", "HEAD", "--env", "production", "--json").json["before"] == version.name


def test_what_is_worth_knowing_of_a_version_is_said(recorded, genaiver) -> None:
    recorded.repo.write("app.py", "# edited\n")
    dirty = recorded.session()
    done = genaiver("deploy", dirty.name, "--env", "staging", "--at", "2024-02-01")
    assert done.code == OK
    assert "  note: it holds changes that no commit holds: nobody can check it out again" in done.lines
    assert "  note: it was first evaluated after that time" in done.lines
    empty = recorded.opened(name="app-empty").version
    assert "  note: no session of it is recorded" in genaiver("deploy", empty.name, "--env", "staging").lines


def test_a_time_that_cannot_be_is_refused_for_a_record_is_never_taken_back(recorded, genaiver) -> None:
    version = recorded.session()
    for at, why in (
        ("2999-01-01", " is to come (it is "),
        ("2020-01-01", f" is before the commit of {version.name} "),
    ):
        done = genaiver("deploy", version.name, "--env", "production", "--at", at)
        assert (done.code, done.out) == (USAGE, "")
        assert why in done.err
    assert genaiver("deploy", "--list").code == NO


def test_of_a_commit_that_this_clone_lacks_any_past_time_is_taken(recorded, genaiver) -> None:
    version = recorded.session()
    store = recorded.opened().store
    store.client().set_logged_model_tags(version.model_id, {"genaiver.commit": "1" * 40})
    assert genaiver("deploy", version.model_id, "--env", "production", "--at", "2020-01-01").code == OK


def test_where_nothing_ran_the_answer_is_no(recorded, genaiver) -> None:
    version = recorded.session()
    nothing = genaiver("deploy", "--env", "production")
    assert (nothing.code, nothing.out) == (NO, "no deployment to production is on record\n")
    assert genaiver("deploy", "--list").out == "no deployment is on record\n"
    genaiver("deploy", version.name, "--env", "production", "--at", "2024-02-01")
    early = genaiver("deploy", "--env", "production", "--at", "2024-01-01")
    assert early.code == NO
    assert ": nothing; the first deployment on record is 2024-02-01" in early.out
    assert genaiver("deploy", "--env", "production", "--at", "2024-01-01", "--json").out == "null\n"
    other = genaiver("deploy", "--list", "--env", "prod")
    assert (other.code, other.out) == (NO, "no deployment to prod is on record; environments on record: production\n")
    assert genaiver("deploy", "--list", "--env", "prod", "--json").out == "[]\n"


def test_another_environment_is_named_where_a_new_one_is_made(recorded, genaiver) -> None:
    version = recorded.session()
    genaiver("deploy", version.name, "--env", "production")
    done = genaiver("deploy", version.name, "--env", "prodcution")
    assert done.lines[0].endswith("on, its first deployment (other environments: production)")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "deploy: name a version to record, an environment to ask for (--env ENV), or --list"),
        (("HEAD",), "deploy: name the environment too: --env ENV, such as production"),
        (("HEAD", "--list"), "deploy --list lists what is on record: drop VERSION"),
        (("--list", "--at", "now"), "deploy --list lists what is on record: drop --at"),
        (("HEAD", "--env", "a b"), "--env: 'a b' is no name of an environment; allowed: letters, digits, "),
        (("HEAD", "--env", "a", "--at", "soon"), "--at: 'soon' cannot be used; give an ISO 8601 time, such as "),
        (("nonsense", "--env", "a"), "'nonsense' is no recorded version, commit, branch, tag or model id; "),
    ],
)
def test_mistakes_are_one_sentence(recorded, genaiver, arguments, sentence) -> None:
    recorded.session()
    done = genaiver("deploy", *arguments)
    assert (done.code, done.out) == (USAGE, "")
    assert done.err.startswith(f"genaiver: {sentence}")
    assert done.err.count("\n") == 1


def test_without_a_record_nothing_is_made(recorded, genaiver) -> None:
    (recorded.path / "mlflow.db").unlink()
    for arguments in (("deploy", "--list"), ("deploy", "HEAD", "--env", "a"), ("pin", "HEAD"), ("unpin", "HEAD")):
        done = genaiver(*arguments)
        assert (done.code, done.out) == (USAGE, "")
        assert done.err.startswith("genaiver: no session is recorded in the experiment 'app' of ")
    assert not (recorded.path / "mlflow.db").exists()


def test_a_broken_store_is_one_sentence(recorded, genaiver) -> None:
    (recorded.path / "mlflow.db").write_bytes(b"no database")
    done = genaiver("deploy", "--list")
    assert done.code == FAILED
    assert done.err.startswith("genaiver: cannot open the MLflow store ")


def test_who_recorded_it(monkeypatch) -> None:
    assert module._who() == "ada"
    monkeypatch.setenv("GITHUB_ACTOR", "octocat")
    assert module._who() == "octocat"
    monkeypatch.delenv("GITHUB_ACTOR")
    monkeypatch.setattr(getpass, "getuser", lambda: {}["nobody"])
    assert module._who() is None


def test_pins(recorded, genaiver) -> None:
    version = recorded.session()
    said = [genaiver(what, "HEAD").out for what in ("pin", "pin", "unpin", "unpin")]
    states = ("pinned", "pinned already", "no longer pinned", "not pinned")
    assert said == [f"{version.name} is {state}\n" for state in states]
    done = genaiver("pin", "nonsense")
    assert (done.code, done.out) == (USAGE, "")
