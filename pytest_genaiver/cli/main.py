"""The `genaiver` command: its group, its exit codes, its errors in one sentence."""

from __future__ import annotations

import os
import sys
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

import click
import pytest

from pytest_genaiver import __version__
from pytest_genaiver.errors import ConfigError, GenaiverError

if TYPE_CHECKING:
    from collections.abc import Sequence

OK, NO, INTERRUPTED, FAILED, USAGE = range(5)
"""Exit codes: done; the answer is no (each command says to what); interrupted; the store or git failed; a mistake in
what was asked. The last three are pytest's own."""

# Imported when it is called for: `genaiver --help` and completion stay quick.
COMMANDS = {
    "show": "pytest_genaiver.cli.show:command",
    "compare": "pytest_genaiver.cli.compare:command",
    "history": "pytest_genaiver.cli.history:command",
    "bisect": "pytest_genaiver.cli.bisect:command",
    "deploy": "pytest_genaiver.cli.deploy:command",
    "pin": "pytest_genaiver.cli.pin:pin",
    "unpin": "pytest_genaiver.cli.pin:unpin",
    "prune": "pytest_genaiver.cli.prune:command",
    "doctor": "pytest_genaiver.cli.doctor:command",
    "completion": "pytest_genaiver.cli.completion:command",
}

EPILOG = (
    "Exit codes: 0 done, 1 the answer is no, 2 interrupted, 3 the store or git failed, 4 a mistake in what was "
    "asked. "
    "VERSION is a version's name, a unique prefix of one, a commit, a branch or tag, or a model id (m-...)."
)


class _Late(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = resolve_name(COMMANDS[cmd_name])
        return command


@click.group(
    cls=_Late, epilog=EPILOG, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option(
    "-o",
    "--override-ini",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override an ini key, as pytest's option of this name does.",
)
@click.version_option(__version__, package_name="pytest-genaiver", message="pytest-genaiver %(version)s")
@click.pass_context
def main(ctx: click.Context, overrides: tuple[str, ...]) -> None:
    """Versions of a GenAI app, as `pytest --genai-version` recorded them.

    Reads the same ini file and environment as pytest does in this folder.
    """
    ctx.obj = overrides
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
    if os.environ.get("NO_COLOR"):
        ctx.color = False


def run(arguments: Sequence[str] | None = None) -> None:
    """The console script."""
    sys.exit(code_of(arguments))


def code_of(arguments: Sequence[str] | None = None) -> int:
    """Run a command; every error that can be foreseen is one sentence on stderr and an exit code."""
    try:
        code: Any = main.main(args=arguments, prog_name="genaiver", standalone_mode=False)
        return code if isinstance(code, int) else OK
    except (click.Abort, KeyboardInterrupt):
        return _told("interrupted", INTERRUPTED)
    except (click.ClickException, pytest.UsageError, GenaiverError) as error:
        return _refused(error)


def _refused(error: Exception) -> int:
    if isinstance(error, click.ClickException):
        error.show()
        return USAGE
    mistake = isinstance(error, (ConfigError, pytest.UsageError))
    return _told(f"genaiver: {error}", USAGE if mistake else FAILED)


def _told(line: str, code: int) -> int:
    click.echo(line, err=True)
    return code
