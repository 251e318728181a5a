"""The archive of a version's code: the same bytes each time, unpacked safely."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters.snapshot.packed import pack, unpack
from pytest_genaiver.errors import CodeError

if TYPE_CHECKING:
    from pathlib import Path

FILES = [
    ("app.py", 0o100644, b"print()\n"),
    ("bin/run", 0o100755, b"#!/bin/sh\n"),
    ("f\u00f6\udcff/x" * 40, 0o100644, b""),
    ("link", 0o120000, b"bin/run"),
]


def archive(tmp_path: Path, *members: tarfile.TarInfo) -> Path:
    path = tmp_path / "bad.tar.gz"
    with tarfile.open(path, "w:gz") as made:
        for member in members:
            made.addfile(member, io.BytesIO(b"x" * member.size))
    return path


def member(name: str, type: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = type, link
    return made


def test_what_was_packed_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "code.tar.gz"
    path.write_bytes(pack(FILES, moment=1_700_000_000))
    unpack(path, tmp_path / "out" / "deep")
    found = tmp_path / "out" / "deep"
    assert (found / "app.py").read_bytes() == b"print()\n"
    assert (found / "app.py").stat().st_mtime == 1_700_000_000
    assert stat.S_IMODE((found / "bin/run").stat().st_mode) & stat.S_IXUSR
    assert os.readlink(found / "link") == "bin/run"
    assert (found / FILES[2][0]).exists()


def test_the_same_files_are_the_same_bytes() -> None:
    assert pack(FILES, moment=7) == pack(FILES, moment=7)
    assert pack(FILES, moment=7) != pack(FILES[:-1], moment=7)


@pytest.mark.parametrize("own_check_alone", [False, True])
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (member("/etc/passwd"), "would lie outside"),
        (member("../up"), "would lie outside"),
        (member("a/../../up"), "would lie outside"),
        (member("..\\up"), "would lie outside"),
        (member("C:\\up"), "would lie outside"),
        (member("link", tarfile.SYMTYPE, "/etc"), "links to '/etc', outside"),
        (member("a/link", tarfile.SYMTYPE, "../../up"), "links to '../../up', outside"),
        (member("l", tarfile.SYMTYPE, "a/.."), "links to 'a/..', outside"),
        (member("hard", tarfile.LNKTYPE, "../up"), "links to '../up', outside"),
        (member("pipe", tarfile.FIFOTYPE), "is neither file, folder nor link"),
        (member("disk", tarfile.BLKTYPE), "is neither file, folder nor link"),
    ],
)
def test_nothing_leaves_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: tarfile.TarInfo, message: str, *, own_check_alone: bool
) -> None:
    if own_check_alone:
        monkeypatch.delattr(tarfile, "data_filter")
    with pytest.raises(CodeError, match=message):
        unpack(archive(tmp_path, member("good"), bad), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    link = member("x/link", tarfile.SYMTYPE, "..")
    with pytest.raises(CodeError, match="would lie behind a link"):
        unpack(archive(tmp_path, link, member("x/link/y/up", tarfile.SYMTYPE, "../../../up")), tmp_path / "out")


def test_links_within_are_kept(tmp_path: Path) -> None:
    unpack(archive(tmp_path, member("b/file"), member("a/link", tarfile.SYMTYPE, "../b/file")), tmp_path / "out")
    assert os.readlink(tmp_path / "out/a/link") == "../b/file"


def test_what_is_no_archive_is_told(tmp_path: Path) -> None:
    path = tmp_path / "code.tar.gz"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(CodeError, match="cannot be unpacked"):
        unpack(path, tmp_path / "out")
    path.write_bytes(pack(FILES, moment=0)[:60])
    with pytest.raises(CodeError, match="cannot be unpacked"):
        unpack(path, tmp_path / "out")
