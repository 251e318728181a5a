"""The files of a version itself, as those of a session are in `files`: its code, its model."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_genaiver.adapters.tracking import files
from pytest_genaiver.adapters.tracking.failures import translated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel

    from pytest_genaiver.adapters.tracking.store import Store

CODE = "genaiver/code.tar.gz"
PATCH = "genaiver/dirty.patch"
ABOUT_CODE = "genaiver/code.json"


def tags(store: Store, model_id: str) -> dict[str, str]:
    """The tags of a version. Raises StoreError."""
    with translated("read the version's tags"):
        return dict(store.client().get_logged_model(model_id).tags)


def save(store: Store, model_id: str, contents: Mapping[str, bytes], tags: Mapping[str, str]) -> None:
    """Files by name, and then tags that say that they are there. Raises StoreError."""
    with tempfile.TemporaryDirectory() as made:
        for name, content in contents.items():
            path = Path(made, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        save_folder(store, model_id, Path(made), tags)


def save_folder(store: Store, model_id: str, folder: Path, tags: Mapping[str, str]) -> None:
    """All that is in a folder, and then tags. Raises StoreError."""
    with translated("store the version's files"):
        client = store.client()
        here = _folder(client, store, client.get_logged_model(model_id))
        if here is None:
            client.log_model_artifacts(model_id, str(folder))
        else:
            shutil.copytree(folder, here, dirs_exist_ok=True)
        client.set_logged_model_tags(model_id, dict(tags))


def read(store: Store, model_id: str, name: str) -> bytes | None:
    """The content of one of a version's files; None where it has none of this name. Raises StoreError."""
    with translated(f"read {name} of the version"):
        client = store.client()
        model = client.get_logged_model(model_id)
        if (here := _folder(client, store, model)) is not None:
            return (here / name).read_bytes() if (here / name).is_file() else None
        folder = name.rpartition("/")[0] or None
        if not any(found.path == name for found in client.list_logged_model_artifacts(model_id, folder)):
            return None
        from mlflow.artifacts import download_artifacts

        uri = f"{model.artifact_location}/{name}"
        with tempfile.TemporaryDirectory() as tmp:
            return Path(download_artifacts(artifact_uri=uri, dst_path=tmp, tracking_uri=store.place.uri)).read_bytes()


def _folder(client: MlflowClient, store: Store, model: LoggedModel) -> Path | None:
    """Where the files of a version are on this machine; None for those of a server."""
    return files.home(client, store.place, str(model.artifact_location), model.experiment_id, depth=2)
