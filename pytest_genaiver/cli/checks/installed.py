"""Python, pytest, MLflow, the plugin and pytest-xdist, against the lowest releases that the plugin works with."""

from __future__ import annotations

import platform
import re
from importlib import metadata
from typing import TYPE_CHECKING

from pytest_genaiver import __version__
from pytest_genaiver.cli.checks.finding import Finding, fail, ok, release, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

DISTRIBUTION = "pytest-genaiver"
_SHOWN = ("pytest", "mlflow", "openai")


def check() -> Iterator[Finding]:
    """What is installed, in the interpreter that runs this command: it must be the one of the tests."""
    floors, python = _floors()
    yield _against("python", platform.python_version(), python, fix=f"run on Python {python} or newer")
    for name in _SHOWN:
        yield _package(name, floors.get(name))
    yield ok("plugin", f"{DISTRIBUTION} {__version__}")
    yield _xdist(floors.get("pytest-xdist"))


def _floors() -> tuple[dict[str, str], str | None]:
    """Package -> lowest release, and Python's, as our own distribution declares them."""
    try:
        declared = metadata.metadata(DISTRIBUTION)
    except metadata.PackageNotFoundError:  # run from a source tree
        return {}, None
    floors: dict[str, str] = {}
    for requirement in declared.get_all("Requires-Dist") or ():
        if found := re.match(r"([\w.-]+)(?:\[[^]]*\])?\s*\(?[^;]*?>=\s*([\w.]+)", requirement):
            floors.setdefault(found[1].lower(), found[2])
    return floors, declared["Requires-Python"].removeprefix(">=")


def _package(name: str, floor: str | None) -> Finding:
    fix = f"pip install '{name}>={floor}'" if floor else f"pip install {name}"
    try:
        return _against(name, metadata.version(name), floor, fix=fix)
    except metadata.PackageNotFoundError:
        if name == "mlflow" and (skinny := _version("mlflow-skinny")):
            return _against(name, f"{skinny} (mlflow-skinny)", floor, fix=fix)
        return fail(name, "not installed", fix)


def _xdist(floor: str | None) -> Finding:
    found = _version("pytest-xdist")
    if found is None:
        return ok("xdist", "not installed: `-n` is not available")
    if floor and release(found) < release(floor):
        return warn("xdist", f"{found}, {floor} is the lowest that is tested", f"pip install 'pytest-xdist>={floor}'")
    return ok("xdist", found)


def _against(name: str, found: str, floor: str | None, *, fix: str) -> Finding:
    if floor and release(found) < release(floor):
        return fail(name, f"{found}, {floor} is the lowest that works", fix)
    return ok(name, found)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
