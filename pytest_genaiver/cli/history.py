"""`genaiver history`: the versions along the branch, and where a metric changed."""

from __future__ import annotations

import click

from pytest_genaiver.adapters.traces.surroundings import calm
from pytest_genaiver.cli.main import NO, OK
from pytest_genaiver.cli.output import json_option, progress, show_json


@click.command("history")
@click.option("--metric", metavar="METRIC", help="The metric to show (default: the first of your own that gates).")
@click.option(
    "-n",
    "limit",
    type=click.IntRange(min=1),
    default=30,
    show_default=True,
    metavar="N",
    help="Show the newest N versions, and look for changes among them.",
)
@json_option
@click.pass_context
def command(ctx: click.Context, metric: str | None, limit: int, as_json: bool) -> int:
    """Show the versions along the current branch, newest first, and where a metric changed.

    Follows first parents. A change is marked where the gate's test on the cases of both sides finds one, and nowhere
    else. Exits 1 where no version is recorded along the branch.
    """
    from pytest_genaiver.cli.drawing import branch
    from pytest_genaiver.cli.drawing.lines import show
    from pytest_genaiver.cli.project import open_project
    from pytest_genaiver.looking.branch import history, to_json

    project = open_project(ctx)
    with calm():
        found = history(project.store, project.surveyed, project.settings, metric=metric, limit=limit)
        names = project.store.version_names(5) if not found.points else []
    if as_json:
        show_json(to_json(found))
    elif found.points:
        show(branch.lines(found))
    if found.points:
        return OK
    variant = f" as variant {project.settings.variant}" if project.settings.variant else ""
    progress(f"no version is recorded {found.where}{variant}; recorded last: {', '.join(names) or 'none'}")
    head = project.surveyed.head
    if head and head.shallow:
        progress("shallow clone: its history ends early; run `git fetch --deepen=100`, or `git fetch --unshallow`")
    return NO
