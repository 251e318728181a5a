"""`genaiver completion SHELL`: the script that makes a shell complete this command."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print a completion script: eval "$(genaiver completion bash)"."""
    from pytest_genaiver.cli.main import main

    made = get_completion_class(shell)
    assert made is not None, "click knows these shells by itself"
    click.echo(made(main, {}, "genaiver", "_GENAIVER_COMPLETE").source())
