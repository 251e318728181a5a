"""`genaiver deploy`: put on record which version runs where, and read that record."""

from __future__ import annotations

import getpass
import os
from typing import TYPE_CHECKING, Any

import click

from pytest_genaiver.adapters import git
from pytest_genaiver.adapters.traces.surroundings import calm
from pytest_genaiver.adapters.tracking.deployments import deploy, deployments, environments
from pytest_genaiver.cli.main import NO, OK
from pytest_genaiver.cli.moments import Moment, now, short_moment, shown_moment
from pytest_genaiver.cli.output import json_option, say, show_json, shown, table
from pytest_genaiver.cli.versions import VersionName, find_version
from pytest_genaiver.core.deployments import environment_name, running_at
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from pytest_genaiver.adapters.tracking.store import VersionRef
    from pytest_genaiver.cli.project import Project
    from pytest_genaiver.core.deployments import Deployment

_ACTORS = (
    "GITHUB_ACTOR",
    "GITLAB_USER_LOGIN",
    "BITBUCKET_STEP_TRIGGERER_UUID",
    "BUILD_REQUESTEDFOR",
    "BUILD_USER_ID",
)
"""Who started the job, as CI services name them; else it is the user of this machine."""


class Environment(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.3
    """The name of an environment, checked."""

    name = "environment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return environment_name(value)
        except ConfigError as error:
            raise ConfigError(f"--env: {error}") from error


@click.command("deploy")
@click.argument("version", type=VersionName(), required=False)
@click.option("--env", type=Environment(), metavar="ENV", help="The environment, such as production.")
@click.option("--at", type=Moment(), metavar="TIME", help="When: ISO 8601, a date, or now (default: now).")
@click.option("--list", "listed", is_flag=True, help="List the deployments on record, newest first.")
@json_option
@click.pass_context
def command(
    ctx: click.Context, version: str | None, env: str | None, at: datetime | None, listed: bool, as_json: bool
) -> int:
    """Record that VERSION runs in an environment from a time on; without VERSION, say what runs there.

    The record is append-only. Exit 1 when nothing ran there at that time, as far as is on record.
    """
    if version is None and env is None and not listed:
        raise ConfigError("deploy: name a version to record, an environment to ask for (--env ENV), or --list")
    if listed and (version is not None or at is not None):
        raise ConfigError(
            f"deploy --list lists what is on record: drop {'VERSION' if version is not None else '--at'}"
        )
    if version is not None and env is None:
        raise ConfigError("deploy: name the environment too: --env ENV, such as production")
    from pytest_genaiver.cli.project import open_project

    with calm():
        project = open_project(ctx)
        if version is not None and env is not None:
            return _record(project, version, env, at, as_json)
        record = deployments(project.store, env, app=project.surveyed.app)
        if env is None or listed:
            return _list(project, record, env, as_json)
        return _tell(project, record, env, at or now(), as_json)


def _record(project: Project, name: str, env: str, at: datetime | None, as_json: bool) -> int:
    ref = find_version(project, name)
    at = _possible(project, ref, at)
    earlier = deployments(project.store, env, app=project.surveyed.app)
    before = running_at(earlier, at)
    made = deploy(project.store, ref, env, at, by=_who())
    record = [*earlier, made]
    remarks = [*_remarks(project, ref, at)]
    if as_json:
        show_json({**made.to_json(), "before": before.version if before else None, "remarks": remarks})
        return OK
    if made in earlier:
        say(f"{env}: {shown(made.version)} is on record for {shown_moment(made.at)} already")
        return OK
    say(f"{env}: {shown(made.version)} from {shown_moment(made.at)} on{_place(project, before, env)}")
    later = running_at(record, now())
    if later is not None and later != made:
        say(f"  since {shown_moment(later.at)} {shown(later.version)} runs there")
    for remark in remarks:
        say(f"  {remark}", colour="yellow")
    return OK


def _possible(project: Project, ref: VersionRef, at: datetime | None) -> datetime:
    """A record is never taken back, so that a time at which this version cannot have begun to run is refused."""
    at = at or now()
    if at > now():
        raise ConfigError(
            f"--at: {shown_moment(at)} is to come (it is {shown_moment(now())}); record a deployment when it happens"
        )
    head = project.surveyed.head
    known = head and ref.commit and git.resolve(head.toplevel, ref.commit)
    made = git.commit_date(head.toplevel, known) if head and known else None
    if made is not None and at < made:
        raise ConfigError(
            f"--at: {shown_moment(at)} is before the commit of {ref.name} was made, {shown_moment(made)}"
        )
    return at


def _remarks(project: Project, ref: VersionRef, at: datetime) -> Iterator[str]:
    """What is worth knowing of a version that goes out."""
    if ref.dirty:
        yield "note: it holds changes that no commit holds: nobody can check it out again"
    sessions = project.store.sessions(ref.model_id)
    if not sessions:
        yield "note: no session of it is recorded"
    elif not any(s.complete for s in sessions):
        yield "note: no session of it was complete: all were cut short"
    elif at.timestamp() * 1000 < min(s.started_ms for s in sessions):
        yield "note: it was first evaluated after that time"


def _place(project: Project, before: Deployment | None, env: str) -> str:
    if before is not None:
        return f", after {shown(before.version)}"
    others = [name for name in environments(project.store, app=project.surveyed.app) if name != env]
    # A name that is spelt wrong makes an environment of its own.
    return ", its first deployment" + (f" (other environments: {', '.join(others)})" if others else "")


def _who() -> str | None:
    if actor := next((os.environ[name] for name in _ACTORS if os.environ.get(name)), None):
        return actor
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return None


def _tell(project: Project, record: Sequence[Deployment], env: str, at: datetime, as_json: bool) -> int:
    """What ran there then."""
    found = running_at(record, at)
    if as_json:
        show_json(found.to_json() if found else None)
        return OK if found else NO
    if found:
        by = f", recorded by {shown(found.by)}" if found.by else ""
        say(f"{env} at {shown_moment(at)}: {shown(found.version)}, since {shown_moment(found.at)}{by}")
        return OK
    if record:
        say(f"{env} at {shown_moment(at)}: nothing; the first deployment on record is {shown_moment(record[0].at)}")
        return NO
    return _unknown(project, env)


def _list(project: Project, record: Sequence[Deployment], env: str | None, as_json: bool) -> int:
    ends: dict[tuple[str, str], datetime] = {}
    rows, data = [], []
    for one in reversed(record):
        until = ends.get((one.app or "", one.env))
        ends[one.app or "", one.env] = one.at
        data.append({**one.to_json(), "until": until.isoformat() if until else None})
        end = short_moment(until) if until else "now"
        rows.append((one.env, one.version, short_moment(one.at), end, one.by or "unknown"))
    if as_json:
        show_json(data)
    elif not rows:
        return _unknown(project, env)
    else:
        for line in table(("environment", "version", "from", "until", "by"), rows, left=5):
            say(line)
    return OK if data else NO


def _unknown(project: Project, env: str | None) -> int:
    names = environments(project.store, app=project.surveyed.app)
    to = f" to {env}" if env else ""
    known = f"; environments on record: {', '.join(names)}" if names else ""
    say(f"no deployment{to} is on record{known}")
    return NO
