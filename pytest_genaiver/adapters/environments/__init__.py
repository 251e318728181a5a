"""The Python environment that another commit of the project runs in: its own imports, its own dependencies.

::

    environment = environment_for(path, project, cache=root / ".genaiver" / "environments")
    subprocess.run([environment.python, "-m", "pytest"], cwd=path, env={**os.environ, **environment.variables})
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pytest_genaiver.adapters.environments.building import build
from pytest_genaiver.adapters.environments.dependencies import difference
from pytest_genaiver.adapters.environments.imports import check_imports, search_path
from pytest_genaiver.errors import DependencyError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Environment", "OnDifference", "environment_for"]

OnDifference = Literal["build", "refuse", "ignore"]
SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """How to run Python on a commit's files.

    `variables` are to be set over the environment of the process that runs `python`: they make the commit's own
    packages win over those of the user's tree. `differs` says in words which dependencies the running interpreter
    does not have as the commit asks for them; empty where it serves.
    """

    python: Path
    variables: dict[str, str] = field(default_factory=dict)
    differs: tuple[str, ...] = ()


def environment_for(
    checkout: Path,
    project: Path,
    *,
    cache: Path,
    on_difference: OnDifference = "build",
    say: Callable[[str], None] = lambda _: None,
) -> Environment:
    """The environment for a commit whose files are in `checkout`; `project` is the user's own tree.

    The running interpreter serves where the dependency files (pyproject.toml, setup.cfg, requirements*.txt, uv.lock,
    poetry.lock, pdm.lock, Pipfile.lock) of both trees ask for the same, or where it has all the same what the
    commit's ask for. Else `on_difference` decides: ``build`` makes a virtual environment in `cache` (once for the
    same files), in which what differs is installed and all else is the running interpreter's; ``refuse`` raises;
    ``ignore`` runs with what is here. `say` is told in one line before anything is installed.

    Raises DependencyError with one sentence: refused, cannot be installed, or the commit's own packages would be
    imported from the user's tree.
    """
    found = difference(checkout, project)
    python, variables = Path(sys.executable), {"PYTHONPATH": search_path(checkout, project)}
    if found.unmet and on_difference == "refuse":
        raise DependencyError(
            f"the dependencies of this commit differ from what is installed here: {_listed(found.words)}; allow an "
            "environment of its own (build), or to run with what is here (ignore)"
        )
    if found.unmet and on_difference == "build":
        python = build(found, cache, lambda: say(f"installing what this commit asks for: {_listed(found.words)}"))
        variables["VIRTUAL_ENV"] = str(python.parents[1])
        variables["PATH"] = os.pathsep.join([str(python.parent), os.environ.get("PATH", os.defpath)])
    check_imports(python, variables, checkout, project)
    return Environment(python=python, variables=variables, differs=found.words)


def _listed(words: tuple[str, ...]) -> str:
    more = len(words) - SHOWN
    return ", ".join(words[:SHOWN]) + (f" and {more} more" if more > 0 else "")
