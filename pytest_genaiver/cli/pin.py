"""`genaiver pin`: what `genaiver prune` must keep."""

from __future__ import annotations

import click

from pytest_genaiver.adapters.traces.surroundings import calm
from pytest_genaiver.adapters.tracking.deployments import pin
from pytest_genaiver.cli.output import say, shown
from pytest_genaiver.cli.versions import VersionName, find_version


@click.command("pin")
@click.argument("version", type=VersionName())
@click.pass_context
def command(ctx: click.Context, version: str) -> None:
    """Keep VERSION: `genaiver prune` leaves it alone."""
    from pytest_genaiver.cli.project import open_project

    with calm():
        project = open_project(ctx)
        ref = find_version(project, version)
        done = pin(project.store, ref)
    say(f"{shown(ref.name)} is {'pinned' if done else 'pinned already'}")
