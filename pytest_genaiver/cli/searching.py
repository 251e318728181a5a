"""What `genaiver bisect` was asked for, made into a search, and its answer shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_genaiver.adapters import git
from pytest_genaiver.bisecting import telling
from pytest_genaiver.bisecting.commits import commits_between
from pytest_genaiver.bisecting.evidence import Known
from pytest_genaiver.bisecting.hunt import Hunt, cost_of
from pytest_genaiver.bisecting.running import Place, check_copied, run_commit
from pytest_genaiver.bisecting.state import Asked, State, opened
from pytest_genaiver.cli.main import NO, OK
from pytest_genaiver.cli.output import progress, say, show_json, shown
from pytest_genaiver.cli.versions import find_version
from pytest_genaiver.core.identity import sanitise
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_genaiver.adapters.environments import OnDifference
    from pytest_genaiver.cli.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The command line of `genaiver bisect`."""

    good: str
    bad: str
    arguments: tuple[str, ...]
    metric: str | None
    cases: tuple[str, ...]
    most: int
    copied: tuple[str, ...]
    dependencies: OnDifference


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A search that can begin. What is recorded is read; nothing was run or written."""

    hunt: Hunt
    root: Path

    def plan(self, *, as_json: bool) -> int:
        """Show what lies ahead."""
        cost = cost_of(self.hunt.known, (self.hunt.commits[-1], self.hunt.commits[0]))
        outlook = self.hunt.outlook(cost)
        if as_json:
            show_json(telling.plan_json(outlook))
        else:
            for line in telling.plan_lines(outlook, cost):
                say(line)
        return OK

    def search(self, *, restart: bool, as_json: bool) -> int:
        """Search, from where this search was interrupted, and show what was found."""
        hunt, before = self.hunt, len(self.hunt.known.commits)
        with opened(self.root, hunt.state.asked, restart=restart) as state:
            hunt.state = state
            advice, policy = hunt.go(), hunt.policy()
            found = telling.Found(
                advice=advice,
                state=state,
                toplevel=self.root,
                recorded=before,
                needed=hunt.needed(advice),
                also=hunt.also(policy.name) if policy else (),
            )
            state.drop()
        if as_json:
            show_json(telling.to_json(found))
        else:
            for i, line in enumerate(telling.lines(found)):
                say(shown(line), bold=i == 0)
        return OK if found.named else NO


def prepare(project: Project, wanted: Wanted) -> Prepared:
    """Look up commits and what is recorded of them. Raises ConfigError for ends that no search can begin with."""
    root = _root(project)
    asked = Asked(
        good=_sha(project, wanted.good),
        bad=_sha(project, wanted.bad),
        metric=wanted.metric,
        arguments=wanted.arguments,
        cases=wanted.cases,
    )
    commits = commits_between(root, asked.good, asked.bad)
    place = _place(project, root, wanted)
    hunt = Hunt(
        commits=commits,
        known=_known(project, commits, wanted.cases),
        state=State(asked=asked),
        declared=project.settings.metrics,
        alpha=project.settings.alpha,
        most=wanted.most,
        run=lambda commit, repeats: run_commit(place, commit, repeats, progress),
        say=progress,
    )
    return Prepared(hunt=hunt, root=root)


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


def _place(project: Project, root: Path, wanted: Wanted) -> Place:
    here = Path.cwd().resolve()
    return Place(
        root=root,
        folder=here if root in (here, *here.parents) else root,
        tracking_uri=project.store.place.uri,
        app=project.surveyed.app,
        experiment=project.experiment,
        variant=project.settings.variant,
        arguments=wanted.arguments,
        copied=check_copied(root, wanted.copied),
        on_difference=wanted.dependencies,
    )


def _known(project: Project, commits: Sequence[str], cases: Sequence[str]) -> Known:
    variant = sanitise(project.settings.variant) if project.settings.variant else None
    known = Known(project.store, project.surveyed.app, variant, cases)
    known.load(commits)
    for line in known.warnings:
        progress(line)
    return known
