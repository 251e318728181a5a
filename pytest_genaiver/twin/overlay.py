"""The tests of now over the app of another commit: which files are tests, and how they get there."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_FOLDER = re.compile(r"(?:.+[_-])?(?:tests|evals)(?:[_-].+)?|test|eval")
_CONFTEST = "conftest.py"
_LEFT = shutil.ignore_patterns("__pycache__", ".git", ".genaiver", "mlruns", "mlflow.db*", ".pytest_cache")
_SHOWN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """What is taken from the work tree of now: whole folders of tests, and single files, all relative to its top."""

    folders: tuple[str, ...]
    files: tuple[str, ...]

    def covers(self, path: str) -> bool:
        """Whether a file of the project, relative to its top, is taken from the work tree of now."""
        return path in self.files or any(path.startswith(f"{folder}/") for folder in self.folders)

    def line(self) -> str:
        """`tests/, app/test_a.py and 3 more`."""
        names = [*(f"{folder}/" for folder in self.folders), *self.files]
        more = len(names) - _SHOWN
        return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def overlay_of(files: Iterable[str]) -> Overlay:
    """What belongs to the tests, by the files that hold cases, their data and pytest's ini file (relative paths).

    A folder whose name says that it holds tests (`tests`, `evals`, `unit_tests`) is taken whole, with the helpers and
    data in it. Of any other folder, which holds the app too, the files themselves, and each `conftest.py` at or
    above them.
    """
    folders: dict[str, None] = {}
    single: dict[str, None] = {}
    for name in sorted(set(files)):
        path = PurePosixPath(name)
        # The topmost first, the toplevel itself left out: it is the project, whatever it is called.
        above = [p for p in reversed(path.parents) if p.parts]
        folder = next((p for p in above if _FOLDER.fullmatch(p.name)), None)
        if folder is None:
            single[name] = None
        else:
            folders[str(folder)] = None
        outside = [p for p in path.parents if folder is None or p in folder.parents]
        single.update(dict.fromkeys(str(p / _CONFTEST) for p in outside))
    return Overlay(folders=tuple(sorted(folders)), files=tuple(sorted(single)))


def existing(overlay: Overlay, *tops: Path) -> Overlay:
    """Without the `conftest.py` that are nowhere."""
    files = tuple(f for f in overlay.files if any((top / f).is_file() for top in tops))
    return Overlay(folders=overlay.folders, files=files)


def lay(overlay: Overlay, top: Path, to: Path) -> None:
    """Take them from `top` to `to`; what `to` holds in their place, or what `top` holds no more, is removed there."""
    for folder in overlay.folders:
        shutil.rmtree(to / folder, ignore_errors=True)
        shutil.copytree(top / folder, to / folder, symlinks=True, ignore=_LEFT)
    for file in overlay.files:
        (to / file).unlink(missing_ok=True)
        if (top / file).is_file():
            (to / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(top / file, to / file)
