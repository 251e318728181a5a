"""What `genaiver show --reproduce` needs to know of a version."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pytest_genaiver.adapters import git
from pytest_genaiver.adapters.tracking import model_files
from pytest_genaiver.adapters.tracking.files import REQUIREMENTS
from pytest_genaiver.core.recreating import Recipe
from pytest_genaiver.core.variants import bare_id
from pytest_genaiver.errors import ConfigError
from pytest_genaiver.looking.cases import case_named

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_genaiver.adapters.tracking.store import Store
    from pytest_genaiver.core.results import CaseResult
    from pytest_genaiver.looking.page import Page
    from pytest_genaiver.version import Surveyed


def recipe(store: Store, surveyed: Surveyed, rootpath: Path, page: Page, case: str | None) -> Recipe:
    """How to recreate the newest session of a version, or one case of it.

    Raises ConfigError for a version without a commit or a session, and for a case that is none, or several.
    """
    recording, ref, commit = page.recording, page.ref, page.ref.commit
    if recording is None:
        raise ConfigError(f"version {ref.name} has no recorded results: there is no session to recreate")
    if commit is None:
        raise ConfigError(f"version {ref.name} was recorded outside git: there is no commit to recreate it from")
    newest, snapshot = recording.sessions[0], recording.snapshot
    found = None if case is None else case_named(recording, case, "--reproduce")
    session = newest if found is None else next(s for s in recording.sessions if found in s.cases.values())
    run_id, version = session.session.run_id, session.version
    head = surveyed.head
    return Recipe(
        name=ref.name,
        commit=commit,
        source=version.remote or (str(head.main_worktree) if head else "."),
        recorded=session.session.started,
        command=session.session.command,
        repeats=session.session.repeats if found is None else _repeats(found),
        tested=version.tested,
        python=snapshot.python if snapshot else "",
        requirements=store.read_more(run_id, REQUIREMENTS) if run_id else None,
        folder=os.path.relpath(rootpath, head.toplevel).removeprefix(".") if head else "",
        node=None if found is None else found.function if found.variant else bare_id(found),
        whole_function=found is not None and bool(found.variant),
        own_name=not ref.name.startswith(f"{version.app}-{commit[:8]}"),
        variant=ref.variant,
        submodules=head is not None and git.holds(head.toplevel, commit, ".gitmodules"),
        dirty=ref.dirty,
        patch=model_files.read(store, ref.model_id, model_files.PATCH) if ref.dirty else None,
        untracked=page.facts.tags.get("genaiver.untracked", ""),
        digest=snapshot.digest if snapshot else None,
    )


def _repeats(case: CaseResult) -> int:
    """As often as the case ran, with the retries that the gate asked for."""
    return max((len(values) for values in case.scores.values()), default=1)
