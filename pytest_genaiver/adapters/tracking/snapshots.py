"""The snapshot of a version: on the version itself, as tags, which of its sessions recorded it, and what that was."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pytest_genaiver.adapters.tracking import files
from pytest_genaiver.adapters.tracking.failures import translated
from pytest_genaiver.core.snapshot import Snapshot
from pytest_genaiver.errors import ResultsError

if TYPE_CHECKING:
    from pytest_genaiver.adapters.tracking.store import Store

SNAPSHOT = "genaiver.snapshot"
RUN = "genaiver.snapshot_run"
DEPENDENCIES = "genaiver.dependencies"
PYTHON = "genaiver.python"


def recorded(store: Store, model_id: str, snapshot: Snapshot, run_id: str) -> Snapshot | None:
    """The snapshot that the version has, where it is another one; a version without one gets this session's.

    Raises StoreError, and ResultsError where what is recorded cannot be read.
    """
    with translated("record the version's snapshot"):
        client = store.client()
        known = client.get_logged_model(model_id).tags
        if SNAPSHOT not in known:
            tags = {SNAPSHOT: snapshot.digest, RUN: run_id, PYTHON: snapshot.python}
            client.set_logged_model_tags(model_id, {**tags, DEPENDENCIES: snapshot.dependencies_digest})
            return None
    return None if known[SNAPSHOT] == snapshot.digest else of_run(store, known.get(RUN, ""))


def of_run(store: Store, run_id: str) -> Snapshot | None:
    """The snapshot of a recorded session; None where it left none. Raises StoreError or ResultsError."""
    text = store.read_more(run_id, files.SNAPSHOT)
    return None if text is None else parse(text, f"the snapshot of run {run_id}")


def parse(text: str, name: str) -> Snapshot:
    """A snapshot from its text; `name` is for messages. Raises ResultsError."""
    try:
        return Snapshot.from_json(json.loads(text))
    except ResultsError as error:
        raise ResultsError(f"{name} cannot be read: {error}") from error
    except (ValueError, RecursionError) as error:
        raise ResultsError(f"{name} is not JSON: {error}") from error
