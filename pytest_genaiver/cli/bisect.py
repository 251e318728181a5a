"""`genaiver bisect GOOD BAD -- PYTEST_ARGS`: the commit that broke it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pytest_genaiver.adapters.traces.surroundings import calm
from pytest_genaiver.cli.output import json_option
from pytest_genaiver.cli.versions import VersionName
from pytest_genaiver.core.pooling import NEWEST

if TYPE_CHECKING:
    from pytest_genaiver.adapters.environments import OnDifference

EPILOG = (
    "Exit codes: 0 the first bad commit is named, 1 it is not (a range is left, or GOOD and BAD do not differ: "
    "--json tells which), 2 interrupted (the same command goes on), 3 the store or git failed, 4 a mistake in what "
    "was asked. GOOD and BAD are versions, commits, branches or tags."
)


@click.command("bisect", epilog=EPILOG)
@click.argument("good", type=VersionName())
@click.argument("bad", type=VersionName())
@click.argument("pytest_args", nargs=-1, type=click.UNPROCESSED)
@click.option("--metric", help="The metric to look at. Default: the one that changed most from GOOD to BAD.")
@click.option(
    "--case",
    "cases",
    multiple=True,
    metavar="TEXT",
    help="Look only at cases whose id holds this text. May be repeated. Default: all that GOOD and BAD share.",
)
@click.option("--plan", is_flag=True, help="Say what it would take, and run nothing.")
@click.option(
    "--most",
    type=click.IntRange(1, NEWEST),
    default=NEWEST,
    show_default=True,
    help="Values a case that may be asked of one commit.",
)
@click.option(
    "--copy",
    "copied",
    multiple=True,
    metavar="PATH",
    help="A file or folder of your tree, such as .env or new tests, for commits that lack it. May be repeated.",
)
@click.option(
    "--dependencies",
    type=click.Choice(["build", "refuse", "ignore"]),
    default="build",
    show_default=True,
    help="Where a commit asks for others than are here: build an environment, skip it, or run with what is here.",
)
@click.option("--restart", is_flag=True, help="Drop an unfinished search. What was recorded stays.")
@json_option
@click.pass_context
def command(  # noqa: PLR0913 - one argument an option
    ctx: click.Context,
    *,
    good: str,
    bad: str,
    pytest_args: tuple[str, ...],
    metric: str | None,
    cases: tuple[str, ...],
    plan: bool,
    most: int,
    copied: tuple[str, ...],
    dependencies: OnDifference,
    restart: bool,
    as_json: bool,
) -> int:
    """Find the commit between GOOD and BAD that broke it.

    Commits are run with `pytest --genai-version PYTEST_ARGS` in temporary work trees, each with its own tests, and
    recorded; what is recorded already is used for nothing.
    """
    from pytest_genaiver.cli.project import open_project
    from pytest_genaiver.cli.searching import Wanted, prepare

    wanted = Wanted(
        good=good,
        bad=bad,
        arguments=pytest_args,
        metric=metric,
        cases=cases,
        most=most,
        copied=copied,
        dependencies=dependencies,
    )
    with calm():
        prepared = prepare(open_project(ctx), wanted)
        return prepared.plan(as_json=as_json) if plan else prepared.search(restart=restart, as_json=as_json)
