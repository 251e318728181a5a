"""The commands that recreate a version."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import replace

import pytest

from pytest_genaiver.core.recreating import Recipe, quoted, script, without

SHA = "b499aedf10f6cd5b932acb922f7aabd480c21566"
PLAIN = Recipe(
    name="app-b499aedf",
    commit=SHA,
    source="https://github.com/acme/app.git",
    recorded="2026-01-02T03:04:05+00:00",
    command="pytest --genai-version tests -k 'a and b' --model=gpt-5",
    repeats=3,
    python="3.11.9",
    requirements="# Python 3.11.9\nmlflow==3.17.2\n# app: editable, not from a package index\n",
    digest="0123456789abcdef" * 4,
)
UNCOMMITTED = "the changes that were not committed, which were not recorded (genai_code = archive keeps them)"


def lines(**changed):
    return script(replace(PLAIN, **changed))


def command(**changed):
    """The arguments of the pytest command, as a shell splits them."""
    [line] = [line for line in lines(**changed) if line.startswith("MLFLOW_TRACKING_URI=")]
    return shlex.split(line)[1:]


def test_the_whole_script() -> None:
    assert lines() == [
        "# version app-b499aedf, recorded 2026-01-02T03:04:05+00:00",
        "# cannot be recreated: what a model answers, where its provider samples at random or has changed it since",
        "# not recorded: API keys and other variables of the environment; set what the app needs",
        "",
        "git clone --quiet https://github.com/acme/app.git app-b499aedf",
        "cd app-b499aedf",
        f"commit={SHA}",
        'git checkout --quiet --detach "$commit" || '
        '{ git fetch --quiet origin "$commit" && git checkout --quiet --detach "$commit"; }',
        "",
        "python3.11 -m venv ../app-b499aedf-venv",
        ". ../app-b499aedf-venv/bin/activate",
        "python -m pip install --quiet --no-deps --requirement /dev/stdin <<'REQUIREMENTS'",
        "# Python 3.11.9",
        "mlflow==3.17.2",
        "# app: editable, not from a package index",
        "REQUIREMENTS",
        "# if this project is among the editable ones: python -m pip install --no-deps --editable .",
        "",
        "MLFLOW_TRACKING_URI=\"sqlite:///$PWD/mlflow.db\" pytest --genai-version tests -k 'a and b' --model=gpt-5 "
        "--genai-baseline none --genai-repeats 3",
        "# `genaiver show app-b499aedf` then shows the snapshot 0123456789abcdef",
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"dirty": True}, UNCOMMITTED),
        ({"untracked": "notes.txt"}, "untracked files: notes.txt"),
        ({"tested": "f" * 40}, "the merge ffffffff that the session tested; these are the commands for its head"),
        ({"requirements": None}, "the dependencies, which this session did not record"),
    ],
)
def test_what_is_lost_is_said(given, said) -> None:
    assert f"# cannot be recreated: {said}" in lines(**given)


def test_a_version_without_a_snapshot_promises_none() -> None:
    assert lines(digest=None)[-1].startswith("MLFLOW_TRACKING_URI=")


def test_without_recorded_dependencies_no_environment_is_made() -> None:
    assert not any("venv" in line or "pip" in line for line in lines(requirements=None))


def test_uncommitted_changes_are_applied_where_they_were_kept() -> None:
    patch = b"diff --git a/x b/x\n" + bytes(range(256))
    found = lines(dirty=True, patch=patch)
    start = found.index("base64 --decode <<'PATCH' | git apply --index")
    text = "\n".join(found[start:])
    said = subprocess.run(["bash", "-c", f"git() {{ cat; }}; {text}"], capture_output=True, check=False)
    assert said.stdout.startswith(patch)
    assert not any("not committed" in line for line in found)
    assert not any("git apply" in line for line in lines(patch=patch))


def test_submodules_and_the_folder_of_a_project_below_git_s_top() -> None:
    assert "git submodule --quiet update --init --recursive" in lines(submodules=True)
    found = lines(folder="services/my app")
    assert found.index("cd 'services/my app'") < len(found) - 2
    # Case ids start at git's top folder.
    assert not any(line.startswith("cd 'serv") for line in lines(folder="services/my app", node="t.py::t"))


def test_what_a_session_was_compared_with_and_where_it_reported_is_left_out() -> None:
    given = (
        "pytest --genai-version --genai-baseline=main --genai-report out.json --genai-repeats 1:5 "
        "--genai-require-baseline -p no:cacheprovider"
    )
    assert command(command=given) == [
        *("pytest", "--genai-version", "-p", "no:cacheprovider"),
        *("--genai-baseline", "none", "--genai-repeats", "3"),
    ]


def test_one_case_takes_the_place_of_what_was_chosen_and_keeps_other_options() -> None:
    given = "pytest tests/test_a.py -k refund -m 'slow' -x --lf --deselect=a::b -kword --model gpt-5 tests/"
    assert command(command=f"{given} --genai-version", node="tests/test_a.py::test_it[it's]") == [
        *("pytest", "--model", "gpt-5", "--genai-version", "tests/test_a.py::test_it[it's]"),
        *("--genai-baseline", "none", "--genai-repeats", "3"),
    ]


def test_a_case_of_several_variants_runs_with_its_function() -> None:
    assert "# the case is one of several variants, which its function runs together" in lines(
        node="t.py::t", whole_function=True
    )


def test_a_name_of_its_own_and_a_variant_are_said_again() -> None:
    assert command(own_name=True, variant="eu")[-4:] == [
        *("--genai-version-name", "app-b499aedf", "-o", "genai_variant=eu"),
    ]


def test_a_secret_stays_masked_and_is_asked_for() -> None:
    found = lines(command="pytest --genai-version --api-key [masked]")
    assert "# put in for [masked] the secret that was not recorded" in found
    assert "'[masked]'" in found[-2]


@pytest.mark.parametrize("given", [None, "", "pytest 'unbalanced"])
def test_a_command_that_is_unknown_or_cannot_be_split(given) -> None:
    assert command(command=given)[0] == "pytest"


def test_nothing_hostile_leaves_its_place() -> None:
    """Every line is still one line, and a shell sees the words that were recorded."""
    evil = "x'; touch /tmp/owned; #\x1b[31m\nrm -rf ~ $(id) `id`"
    found = lines(
        name=evil,
        source=evil,
        untracked=evil,
        requirements=f"REQUIREMENTS\n{evil}\nfine==1\n",
        command=f"pytest {shlex.quote(evil)}",
    )
    assert all(line.isprintable() for line in found)
    assert found.count("REQUIREMENTS") == 1
    clone = next(line for line in found if line.startswith("git clone"))
    told = f"git() {{ printf '%s\\0' \"$@\"; }}; {clone}"
    said = subprocess.run(["bash", "-c", told], capture_output=True, check=True)
    assert said.stdout.decode().split("\0")[2:4] == [evil, evil]


@pytest.mark.parametrize("text", ["", "a b", "it's", "$HOME", "\x1b[31m", "tab\t'\\", "日本語", "\udc80", "--x"])
def test_a_quoted_argument_reaches_the_program_as_it_was(text) -> None:
    said = subprocess.run(["bash", "-c", f"printf '%s' {quoted(text)}"], capture_output=True, check=True).stdout
    assert said.decode("utf-8", "surrogateescape") == text
    assert quoted(text).isprintable()


def test_options_with_their_values() -> None:
    given = ["-k", "a", "-kb", "--x=1", "--x", "2", "--y", "3", "-q"]
    assert list(without(given, ["-k", "--x"], ["-q"])) == ["--y", "3"]
