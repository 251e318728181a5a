"""Where the twin finds things: the same places as this session, in the other commit's work tree."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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


def roots(modules: Mapping[str, str], paths: Iterable[str], top: Path, to: Path) -> list[str]:
    """The folders that the twin imports from before all others.

    `modules` maps what this session has imported to its files, `paths` are the folders that it imports from. Those
    below `top` are taken below `to`, in their order; and of what was imported from elsewhere, as an app that is
    installed, what `to` holds the source of.
    """
    inside = [Path(p) for p in paths if p and _below(Path(p), top) and not installed(p)]
    inside += [root for name, file in modules.items() if _below(Path(file), top) and (root := _root(name, file))]
    found = [to / root.relative_to(top) for root in inside if not installed(str(root))]
    names = {name for name, file in modules.items() if "." not in name and installed(file)}
    found += [root for root in (to / "src", to) for name in sorted(names) if _holds(root, name)]
    return [str(one) for one in dict.fromkeys(found) if one.is_dir()]


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


def search_path(first: Sequence[str], given: str | None, top: Path, own: Path) -> list[str]:
    """The folders of PYTHONPATH: `first`, then the user's (`given`) but the project's, then this package's."""
    users = [p for p in (given or "").split(os.pathsep) if p and not _below(Path(p), top)]
    ours = [] if installed(str(own)) else [str(own)]
    return list(dict.fromkeys([*first, *users, *ours]))


def _below(path: Path, top: Path) -> bool:
    return path == top or top in path.parents


def _root(name: str, file: str) -> Path | None:
    """The folder that a module was imported from; None for one whose name does not tell (pytest's importlib mode)."""
    path = Path(file)
    parts = name.split(".")
    parts = [*parts, "__init__"] if path.stem == "__init__" else parts
    found = path.with_suffix("").parts[-len(parts) :] == tuple(parts)
    return path.parents[len(parts) - 1] if found else None


def _holds(root: Path, name: str) -> bool:
    """Whether a folder holds the source of a module."""
    return (root / name / "__init__.py").is_file() or (root / f"{name}.py").is_file()
