"""Which version of the app this session evaluates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_genaiver.adapters import git
from pytest_genaiver.core.ci import CiFacts, read_ci
from pytest_genaiver.core.identity import app_from_url, sanitise, version_name
from pytest_genaiver.core.results import Version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_genaiver.options.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed:
    """What git and the environment say about the project; `head` is None outside git."""

    root: Path
    app: str
    ci: CiFacts
    head: git.Head | None
    warnings: tuple[str, ...] = ()


def survey(
    rootpath: Path, settings: Settings, environ: Mapping[str, str], ours: Sequence[Path], started: Path
) -> Surveyed:
    """Look at the project. `ours`: our own store and reports, which never make a tree dirty.

    `started` is the folder that pytest was started in. Pytest takes `--genai-baseline ../x.json` for a place of tests
    when it determines its rootdir, which then lies above the project and its repository.

    Raises GitError where git refuses to answer ("dubious ownership"), with the fix.
    """
    ci = read_ci(environ)
    own = [str(p) for p in ours]
    head = git.read_head(rootpath, ci, ours=own)
    if head is None and rootpath in started.parents:
        head = git.read_head(started, ci, ours=own)
    root = head.toplevel if head else rootpath
    remote = app_from_url(head.remote) if head and head.remote else None
    folder = head.main_worktree if head else rootpath
    app = settings.app or remote or folder.name or "app"
    warnings = () if git.git_available() else (git.NO_GIT,)
    return Surveyed(root=root, app=sanitise(app), ci=ci, head=head, warnings=warnings)


def default_name(surveyed: Surveyed, settings: Settings) -> str:
    """`{app}-{sha8}`, with the dirty hash and the variant where there are such, unless the user named it."""
    if settings.version_name:
        return settings.version_name
    head = surveyed.head
    return version_name(
        surveyed.app,
        sha=head.commit if head else None,
        dirty=head.dirty if head else None,
        variant=settings.variant,
    )


def identify(surveyed: Surveyed, settings: Settings, name: str) -> Version:
    """The version under its name, before it is recorded."""
    head = surveyed.head
    name = sanitise(name)
    variant = sanitise(settings.variant) if settings.variant else None
    if head is None:
        return Version(name=name, app=surveyed.app, variant=variant)
    return Version(
        name=name,
        app=surveyed.app,
        commit=head.commit,
        branch=head.branch,
        dirty=head.dirty is not None,
        variant=variant,
        tree=head.tree,
        remote=head.remote,
        tested=head.tested,
    )


def version_tags(version: Version, surveyed: Surveyed) -> dict[str, str]:
    """Tags of the LoggedModel, by which it is found again; MLflow's own names where it has one."""
    head = surveyed.head
    tags = {
        "genaiver.app": version.app,
        "genaiver.version": version.name,
        "genaiver.commit": version.commit,
        "genaiver.dirty": "true" if version.dirty else "false",
        "genaiver.dirty_hash": head.dirty if head else None,
        "genaiver.branch": version.branch,
        "genaiver.variant": version.variant,
        "genaiver.untracked": _listed(head.untracked) if head else None,
        "mlflow.source.git.commit": version.commit,
        "mlflow.source.git.branch": version.branch,
        "mlflow.source.git.repoURL": version.remote,
        "mlflow.model.isExternal": "true",
    }
    return {k: v for k, v in tags.items() if v}


def session_tags(version: Version) -> dict[str, str]:
    """Tags of the session's run. The tree belongs here: one version may be tested merged onto several bases."""
    tags = {
        "genaiver.version": version.name,
        "genaiver.model_id": version.model_id,
        "genaiver.app": version.app,
        "genaiver.commit": version.commit,
        "genaiver.tree": version.tree,
        "genaiver.tested_merge": version.tested,
        "genaiver.complete": "false",
        "mlflow.runType": "genai_evaluate",
        "mlflow.source.git.commit": version.commit,
        "mlflow.source.git.branch": version.branch,
        "mlflow.source.git.repoURL": version.remote,
    }
    return {k: v for k, v in tags.items() if v}


def _listed(paths: Sequence[str]) -> str:
    text = ", ".join(paths[:20])
    return text if len(paths) <= 20 else f"{text} and {len(paths) - 20} more"
