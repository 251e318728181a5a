"""The distributions that are installed for this interpreter, and where they came from."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pytest_genaiver.core.identity import clean_url
from pytest_genaiver.core.snapshot import INSTALLERS, normalised

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

UNKNOWN = "unknown"
EDITABLE = "editable"
_FIELD = {name: re.compile(rf"^{name}: *(\S+) *$", re.MULTILINE) for name in ("Name", "Version")}
# Where the metadata is: of a wheel, of an egg, of an egg that is one file.
_FILES = ("METADATA", "PKG-INFO", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """One distribution. `source` is the URL that it was installed from, with the commit; None for a package index."""

    name: str
    version: str
    source: str | None = None
    editable: bool = False
    local: bool = False

    @property
    def resolved(self) -> str:
        """What tells this installation from another: the same on every machine with the same lock.

        That of a folder or file of this machine is its version: how its wheel was built differs each time. An
        editable one is what the folder holds, of which its version says nothing.
        """
        if self.editable:
            return EDITABLE
        if self.local:
            return f"{self.version} (local)"
        return self.version if self.source is None else f"{self.version} ({self.source})"

    @property
    def is_elsewhere(self) -> bool:
        """Whether pip can install it on another machine."""
        return not (self.editable or self.local or self.version == UNKNOWN)

    def requirement(self) -> str:
        """Its line in a requirements file; a comment where pip could not install it elsewhere."""
        if self.editable or self.local:
            return f"# {self.name}: {self.resolved}, not from a package index"
        if self.version == UNKNOWN:
            return f"# {self.name}: its metadata cannot be read"
        return f"{self.name}=={self.version}" if self.source is None else f"{self.name} @ {self.source}"


def installed(found: Iterable[Distribution] | None = None) -> list[Installed]:
    """By name. Of several that share a name, the first on the path counts, which is the one that is imported."""
    known: dict[str, Installed] = {}
    for distribution in distributions() if found is None else found:
        one = _read(distribution)
        known.setdefault(normalised(one.name), one)
    return [known[name] for name in sorted(known)]


def dependencies(found: Iterable[Installed]) -> dict[str, str]:
    """Distribution -> what is installed, as a snapshot holds it."""
    return {normalised(one.name): one.resolved for one in found}


def requirements(found: Iterable[Installed], python: str) -> str:
    """The set as a file for `pip install -r`, without what a virtual environment brings with it."""
    lines = [one.requirement() for one in found if normalised(one.name) not in INSTALLERS]
    return "\n".join([f"# Python {python}", *lines, ""])


def _read(distribution: Distribution) -> Installed:
    # Not `distribution.metadata`: parsing it as a mail message takes ten times as long.
    head = next(filter(None, _heads(distribution)), "")
    name, version = (match[1] if (match := _FIELD[key].search(head)) else None for key in ("Name", "Version"))
    return Installed(name=name or _folder_name(distribution), version=version or UNKNOWN, **_origin(distribution))


def _heads(distribution: Distribution) -> Iterator[str]:
    for file in _FILES:
        with contextlib.suppress(ValueError):  # not UTF-8
            yield (distribution.read_text(file) or "").partition("\n\n")[0]


def _folder_name(distribution: Distribution) -> str:
    """What an installation without readable metadata is called: half an installation, as pip leaves one behind."""
    folder = str(getattr(distribution, "_path", ""))
    return re.split(r"[\\/]", folder)[-1].partition(".dist-info")[0] or "a distribution without a name"


def _origin(distribution: Distribution) -> dict[str, Any]:
    """Source, whether editable, whether of this machine; by PEP 610."""
    try:
        given = json.loads(distribution.read_text("direct_url.json") or "{}")
        url = clean_url(str(given.get("url") or ""))
        vcs, archive, folder = (given.get(key) or {} for key in ("vcs_info", "archive_info", "dir_info"))
        if not url:
            return {}
        if folder.get("editable"):
            return {"editable": True}
        if vcs.get("commit_id"):
            return {"source": f"{vcs.get('vcs', 'git')}+{url}@{vcs['commit_id']}"}
        if urlsplit(url).scheme == "file":
            return {"local": True}
        return {"source": url + _hash(archive)}
    except (AttributeError, TypeError, ValueError):
        return {}


def _hash(archive: dict[str, Any]) -> str:
    hashes = archive.get("hashes") or {}
    return f"#sha256={hashes['sha256']}" if "sha256" in hashes else ""
