"""Whose packages are imported: a commit's own, also where the user's tree is installed as editable.

An editable install is a `.pth` file that adds a folder of the user's tree to the end of `sys.path`, or setuptools'
finder, which is asked last. What PYTHONPATH names is found before both.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_genaiver.errors import DependencyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SITE = ("site-packages", "dist-packages")
FINDER_MAPPING = re.compile(r"^MAPPING(?:\s*:[^=\n]*)?\s*=\s*(\{.*?\})\s*$", re.MULTILINE | re.DOTALL)
USUAL_ROOTS = ("src", "")
SECONDS = 60
# Prints each name whose module comes from the user's tree, and from where.
WHERE = """
import importlib.util, os, sys
mine, theirs, *names = sys.argv[1:]
for name in names:
    try:
        spec = importlib.util.find_spec(name)
    except Exception:
        continue
    places = [spec.origin, *(spec.submodule_search_locations or ())] if spec else []
    real = [os.path.realpath(place) + os.sep for place in places if place]
    for place in real[:1]:
        if place.startswith(theirs + os.sep) and not place.startswith(mine + os.sep):
            print(f"{name}\\t{place.rstrip(os.sep)}")
"""


def site_folders() -> list[Path]:
    """The folders of installed packages that the running interpreter imports from."""
    return [Path(entry) for entry in dict.fromkeys(sys.path) if entry.endswith(SITE) and os.path.isdir(entry)]


def search_path(checkout: Path, project: Path) -> str:
    """PYTHONPATH for a commit: its folders in place of those of the user's tree, then what else was there."""
    given = [Path(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    own = [*given, *_linked(), *(place.parent for places in _mapped().values() for place in places)]
    inside = [(checkout / place.relative_to(_real(project))) for place in map(_real, own) if _in(place, project)]
    usual = [checkout / name for name in USUAL_ROOTS]
    outside = [entry for entry in given if not _in(_real(entry), project)]
    roots = [root for root in [*inside, *usual] if root.is_dir()]
    return os.pathsep.join(dict.fromkeys(str(entry) for entry in [*roots, *outside]))


def check_imports(python: Path, variables: Mapping[str, str], checkout: Path, project: Path) -> None:
    """Raises DependencyError where a package that the commit holds would be imported from the user's tree."""
    names = sorted({*_packages(variables["PYTHONPATH"], checkout), *_mapped_here(project, checkout)})
    command = [str(python), "-c", WHERE, str(_real(checkout)), str(_real(project)), *names]
    environment = {**os.environ, **variables}
    found = subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    ).stdout
    for line in found.splitlines():
        name, _, place = line.partition("\t")
        raise DependencyError(
            f"the commit's package {name!r} would be imported from {place}, the user's own tree: the project is "
            "installed as editable in a way that cannot be set aside; install it without --editable"
        )


def _packages(path: str, checkout: Path) -> Iterator[str]:
    """Names that the commit's folders on the path hold."""
    for root in map(Path, path.split(os.pathsep)):
        if _in(_real(root), checkout):
            yield from (file.parent.name for file in root.glob("*/__init__.py") if file.parent.name.isidentifier())
            yield from (file.stem for file in root.glob("*.py") if file.stem.isidentifier())


def _mapped_here(project: Path, checkout: Path) -> Iterator[str]:
    """Names that a finder maps into the user's tree, at a place that the commit has too."""
    for name, places in _mapped().items():
        for place in map(_real, places):
            if _in(place, project) and (checkout / place.relative_to(_real(project))).exists():
                yield name


def _linked() -> Iterator[Path]:
    """Folders that `.pth` files add."""
    for folder in site_folders():
        for file in sorted(folder.glob("*.pth")):
            for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
                if line.strip() and not line.startswith(("#", "import ", "import\t")):
                    yield folder / line.strip()


def _mapped() -> dict[str, list[Path]]:
    """Top-level name -> places that setuptools' editable finders take it from."""
    found: dict[str, list[Path]] = {}
    for folder in site_folders():
        for file in sorted(folder.glob("__editable__*_finder.py")):
            mapping = FINDER_MAPPING.search(file.read_text(encoding="utf-8", errors="replace"))
            for name, place in ast.literal_eval(mapping[1]).items() if mapping else ():
                found.setdefault(name.partition(".")[0], []).append(Path(place))
    return found


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _in(path: Path, folder: Path) -> bool:
    return path == _real(folder) or _real(folder) in path.parents
