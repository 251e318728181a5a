"""`genaiver show VERSION`: one recorded version, and the commands that recreate it."""

from __future__ import annotations

import click

from pytest_genaiver.adapters.traces.surroundings import calm
from pytest_genaiver.cli.output import json_option, say, show_json
from pytest_genaiver.cli.versions import VersionName, find_version
from pytest_genaiver.errors import ConfigError

_NEWEST = ""


@click.command("show")
@click.argument("version", type=VersionName())
@click.option(
    "--reproduce",
    "case",
    is_flag=False,
    flag_value=_NEWEST,
    metavar="[CASE]",
    help="Print the shell commands that recreate its newest session, or one case of it: the case's id, or a part of "
    "it that no other case has.",
)
@click.option(
    "--case",
    "one",
    metavar="CASE",
    help="Show one case instead: scores of each repeat, inputs, output, logged values, reasons, traces.",
)
@click.option("-v", "--verbose", is_flag=True, help="Every dependency, setting and session; long values whole.")
@json_option
@click.pass_context
def command(
    ctx: click.Context, version: str, case: str | None, one: str | None, verbose: bool, as_json: bool
) -> None:
    """Show a recorded version: snapshot, metrics, sessions, deployments; or one case of it."""
    from pytest_genaiver.cli.drawing import case as case_drawing
    from pytest_genaiver.cli.drawing import page as drawing
    from pytest_genaiver.cli.drawing.lines import show
    from pytest_genaiver.cli.project import open_project
    from pytest_genaiver.core.recreating import script
    from pytest_genaiver.looking.cases import recorded_case
    from pytest_genaiver.looking.page import page_of, to_json
    from pytest_genaiver.looking.reproducing import recipe

    if case is not None and one is not None:
        raise ConfigError("--case and --reproduce cannot be used together; --reproduce takes a case itself")
    project = open_project(ctx)
    with calm():
        ref = find_version(project, version)
        page = page_of(project.store, project.surveyed, project.settings, ref, every=verbose)
        if case is not None:
            found = recipe(project.store, project.surveyed, project.rootpath, page, case or None)
        recorded = recorded_case(project.store, page, one) if one is not None else None
    if recorded is not None:
        if as_json:
            show_json(recorded.to_json())
        else:
            show(case_drawing.lines(recorded, verbose=verbose))
    elif case is not None:
        lines = script(found)
        if as_json:
            show_json({"version": ref.name, "commands": lines})
        for line in () if as_json else lines:
            say(line)
    elif as_json:
        show_json(to_json(page))
    else:
        show(drawing.lines(page, verbose=verbose))
