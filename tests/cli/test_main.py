"""The command itself: help, exit codes, errors in one sentence, what it imports."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import distribution

import click
import pytest

from pytest_genaiver import __version__
from pytest_genaiver.cli import main as cli
from pytest_genaiver.errors import ConfigError, StoreError


def test_the_console_script_is_named_genaiver() -> None:
    [entry] = [e for e in distribution("pytest-genaiver").entry_points if e.group == "console_scripts"]
    assert (entry.name, entry.value) == ("genaiver", "pytest_genaiver.cli.main:run")


def test_alone_it_shows_its_help_with_every_command_and_the_exit_codes(genaiver) -> None:
    done = genaiver()
    assert done.code == 0
    assert all(f"  {name} " in done.out for name in cli.COMMANDS)
    assert "Exit codes: 0 done" in done.out


def test_every_command_has_its_help(genaiver) -> None:
    for name in cli.COMMANDS:
        done = genaiver(name, "--help")
        assert (done.code, done.err) == (0, ""), name
        assert f"genaiver {name}" in done.out


def test_it_says_its_version(genaiver) -> None:
    assert genaiver("--version").out == f"pytest-genaiver {__version__}\n"


def test_an_unknown_command_is_a_mistake(genaiver) -> None:
    done = genaiver("shwo")
    assert done.code == cli.USAGE
    assert "No such command" in done.err


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ConfigError("no"), cli.USAGE, "genaiver: no\n"),
        (pytest.UsageError("no"), cli.USAGE, "genaiver: no\n"),
        (StoreError("down"), cli.FAILED, "genaiver: down\n"),
        (KeyboardInterrupt(), cli.INTERRUPTED, "interrupted\n"),
        (click.Abort(), cli.INTERRUPTED, "interrupted\n"),
    ],
)
def test_errors_are_one_line_and_a_code(genaiver, monkeypatch, error, code, line) -> None:
    @click.command()
    def failing() -> None:
        raise error

    monkeypatch.setattr(cli._Late, "get_command", lambda self, ctx, name: failing)
    done = genaiver("failing")
    assert (done.code, done.out, done.err.lstrip("\n")) == (code, "", line)


def test_a_command_s_own_code_is_the_exit_code(genaiver, monkeypatch) -> None:
    @click.command()
    def no() -> int:
        return cli.NO

    monkeypatch.setattr(cli._Late, "get_command", lambda self, ctx, name: no)
    assert genaiver("no").code == cli.NO
    with pytest.raises(SystemExit) as exit_info:
        cli.run(["no"])
    assert exit_info.value.code == cli.NO


def test_help_and_completion_import_nothing_heavy() -> None:
    code = (
        "import sys\nfrom pytest_genaiver.cli.main import code_of\n"
        "assert code_of(['--help']) == 0 and code_of(['completion', 'bash']) == 0\n"
        "print([n for n in ('mlflow', 'pandas', 'numpy', 'git') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_for_each_shell(genaiver, shell) -> None:
    done = genaiver("completion", shell)
    assert done.code == 0
    assert "_GENAIVER_COMPLETE" in done.out


def test_a_reader_that_leaves_is_no_error() -> None:
    code = "from pytest_genaiver.cli.main import run\nrun(['completion', 'bash'])"
    done = subprocess.run(
        ["sh", "-c", '"$0" -c "$1" | true; exit 0', sys.executable, code], capture_output=True, text=True, check=True
    )
    assert "BrokenPipe" not in done.stderr
