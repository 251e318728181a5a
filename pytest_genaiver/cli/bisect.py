"""`genaiver bisect GOOD BAD -- PYTEST_ARGS`: the commit that broke it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_genaiver.adapters import git
from pytest_genaiver.adapters.traces.surroundings import calm
from pytest_genaiver.bisecting import telling
from pytest_genaiver.bisecting.commits import commits_between
from pytest_genaiver.bisecting.evidence import Known
from pytest_genaiver.bisecting.hunt import Hunt, cost_of
from pytest_genaiver.bisecting.running import Place, check_copied, run_commit
from pytest_genaiver.bisecting.state import Asked, State, opened
from pytest_genaiver.cli.main import NO, OK
from pytest_genaiver.cli.output import json_option, progress, say, show_json, shown
from pytest_genaiver.cli.project import open_project
from pytest_genaiver.cli.versions import VersionName, find_version
from pytest_genaiver.core.identity import sanitise
from pytest_genaiver.core.pooling import NEWEST
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_genaiver.adapters.environments import OnDifference
    from pytest_genaiver.bisecting.telling import Found
    from pytest_genaiver.cli.project import Project

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
    with calm():
        project = open_project(ctx)
        root = _root(project)
        asked = Asked(good=_sha(project, good), bad=_sha(project, bad), metric=metric, arguments=pytest_args)
        commits = commits_between(root, asked.good, asked.bad)
        place = _place(project, root, pytest_args, check_copied(root, copied), dependencies)
        known = _known(project, commits)
        hunt = _hunt(project, place, commits, known, State(asked=asked), most)
        if plan:
            return _planned(hunt, as_json)
        before = len(known.commits)
        with opened(root, asked, restart=restart) as state:
            hunt.state = state
            found = _found(hunt, root, before)
            state.drop()
    return _told(found, as_json)


def _root(project: Project) -> Path:
    head = project.surveyed.head
    if head is None or head.commit is None:
        raise ConfigError("bisect needs a git repository with commits; this folder is in none")
    return head.toplevel


def _sha(project: Project, name: str) -> str:
    """The commit that GOOD or BAD names; it need not be recorded."""
    head = project.surveyed.head
    found = project.store.version_named(name)
    if found is None and head is not None and (sha := git.resolve(head.toplevel, name)):
        return sha
    found = found or find_version(project, name)
    if found.dirty or found.commit is None:
        raise ConfigError(f"{name!r} was recorded with uncommitted changes; name a commit")
    if head is None or git.resolve(head.toplevel, found.commit) is None:
        raise ConfigError(f"{name!r} is commit {found.commit[:8]}, which is not in this clone; fetch it first")
    return found.commit


def _place(
    project: Project, root: Path, arguments: Sequence[str], copied: tuple[str, ...], dependencies: OnDifference
) -> Place:
    here = Path.cwd().resolve()
    return Place(
        root=root,
        folder=here if root in (here, *here.parents) else root,
        tracking_uri=project.store.place.uri,
        app=project.surveyed.app,
        experiment=project.experiment,
        variant=project.settings.variant,
        arguments=tuple(arguments),
        copied=copied,
        on_difference=dependencies,
    )


def _known(project: Project, commits: Sequence[str]) -> Known:
    variant = sanitise(project.settings.variant) if project.settings.variant else None
    known = Known(project.store, project.surveyed.app, variant)
    known.load(commits)
    for line in known.warnings:
        progress(line)
    return known


def _hunt(project: Project, place: Place, commits: Sequence[str], known: Known, state: State, most: int) -> Hunt:
    return Hunt(
        commits=commits,
        known=known,
        state=state,
        declared=project.settings.metrics,
        alpha=project.settings.alpha,
        most=most,
        run=lambda commit, repeats: run_commit(place, commit, repeats, progress),
        say=progress,
    )


def _planned(hunt: Hunt, as_json: bool) -> int:
    cost = cost_of(hunt.known, (hunt.commits[-1], hunt.commits[0]))
    outlook = hunt.outlook(cost)
    if as_json:
        show_json(telling.plan_json(outlook))
    else:
        for line in telling.plan_lines(outlook, cost):
            say(line)
    return OK


def _found(hunt: Hunt, root: Path, before: int) -> Found:
    advice = hunt.go()
    policy = hunt.policy()
    return telling.Found(
        advice=advice,
        state=hunt.state,
        toplevel=root,
        recorded=before,
        needed=hunt.needed(advice),
        also=hunt.also(policy.name) if policy else (),
    )


def _told(found: Found, as_json: bool) -> int:
    if as_json:
        show_json(telling.to_json(found))
    else:
        for i, line in enumerate(telling.lines(found)):
            say(shown(line), bold=i == 0)
    return OK if found.named else NO
