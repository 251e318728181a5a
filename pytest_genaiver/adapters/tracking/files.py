"""The files of a session: its results, where MLflow put them or beside a store that was moved."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.tracking.place import ARTIFACTS, local_folder
from pytest_genaiver.errors import ResultsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow import MlflowClient
    from mlflow.entities import Run

    from pytest_genaiver.adapters.tracking.place import Place

RESULTS = "genaiver/results.json"
CASES = "genaiver/cases.json"
DETAILS = "genaiver/details.json"
JUDGEMENTS = "genaiver/judgements.json"
SNAPSHOT = "genaiver/snapshot.json"
REQUIREMENTS = "genaiver/requirements.txt"
BESIDE = "genaiver.artifacts"
"""The tag of an experiment that we made: its artifacts lie beside the database, wherever that is moved to."""


def read(client: MlflowClient, place: Place, run_id: str, artifact_uri: str, name: str = RESULTS) -> str:
    """The text of a run's results, or of another of its files. Raises ResultsError where a local store holds none.

    A store restored at another path (a CI cache, another checkout) still names its old folders, which may be
    somebody else's by now: what lies beside the database comes first.
    """
    recorded = local_folder(artifact_uri)
    if recorded is None:
        with tempfile.TemporaryDirectory() as tmp:
            return _text(Path(client.download_artifacts(run_id, name, tmp)))
    for folder in (_beside(recorded, place), recorded):
        if (folder / name).exists():
            return _text(folder / name)
    raise ResultsError(f"run {run_id} left no {name} in {str(_beside(recorded, place))!r}")


def read_if_there(client: MlflowClient, place: Place, run_id: str, name: str) -> str | None:
    """The text of one of a run's files; None where the run left none of this name."""
    artifact_uri = str(client.get_run(run_id).info.artifact_uri)
    if local_folder(artifact_uri) is None:
        folder = name.rpartition("/")[0]
        if not any(found.path == name for found in client.list_artifacts(run_id, folder)):
            return None
    try:
        return read(client, place, run_id, artifact_uri, name)
    except ResultsError:
        return None


def folder(place: Place, artifact_uri: str) -> Path | None:
    """The local folder of artifacts, where it lies now; None where they are not local ones."""
    recorded = local_folder(artifact_uri)
    if recorded is None:
        return None
    beside = _beside(recorded, place)
    return beside if beside.exists() else recorded


def save(
    client: MlflowClient, place: Place, run_id: str, texts: Mapping[str, str], table: Mapping[str, list[Any]]
) -> None:
    """Save a run's files (name -> text), and its cases as a table for MLflow's pages."""
    folder = _moved_to(client, place, client.get_run(run_id))
    if folder is None:
        for name, text in texts.items():
            client.log_text(run_id, text, name)
        client.log_table(run_id, dict(table), CASES)
        return
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


def _moved_to(client: MlflowClient, place: Place, run: Run) -> Path | None:
    """Where a run's files belong in a store that was moved; None where MLflow knows it."""
    uri = str(run.info.artifact_uri)
    found = home(client, place, uri, run.info.experiment_id, depth=1)
    return None if found == local_folder(uri) else found


def home(client: MlflowClient, place: Place, artifact_uri: str, experiment_id: str, *, depth: int) -> Path | None:
    """Where files that were recorded at this address belong on this machine, also in a store that was moved; None
    where a server keeps them. `depth` is how many folders below their experiment's they lie, less one.
    """
    recorded = local_folder(artifact_uri)
    if recorded is None or (here := _beside(recorded, place)) == recorded:
        return recorded
    ours = BESIDE in client.get_experiment(experiment_id).tags
    # Where an experiment keeps its files a user may have chosen.
    return here if ours or not recorded.parents[depth].exists() else recorded


def _beside(recorded: Path, place: Place) -> Path:
    """A recorded artifact folder as it lies beside the database; as recorded, where it never lay beside one."""
    names = recorded.parts
    if place.artifacts is None or ARTIFACTS not in names:
        return recorded
    last = len(names) - 1 - names[::-1].index(ARTIFACTS)
    return place.artifacts.joinpath(*names[last + 1 :])
