from __future__ import annotations

from datetime import datetime, timezone

import pytest

from pytest_genaiver.core.gitformat import STORE, is_ours, parse_commit, parse_status

SHA = "a" * 40
MODIFIED = f"1 .M N... 100644 100644 100644 {SHA} {SHA} ".encode()


def submodule(flags: str) -> bytes:
    return f"1 .M {flags} 160000 160000 160000 {SHA} {SHA} lib".encode()


def test_a_commit_is_read_with_its_parents_and_its_date_in_utc() -> None:
    raw = (
        f"tree {SHA}\nparent {'b' * 40}\nparent {'c' * 40}\n"
        "author Ada\u2028parent x <ada@example.com> 1600000000 +0000\n"
        "committer Bo Li <bo@example.com> 1700000000 +0900\n"
        "gpgsig -----BEGIN\n parent not-a-parent\n -----END\n\nparent of all\n"
    ).encode()
    commit = parse_commit(raw)
    assert commit.tree == SHA
    assert commit.parents == ("b" * 40, "c" * 40)
    assert commit.committed == datetime(2023, 11, 14, 22, 13, 20, tzinfo=timezone.utc)


def test_the_state_of_a_work_tree_is_read_with_its_paths_as_bytes() -> None:
    conflict = f"u UU N... 100644 100644 100644 100644 {SHA} {SHA} {SHA} both sides".encode()
    raw = b"\0".join([MODIFIED + b"b\xff\ny", conflict, b"? new file", b"? a", b""])
    state = parse_status(raw)
    assert state.changed == (b"both sides", b"b\xff\ny")
    assert state.untracked == (b"a", b"new file")
    assert state.submodules == frozenset()


def test_a_file_that_left_the_index_but_not_the_disk_counts_once() -> None:
    state = parse_status(MODIFIED + b"kept\0? kept\0")
    assert state.changed == (b"kept",)
    assert state.untracked == ()


@pytest.mark.parametrize("flags", ["SC..", "S.M.", "SCMU", "S.MU"])
def test_a_changed_submodule_is_a_change(flags: str) -> None:
    state = parse_status(submodule(flags) + b"\0")
    assert state.changed == (b"lib",)
    assert state.submodules == {b"lib"}


def test_a_submodule_with_only_new_files_is_clean() -> None:
    assert parse_status(submodule("S..U") + b"\0").changed == ()


def test_our_own_files_count_nowhere() -> None:
    raw = MODIFIED + b"mlflow.db\0? mlruns/1/meta.yaml\0? report.json\0? mlflow.db-wal\0? mlruns.txt\0"
    state = parse_status(raw, (*STORE, b"report.json"))
    assert state.changed == ()
    assert state.untracked == (b"mlruns.txt",)


@pytest.mark.parametrize(
    ("path", "own"),
    [
        (b"mlflow.db", True),
        (b"mlflow.db-shm", True),
        (b"mlflow.db-journal", True),
        (b".genaiver/parts/1", True),
        (b"sub/mlflow.db", False),
        (b"mlflow.db-old", False),
        (b".genaiver2/x", False),
    ],
)
def test_what_is_ours_is_told_by_its_path(path: bytes, own: bool) -> None:
    assert is_ours(path, STORE) is own
