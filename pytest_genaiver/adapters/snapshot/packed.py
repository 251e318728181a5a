"""Files in one compressed archive: the same bytes for the same files, and unpacked nowhere but where they belong."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
from typing import TYPE_CHECKING

from pytest_genaiver.errors import CodeError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def pack(files: Iterable[tuple[str, int, bytes]], *, moment: int) -> bytes:
    """A `.tar.gz` of (path, mode, content); a link's content is its target. All were made at `moment`."""
    made = io.BytesIO()
    with (
        # Without the clock and the name that gzip would write.
        gzip.GzipFile(filename="", fileobj=made, mode="wb", mtime=0) as squeezed,
        tarfile.open(fileobj=squeezed, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8") as archive,
    ):
        for path, mode, content in files:
            entry = tarfile.TarInfo(path)
            entry.mtime, entry.mode = moment, 0o755 if mode & stat.S_IXUSR else 0o644
            if stat.S_ISLNK(mode):
                entry.type, entry.linkname = tarfile.SYMTYPE, content.decode("utf-8", "surrogateescape")
            else:
                entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content) if entry.isreg() else None)
    return made.getvalue()


def unpack(path: Path, folder: Path) -> None:
    """Unpack an archive into a folder. Raises CodeError, before anything is written, where one of its members would
    lie or point outside of the folder, is a device, or where it is no archive.
    """
    try:
        with tarfile.open(path, "r:gz") as archive:
            members = archive.getmembers()
            links = {"/".join(_parts(member.name)) for member in members if member.issym()}
            for member in members:
                _check(member, links, path)
            folder.mkdir(parents=True, exist_ok=True)
            # Python 3.12 has a check of its own, and older releases with security fixes as well.
            safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
            archive.extractall(folder, members, **safely)  # type: ignore[arg-type]
    except (tarfile.TarError, OSError, EOFError) as error:
        raise CodeError(f"{str(path)!r} cannot be unpacked: {error}") from error


def _check(member: tarfile.TarInfo, links: set[str], path: Path) -> None:
    where = f"{str(path)!r} is not unpacked: its member {member.name!r}"
    if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
        raise CodeError(f"{where} is neither file, folder nor link")
    parts = _parts(member.name)
    if _is_elsewhere(member.name) or ".." in parts:
        raise CodeError(f"{where} would lie outside of the folder")
    if links.intersection("/".join(parts[:i]) for i in range(1, len(parts))):
        raise CodeError(f"{where} would lie behind a link")
    if member.issym() and _climbs(member.linkname, depth=len(parts) - 1):
        raise CodeError(f"{where} links to {member.linkname!r}, outside of the folder")
    if member.islnk() and _climbs(member.linkname, depth=0):
        raise CodeError(f"{where} links to {member.linkname!r}, outside of the folder")


def _parts(name: str) -> list[str]:
    return [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]


def _is_elsewhere(name: str) -> bool:
    """Whether a path is absolute, or of a drive."""
    return name.startswith(("/", "\\")) or name[1:2] == ":"


def _climbs(target: str, depth: int) -> bool:
    """Whether a link that lies so many folders deep leads out; it may climb before it descends, never after: what it
    climbs out of then may itself be a link.
    """
    parts = _parts(target)
    up = next((i for i, part in enumerate(parts) if part != ".."), len(parts))
    return _is_elsewhere(target) or up > depth or ".." in parts[up:]
