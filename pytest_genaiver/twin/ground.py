"""What a twin stands on: another commit's app in a work tree of its own, under the tests of now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_genaiver.adapters import git
from pytest_genaiver.adapters.environments import environment_for
from pytest_genaiver.adapters.tracking.place import OURS
from pytest_genaiver.core.ci import CiFacts
from pytest_genaiver.twin import overlay
from pytest_genaiver.twin.ending import ended_in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import ExitStack
    from pathlib import Path

    from pytest_genaiver.adapters.environments import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """`head` describes the commit as it was checked out; `tests` says in words which files are those of now.

    `other_tests`: they are not those of the commit. `same_app`: nothing else differs from the work tree of now.
    """

    top: Path
    head: git.Head | None
    environment: Environment
    tests: str
    other_tests: bool
    same_app: bool


def prepared(stack: ExitStack, root: Path, sha: str, files: Iterable[str], say: Callable[[str], None]) -> Ground:
    """Check a commit of the repository at `root` out, until `stack` is closed; `files` make the cases what they are.

    Raises GitError, and DependencyError where its dependencies cannot be had.
    """
    stack.enter_context(ended_in_order())
    top = stack.enter_context(git.checkout(root, sha))
    # As the commit itself asks for it: pytest's ini file may be the file that says so.
    environment = environment_for(top, root, cache=root / OURS / "environments", say=say)
    head = git.read_head(top, CiFacts())
    tests = overlay.existing(overlay.overlay_of(files), root, top)
    overlay.lay(tests, root, top)
    return Ground(
        top=top,
        head=head,
        environment=environment,
        tests=tests.line(),
        other_tests=bool(git.changed(top)),
        same_app=all(tests.covers(path) for path in git.changed(root, sha)),
    )
