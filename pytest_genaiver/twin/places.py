"""Where the twin finds things: in the same places as this session, in the other commit's work tree."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_INSTALLED = ("site-packages", "dist-packages")


def moved(argument: str, top: Path, to: Path) -> str:
    """An argument of pytest with the paths below `top` in it moved below `to`."""
    text, at = str(top), argument.find(str(top))
    while at >= 0:
        end = at + len(text)
        begins = at == 0 or argument[at - 1] in "=:,"
        if begins and argument[end : end + 1] in ("", "/", ":", ","):
            argument = f"{argument[:at]}{to}{argument[end:]}"
            end = at + len(str(to))
        at = argument.find(text, end)
    return argument


def with_this_package(variables: Mapping[str, str]) -> dict[str, str]:
    """Environment variables under which this very package is imported, also where it is not installed."""
    own = str(Path(__file__).resolve().parents[2])
    path = variables.get("PYTHONPATH", "").split(os.pathsep)
    return {**variables, "PYTHONPATH": os.pathsep.join([*path, *([] if installed(own) else [own])])}


def installed(path: str) -> bool:
    """Whether it lies where packages are installed, which a project may hold within it (`.venv`)."""
    return any(part in _INSTALLED for part in Path(path).parts)


def strangers(modules: Mapping[str, str], top: Path, to: Path) -> list[str]:
    """The modules that the twin has from this session's app, and should have from the other commit's."""
    return sorted(
        name
        for name, file in modules.items()
        if (_below(Path(file), top) and not _below(Path(file), to) and not installed(file))
        or ("." not in name and installed(file) and any(_holds(root, name) for root in (to / "src", to)))
    )


def _below(path: Path, top: Path) -> bool:
    return path == top or top in path.parents


def _holds(root: Path, name: str) -> bool:
    """Whether a folder holds the source of a module."""
    return (root / name / "__init__.py").is_file() or (root / f"{name}.py").is_file()
