"""`genaiver pin` and `genaiver unpin`: what `genaiver prune` must keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pytest_genaiver.adapters.traces.surroundings import calm
from pytest_genaiver.adapters.tracking import deployments
from pytest_genaiver.cli.output import say, shown
from pytest_genaiver.cli.versions import VersionName, find_version

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_genaiver.adapters.tracking.store import Store, VersionRef


@click.command("pin")
@click.argument("version", type=VersionName())
@click.pass_context
def pin(ctx: click.Context, version: str) -> None:
    """Keep VERSION: `genaiver prune` leaves it alone."""
    _change(ctx, version, deployments.pin, ("pinned", "pinned already"))


@click.command("unpin")
@click.argument("version", type=VersionName())
@click.pass_context
def unpin(ctx: click.Context, version: str) -> None:
    """Let `genaiver prune` treat VERSION as any other."""
    _change(ctx, version, deployments.unpin, ("no longer pinned", "not pinned"))


def _change(
    ctx: click.Context, version: str, change: Callable[[Store, VersionRef], bool], told: tuple[str, str]
) -> None:
    """`told`: what is said of the version where the change was one, and where there was nothing to change."""
    from pytest_genaiver.cli.project import open_project

    with calm():
        project = open_project(ctx)
        ref = find_version(project, version)
        done = change(project.store, ref)
    say(f"{shown(ref.name)} is {told[0] if done else told[1]}")
