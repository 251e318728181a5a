"""The files of a version: beside its store, behind a server, and none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters.tracking import model_files
from pytest_genaiver.errors import StoreError

if TYPE_CHECKING:
    from pytest_genaiver.adapters.tracking.store import Store

CONTENT = {model_files.CODE: b"\x1f\x8b\0code", model_files.PATCH: b"patch\n"}


def check(store: Store) -> None:
    model_id = store.version("app-1", {"genaiver.app": "app"}, {})
    assert model_files.read(store, model_id, model_files.CODE) is None
    model_files.save(store, model_id, CONTENT, {"genaiver.code": "archive"})
    for name, content in CONTENT.items():
        assert model_files.read(store, model_id, name) == content
    assert model_files.read(store, model_id, "genaiver/other") is None
    assert model_files.tags(store, model_id) == {"genaiver.app": "app", "genaiver.code": "archive"}


def test_files_of_a_version_are_kept_beside_a_local_store(store: Store) -> None:
    check(store)


def test_files_of_a_version_are_kept_by_a_server(server_store: Store) -> None:
    check(server_store)


def test_a_version_that_is_not_there_is_one_sentence(store: Store) -> None:
    with pytest.raises(StoreError, match=r"cannot read genaiver/code\.tar\.gz of the version: "):
        model_files.read(store, "m-none", model_files.CODE)
    with pytest.raises(StoreError, match="cannot store the version's files: "):
        model_files.save(store, "m-none", CONTENT, {})
    with pytest.raises(StoreError, match="cannot read the version's tags: "):
        model_files.tags(store, "m-none")
