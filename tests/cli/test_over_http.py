"""The commands that record and look after the record, against a real tracking server."""

from __future__ import annotations

import pytest

from pytest_genaiver.cli.main import NO, OK, USAGE


@pytest.fixture
def remote(recorded, server, monkeypatch):
    """The project's store is behind a server; each test has an experiment of its own."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    ini = (recorded.path / "pytest.ini").read_text()
    name = f"http-{recorded.path.parent.name}"
    recorded.repo.commit("elsewhere", **{"pytest.ini": f"{ini}genai_experiment = {name}\n"})
    return recorded


def test_without_a_record_each_says_so(remote, genaiver) -> None:
    for arguments in (("deploy", "--list"), ("pin", "HEAD"), ("unpin", "HEAD"), ("prune", "--keep", "1", "--yes")):
        done = genaiver(*arguments)
        assert (done.code, done.out) == (USAGE, "")
        assert done.err.startswith("genaiver: no session is recorded in the experiment 'http-")
    assert genaiver("doctor").code == OK


def test_a_version_s_life(remote, genaiver) -> None:
    """Recorded, deployed, superseded, kept while it is pinned or was deployed, pruned where nothing holds it."""
    old = remote.session()
    remote.repo.git("checkout", "--quiet", "--detach")
    remote.commit()
    abandoned = remote.session()
    remote.repo.git("checkout", "--quiet", "main")
    remote.commit()
    new = remote.session()
    assert genaiver("deploy", "--env", "production").code == NO
    assert genaiver("deploy", old.name, "--env", "production").code == OK
    assert genaiver("deploy", "HEAD", "--env", "production").out.endswith(f", after {old.name}\n")
    assert genaiver("deploy", "--env", "production", "--json").json["version"] == new.name
    assert [d["version"] for d in genaiver("deploy", "--list", "--json").json] == [new.name, old.name]
    assert genaiver("pin", abandoned.name).out == f"{abandoned.name} is pinned\n"
    data = genaiver("prune", "--keep", "0", "--yes", "--json").json
    assert (data["versions"], data["kept"][abandoned.model_id], data["dropped"]) == ([], "pinned", False)
    assert genaiver("unpin", abandoned.name).out == f"{abandoned.name} is no longer pinned\n"
    done = genaiver("prune", "--keep", "0", "--yes")
    assert done.code == OK
    assert "dropped: 1 version, 1 session, 0 traces" in done.lines
    assert "files of sessions: not known of a server" in done.out
    assert done.lines[-1].endswith("until somebody runs `mlflow gc`")
    assert genaiver("pin", abandoned.name).code == USAGE
    found = genaiver("doctor", "--json").json
    assert {f["check"] for f in found["findings"]} >= {"server", "experiment", "artifacts", "baseline"}
    assert found["baseline"]["name"] == old.name
