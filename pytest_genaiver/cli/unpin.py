"""`genaiver unpin`: what `genaiver prune` need not keep any more."""

from __future__ import annotations

import click

from pytest_genaiver.adapters.traces.surroundings import calm
from pytest_genaiver.adapters.tracking.deployments import unpin
from pytest_genaiver.cli.output import say, shown
from pytest_genaiver.cli.versions import VersionName, find_version


@click.command("unpin")
@click.argument("version", type=VersionName())
@click.pass_context
def command(ctx: click.Context, version: str) -> None:
    """Let `genaiver prune` treat VERSION as any other."""
    from pytest_genaiver.cli.project import open_project

    with calm():
        project = open_project(ctx)
        ref = find_version(project, version)
        done = unpin(project.store, ref)
    say(f"{shown(ref.name)} is {'no longer pinned' if done else 'not pinned'}")
