"""Git: is it there, how much history, where a baseline is looked for; and the CI service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_genaiver.adapters import git
from pytest_genaiver.cli.checks.finding import Finding, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_genaiver.core.ci import CiFacts
    from pytest_genaiver.version import Surveyed

NO_FETCH = "git fetch --unshallow; in actions/checkout: fetch-depth: 0; in GitLab: GIT_DEPTH: 0"


def check(surveyed: Surveyed) -> Iterator[Finding]:
    """What git says of the project."""
    head = surveyed.head
    if not git.git_available():
        yield warn("git", git.NO_GIT, "install git in the image that runs the tests")
    elif head is None:
        yield warn("git", "no repository around this folder: nothing has an ancestor to compare with", "git init")
    elif head.commit is None:
        yield warn("git", "no commit yet: the version is local-dev, and no baseline", "make the first commit")
    else:
        yield ok("git", f"{head.branch or 'detached HEAD'} at {head.commit[:8]}{_state(head)}")
        yield _depth(head)
        yield _target(surveyed, head)
    yield ok("ci", _service(surveyed.ci))


def _state(head: git.Head) -> str:
    merged = f", tested as {head.tested[:8]}, merged onto its target" if head.tested else ""
    return merged + (", with uncommitted changes: this session would be no baseline" if head.dirty else "")


def _depth(head: git.Head) -> Finding:
    if head.shallow:
        return warn("depth", "shallow clone: history ends early, and with it the search for a baseline", NO_FETCH)
    return ok("depth", "the whole history")


def _target(surveyed: Surveyed, head: git.Head) -> Finding:
    """Where the search starts; a target branch that this clone lacks is named with the way to fetch it."""
    found = git.target(head.toplevel, head, surveyed.ci)
    if found.then is not None:
        found = found.then
    why, _, trouble = found.why.partition(": ")
    if trouble:
        fetch = trouble.partition("(")[2].rstrip(")")
        return warn(
            "target", f"baselines are looked for from the {why}: {trouble}", fetch or "git remote add, git fetch"
        )
    start = f", {found.start[:8]}" if found.start else ""
    return ok("target", f"baselines are looked for from: {found.why}{start}")


def _service(ci: CiFacts) -> str:
    if ci.provider is None:
        return "no CI service recognised"
    return f"{ci.provider}{f', a pull request onto {ci.target_branch}' if ci.target_branch else ''}"
