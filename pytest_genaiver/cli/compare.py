"""`genaiver compare A B [C...]`: recorded versions side by side."""

from __future__ import annotations

import click

from pytest_genaiver.adapters.traces.surroundings import calm
from pytest_genaiver.cli.main import NO, OK
from pytest_genaiver.cli.output import json_option, show_json
from pytest_genaiver.cli.versions import VersionName, find_version
from pytest_genaiver.errors import ConfigError


@click.command("compare")
@click.argument("versions", nargs=-1, required=True, type=VersionName(), metavar="A B [C...]")
@click.option(
    "--best",
    metavar="METRIC[,METRIC]",
    help="Name the version that is best by this metric; later metrics decide between those that earlier ones leave "
    "together. Exit 1 where the evidence does not separate them.",
)
@click.option("-v", "--verbose", is_flag=True, help="Every reason, commit, change and case.")
@json_option
@click.pass_context
def command(ctx: click.Context, versions: tuple[str, ...], best: str | None, verbose: bool, as_json: bool) -> int:
    """Compare recorded versions on the cases that all of them hold; A is the reference.

    Exits 1 where nothing could be compared.
    """
    from pytest_genaiver.cli.drawing import side_by_side
    from pytest_genaiver.cli.drawing.lines import show
    from pytest_genaiver.cli.project import open_project
    from pytest_genaiver.looking.compared import compare_versions, to_json

    if len(versions) < 2:
        raise ConfigError(f"compare needs two versions or more, and {versions[0]!r} is one; name another")
    wanted = [metric.strip() for metric in best.split(",")] if best is not None else []
    if not all(wanted):
        raise ConfigError(f"--best: {best!r} cannot be used; give metrics such as on_topic,cost")
    project = open_project(ctx)
    with calm():
        refs = [find_version(project, name) for name in versions]
        compared = compare_versions(project.store, project.surveyed, project.settings, refs, wanted)
    if as_json:
        show_json(to_json(compared))
    else:
        show(side_by_side.lines(compared, verbose=verbose))
    return OK if compared.is_answered else NO
