"""What a tree's dependency files ask for, and what of it the running interpreter does not have.

Only what the files say is read; nothing of the project is run. What `setup.py` computes is not seen.
"""

from __future__ import annotations

import configparser
import hashlib
import json
import re
import sys
from dataclasses import dataclass, field
from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

# Before Python 3.11 pytest brings the same under another name.
toml = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")

LOCKS = ("uv.lock", "poetry.lock", "pdm.lock")
REQUIREMENTS = ("requirements*.txt", "requirements/*.txt")
COMMENT = re.compile(r"(^|\s)#.*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What one tree asks for.

    `always` are requirements of the app; `perhaps` those of extras and groups, of which it is not known whether the
    user installed them. `pins` are the versions in its locks, where a lock holds one version of a package only.
    """

    always: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()
    pins: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a commit asks for and the running interpreter does not have.

    `unmet` are lines for pip, `words` the same for people, `pins` the constraints of the commit's locks.
    """

    unmet: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    pins: dict[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        text = json.dumps([self.unmet, sorted(self.pins.items()), sys.prefix, sys.version])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def difference(checkout: Path, project: Path) -> Difference:
    """What the commit in `checkout` asks for beyond the user's own tree and what is installed."""
    theirs, mine = wanted(checkout), wanted(project)
    unmet = {
        line: words
        for line in (*theirs.always, *theirs.perhaps)
        if line not in {*mine.always, *mine.perhaps}
        and (words := _unmet(line, theirs.pins, needed=line in theirs.always))
    }
    for name, version in theirs.pins.items():
        here = _installed(name)
        if mine.pins.get(name) != version and here is not None and not _same(here, version):
            unmet[f"{name}=={version}"] = f"{name} {version} (here {here})"
    return Difference(unmet=tuple(unmet), words=tuple(dict.fromkeys(unmet.values())), pins=theirs.pins)


def wanted(folder: Path) -> Wanted:
    """What the dependency files in a folder ask for; a file that cannot be read asks for nothing."""
    parts = [_pyproject(folder / "pyproject.toml"), _setup_cfg(folder / "setup.cfg"), _pipfile(folder)]
    parts += [Wanted(always=tuple(_lines(f))) for pattern in REQUIREMENTS for f in sorted(folder.glob(pattern))]
    parts += [Wanted(pins=_pins(_toml(folder / name).get("package"))) for name in LOCKS]
    return Wanted(
        always=tuple(dict.fromkeys(line for part in parts for line in part.always)),
        perhaps=tuple(dict.fromkeys(line for part in parts for line in part.perhaps)),
        pins={name: version for part in parts for name, version in part.pins.items()},
    )


def _unmet(line: str, pins: Mapping[str, str], *, needed: bool) -> str | None:
    """Why the running interpreter does not meet a requirement, in words; None where it does."""
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        return line
    if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
        return None
    here = _installed(requirement.name)
    if here is None:
        return f"{requirement.name}{requirement.specifier} (not here)" if needed else None
    if canonicalize_name(requirement.name) in pins:
        return None  # the lock's version decides
    if requirement.url or not requirement.specifier.contains(here, prereleases=True):
        return f"{requirement.name}{requirement.specifier} (here {here})"
    return None


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _same(one: str, other: str) -> bool:
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other


def _pyproject(file: Path) -> Wanted:
    data = _toml(file)
    project, poetry = _table(data, "project"), _table(data, "tool", "poetry")
    groups = [*_table(project, "optional-dependencies").values(), *_table(data, "dependency-groups").values()]
    # Poetry's own notation is none of pip's: its lock has the versions.
    theirs = [name for name in _table(poetry, "dependencies") if name != "python"]
    optional = [name for group in _table(poetry, "group").values() for name in _table(group, "dependencies")]
    return Wanted(
        always=(*_texts(project.get("dependencies")), *theirs),
        perhaps=(*(line for group in groups for line in _texts(group)), *optional),
    )


def _setup_cfg(file: Path) -> Wanted:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read(file, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return Wanted()
    extras = parser["options.extras_require"].values() if parser.has_section("options.extras_require") else ()
    return Wanted(
        always=tuple(_split(parser.get("options", "install_requires", fallback=""))),
        perhaps=tuple(line for extra in extras for line in _split(extra)),
    )


def _pipfile(folder: Path) -> Wanted:
    try:
        data = json.loads((folder / "Pipfile.lock").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Wanted()
    packages = [_table(data, part) for part in ("default", "develop")]
    pins = {
        str(canonicalize_name(name)): str(entry["version"]).removeprefix("==")
        for part in packages
        for name, entry in part.items()
        if isinstance(entry, dict) and "version" in entry
    }
    return Wanted(always=tuple(packages[0]), perhaps=tuple(packages[1]), pins=pins)


def _pins(packages: object) -> dict[str, str]:
    """Name -> version; not of what a lock holds in several versions, one for each platform."""
    found: dict[str, set[str]] = {}
    for entry in packages if isinstance(packages, list) else ():
        source = entry.get("source")
        local = isinstance(source, dict) and {"editable", "virtual", "directory"} & source.keys()
        if "version" in entry and not local:
            found.setdefault(str(canonicalize_name(entry["name"])), set()).add(str(entry["version"]))
    return {name: min(versions) for name, versions in found.items() if len(versions) == 1}


def _lines(file: Path) -> Iterator[str]:
    """Requirements of a requirements file; its options and hashes are left out."""
    return _split(file.read_text(encoding="utf-8", errors="replace").replace("\\\n", " "))


def _split(text: str) -> Iterator[str]:
    for raw in text.splitlines():
        line = COMMENT.sub("", raw).partition(" --")[0].strip()
        if line and not line.startswith("-"):
            yield line


def _toml(file: Path) -> dict[str, Any]:
    try:
        data: dict[str, Any] = toml.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data


def _table(data: object, *names: str) -> dict[str, Any]:
    for name in names:
        data = data.get(name) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


def _texts(lines: object) -> Iterable[str]:
    return [line for line in lines if isinstance(line, str)] if isinstance(lines, list) else []
