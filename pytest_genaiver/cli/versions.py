"""What a user calls a version -> the version."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from pytest_genaiver.adapters import git
from pytest_genaiver.adapters.traces.surroundings import calm
from pytest_genaiver.core.identity import sanitise
from pytest_genaiver.errors import ConfigError, GenaiverError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_genaiver.adapters.tracking.store import VersionRef
    from pytest_genaiver.cli.project import Project

_MODEL_ID = re.compile(r"m-[0-9a-f]{32}")
_SHORTEST = 4
"""Characters of a prefix, as git wants of a SHA."""


class VersionName(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.3
    """The argument VERSION, which a shell completes."""

    name = "version"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from pytest_genaiver.cli.project import open_project

        try:
            with calm():
                names = open_project(ctx).store.version_names()
        except GenaiverError:
            return []
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def find_version(project: Project, name: str) -> VersionRef:
    """The version of this name, unique prefix, commit, branch, tag or model id, in this order.

    Raises ConfigError where there is none, or several, with those that are near.
    """
    store = project.store
    if _MODEL_ID.fullmatch(name):
        if found := store.version_by_id(name):
            return found
        raise ConfigError(f"{name!r}: no such model in the store{_near(project, name)}")
    if found := store.version_named(name) or store.version_named(sanitise(name) if name.strip() else ""):
        return found
    head = project.surveyed.head
    if head and (sha := git.resolve(head.toplevel, name)):
        return _of_commit(project, name, sha)
    alike = store.versions_like(name) if len(name) >= _SHORTEST else []
    if len(alike) > 1:
        raise ConfigError(f"{name!r} is the start of several versions: {_listed(alike)}; write one of them in full")
    if alike:
        return alike[0]
    raise ConfigError(f"{name!r} is no recorded version, commit, branch, tag or model id{_near(project, name)}")


def _of_commit(project: Project, name: str, sha: str) -> VersionRef:
    """The clean version of a commit, in the configured variant; the only one, where no variant is configured."""
    found = project.store.versions_of_commits([sha], project.surveyed.app)
    variant = sanitise(project.settings.variant) if project.settings.variant else None
    same = [v for v in found if v.variant == variant]
    if same:
        return same[0]
    if variant is None and len(found) > 1:
        raise ConfigError(f"{name!r} is recorded as several variants: {_listed(found)}; name one of them")
    if variant is None and found:
        return found[0]
    of = f" as variant {variant}" if variant else ""
    edited = [v for v in project.store.versions_like(sha) if v.dirty]
    also = f"; recorded with uncommitted changes: {_listed(edited)}" if edited else _near(project, name)
    raise ConfigError(f"{name!r} is commit {sha[:8]}, of which no session is recorded{of}{also}")


def _listed(refs: Sequence[VersionRef]) -> str:
    names = [ref.name for ref in refs]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _near(project: Project, name: str) -> str:
    """What is like it, else what was recorded last."""
    names = project.store.version_names()
    head = project.surveyed.head
    refs = git.near_refs(head.toplevel, name) if head else ()
    near = [*difflib.get_close_matches(name, names, n=5), *refs][:5]
    if near:
        return f"; near: {', '.join(near)}"
    return f"; recorded: {', '.join(names[:5])}" if names else "; no version is recorded"
