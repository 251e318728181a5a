"""`genaiver prune`: drop old versions, with their traces and sessions."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from pytest_genaiver.adapters.traces.surroundings import calm
from pytest_genaiver.cli.main import NO, OK
from pytest_genaiver.cli.output import json_option, progress, say, show_json, shown
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from pytest_genaiver.cli.pruning import Plan

_STEP = 1000


@click.command("prune")
@click.option("--keep", type=click.IntRange(min=0), metavar="N", help="Keep the newest N versions.")
@click.option(
    "--older-than",
    "days",
    type=click.IntRange(min=0),
    metavar="DAYS",
    help="Drop versions without a session in these DAYS.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_context
def command(ctx: click.Context, keep: int | None, days: int | None, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Drop old versions: their traces first, then their sessions.

    Never a version that was ever deployed, that is pinned, that is being recorded, or in the pool of a baseline of
    today's branches. Says first what would go, and asks. Interrupted, the same command goes on.
    """
    from pytest_genaiver.cli.project import open_project
    from pytest_genaiver.cli.pruning import plan

    if (keep is None) == (days is None):
        raise ConfigError("prune: give one of --keep N, the newest versions to keep, and --older-than DAYS")
    if not (dry_run or yes or sys.stdin.isatty()):
        raise ConfigError(
            "prune asks before it drops anything, and there is no terminal to ask on: give --yes, or --dry-run to "
            "see what would go"
        )
    with calm():
        planned = plan(open_project(ctx), keep=keep, days=days)
        if not as_json:
            for line in planned.lines():
                say(line)
        agreed = bool(planned.going) and not dry_run and (yes or _asks(planned, as_json))
        if agreed:
            _drop(planned)
    if as_json:
        show_json({**planned.to_json(), "dropped": agreed})
    elif agreed:
        say(f"dropped: {planned.totals()}")
        say(planned.rest())
    return OK if agreed or dry_run or not planned.going else NO


def _asks(planned: Plan, as_json: bool) -> bool:
    question = f"drop {planned.totals()}?" if as_json else "drop them?"
    return click.confirm(question, err=as_json)


def _drop(planned: Plan) -> None:
    done = 0

    def told(traces: int) -> None:
        nonlocal done
        if (done + traces) // _STEP > done // _STEP:
            progress(f"{done + traces:,} of {planned.traces:,} traces dropped")
        done += traces

    try:
        for spared in planned.drop(told):
            progress(f"{shown(spared)} was deployed or pinned meanwhile, or is gone: left alone")
    except BaseException:
        progress("stopped before the end; the same command goes on from here")
        raise
