"""`genaiver history`: the versions along the branch, and where a metric changed."""

from __future__ import annotations

import io
import shutil
import sys

import pytest

from pytest_genaiver.cli.main import NO, OK, USAGE, code_of

GOOD, BAD = [1.0], [1.0, 0.0]


@pytest.fixture
def line(recorded):
    """Versions whose metric falls with the third commit of five; the versions, oldest first."""
    found = []
    for i in range(5):
        found.append(recorded.session({"on_topic": GOOD if i < 2 else BAD, "latency": [0.5]}, cases=40))
        if i < 4:
            recorded.commit(f"change {i} \x1b[31m")
    return found


def test_the_whole_page(line, genaiver) -> None:
    done = genaiver("history")
    assert (done.code, done.err) == (OK, "")
    shas = [version.commit[:8] for version in line]
    assert done.lines == [
        "on_topic along main: 5 versions, newest first",
        "0.50 to 1.00; higher is better",
        "",
        f"2023-11-14  {shas[4]}  0.50  █             change 3 \\x1b[31m",
        f"2023-11-14  {shas[3]}  0.50  █             change 2 \\x1b[31m",
        f"2023-11-14  {shas[2]}  0.50  █             change 1 \\x1b[31m",
        "  ^ fell 1.00 -> 0.50, over 40 cases (p below 0.0001)",
        f"2023-11-14  {shas[1]}  1.00  ████████████  change 0 \\x1b[31m",
        f"2023-11-14  {shas[0]}  1.00  ████████████  first",
        "",
        "other metrics (--metric): latency",
    ]


def test_json_holds_it_all(line, genaiver) -> None:
    found = genaiver("history", "--json", "--metric", "on_topic").json
    assert [v["name"] for v in found["versions"]] == [v.name for v in reversed(line)]
    assert [v["value"] for v in found["versions"]] == [0.5, 0.5, 0.5, 1.0, 1.0]
    [change] = found["change_points"]
    assert (change["commit"], change["worse"], change["before"], change["after"]) == (line[2].commit, True, 1.0, 0.5)
    assert change["p"] <= change["level"]


def test_the_newest_n_of_another_metric(line, genaiver) -> None:
    done = genaiver("history", "-n", "2", "--metric", "latency")
    assert done.lines[:2] == ["latency along main: 2 versions, newest first", "500 ms to 500 ms; lower is better"]
    assert "no change beyond chance and tolerance" in done.lines
    assert line[0].commit[:8] not in done.out


def test_narrow_terminals_without_unicode(line, genaiver, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stdout)
    assert code_of(["history"]) == OK
    stdout.flush()
    lines = stdout.buffer.getvalue().decode("ascii").splitlines()
    assert max(map(len, lines)) <= 40
    assert f"2023-11-14  {line[0].commit[:8]}  1.00  ############" in lines
    assert f"2023-11-14  {line[4].commit[:8]}  0.50  #" in lines


def test_only_first_parents_of_head_and_one_variant(recorded, genaiver) -> None:
    first = recorded.session()
    recorded.repo.git("checkout", "--quiet", "-b", "side")
    recorded.commit("on the side")
    side = recorded.session()
    recorded.repo.git("checkout", "--quiet", "main")
    recorded.repo.merge("side")
    merged = recorded.session()
    variant = recorded.session(variant="eu")
    done = genaiver("history")
    assert [done.out.count(v.commit[:8]) for v in (first, side, merged)] == [1, 0, 1]
    assert "passed along main: 2 versions" in done.out
    other = genaiver("-o", "genai_variant=eu", "history", "--json").json
    assert [v["name"] for v in other["versions"]] == [variant.name]


def test_dirty_and_cut_short_versions_are_marked_and_prove_nothing(recorded, genaiver, monkeypatch) -> None:
    recorded.session({"on_topic": GOOD}, cases=40)
    recorded.commit("next")
    recorded.session({"on_topic": BAD}, cases=40, complete=False)
    recorded.repo.write("app.py", "# edited\n")
    recorded.session({"on_topic": BAD}, cases=40)
    done = genaiver("history")
    assert [line.split()[-2:] for line in done.lines[3:5]] == [["[dirty]", "next"], ["short]", "next"]]
    assert "no change beyond chance and tolerance" in done.lines
    monkeypatch.setenv("COLUMNS", "40")
    narrow = genaiver("history")
    assert [line.split()[-1] for line in narrow.lines[3:5]] == ["*", "!"]
    assert "* uncommitted changes, ! cut short" in narrow.lines


def test_a_complete_session_counts_and_one_that_was_cut_short_does_not(recorded, genaiver) -> None:
    recorded.session({"on_topic": [0.25]})
    recorded.session({"on_topic": [0.75]})
    recorded.session({"on_topic": [0.0]}, complete=False)
    [version] = genaiver("history", "--json").json["versions"]
    assert (version["value"], version["sessions"], version["cut_short"]) == (0.5, 2, False)


def test_a_version_without_the_metric_has_no_value(recorded, genaiver) -> None:
    recorded.session({"on_topic": GOOD})
    recorded.commit()
    recorded.session({"passed": GOOD})
    done = genaiver("history", "--metric", "on_topic")
    assert done.lines[3].split()[2] == "-"
    assert genaiver("history").lines[0].startswith("passed along main")


def test_the_metric_that_a_line_of_the_project_names_comes_first(recorded, genaiver) -> None:
    recorded.session({"brief": GOOD, "tone": [3.0]})
    assert genaiver("history").lines[0].startswith("brief ")
    assert genaiver("-o", "genai_metrics=tone: likert", "history").lines[0].startswith("tone ")


def test_an_unknown_metric_says_which_there_are(recorded, genaiver) -> None:
    recorded.session({"on_topic": GOOD})
    done = genaiver("history", "--metric", "nope")
    assert (done.code, done.out) == (USAGE, "")
    assert "--metric: no version along main holds 'nope'; they hold on_topic" in done.err


def test_a_branch_without_a_version_says_what_is_recorded(recorded, genaiver) -> None:
    version = recorded.session()
    recorded.repo.git("checkout", "--quiet", "--orphan", "new")
    recorded.commit("unrelated")
    done = genaiver("history")
    assert (done.code, done.out) == (NO, "")
    assert done.err == f"no version is recorded along new; recorded last: {version.name}\n"
    assert genaiver("history", "--json").json["versions"] == []


def test_a_shallow_clone_says_that_its_history_ends(recorded, genaiver, monkeypatch, tmp_path) -> None:
    recorded.session()
    recorded.commit("next")
    clone = recorded.repo.clone(tmp_path / "shallow", "--depth=1")
    shutil.copy(recorded.path / "mlflow.db", clone.path)
    monkeypatch.chdir(clone.path)
    done = genaiver("history")
    assert done.code == NO
    assert "shallow clone: its history ends early; run `git fetch --deepen=100`" in done.err


def test_outside_git_the_versions_that_were_recorded_last(recorded, genaiver) -> None:
    shutil.rmtree(recorded.path / ".git")
    names = [recorded.session({"on_topic": GOOD}, name=name).name for name in ("one", "two", "three")]
    done = genaiver("history", "-n", "2")
    assert done.lines[0] == "on_topic of app: 2 versions, newest first"
    assert [line.split()[1] for line in done.lines[3:5]] == names[:0:-1]


def test_results_that_cannot_be_read_are_named_and_the_rest_is_shown(line, recorded, genaiver) -> None:
    for results in recorded.path.glob("mlruns/**/results.json"):
        results.write_text("{}")
    done = genaiver("history", "--metric", "on_topic")
    assert done.code == OK
    assert "warning: a recorded session was left out" in done.out
    assert "^" not in done.out


def test_a_logged_commit_s_subject_may_be_empty(recorded, genaiver) -> None:
    recorded.repo.git("commit", "--quiet", "--allow-empty", "--allow-empty-message", "--message", "")
    version = recorded.session()
    done = genaiver("history")
    assert version.name in done.out
