"""Which tree's packages a commit imports, tried in real virtual environments with real editable installs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters.environments.imports import search_path, site_folders

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGE = Path(__file__).parents[3]
FINDER = """
import json, sys
from setuptools.command.editable_wheel import _finder_template
print(_finder_template("demo", json.loads(sys.argv[1]), {}))
"""
# Prepares the commit's environment as a caller does, then says where a child imports `app` from.
ASK = """
import json, os, subprocess, sys
from pathlib import Path
from pytest_genaiver.adapters.environments import environment_for
from pytest_genaiver.errors import DependencyError
checkout, project = map(Path, sys.argv[1:])
try:
    found = environment_for(checkout, project, cache=project / ".genaiver" / "environments")
except DependencyError as error:
    print(json.dumps({"refused": str(error)}))
else:
    code = "import app; print(app.__file__)"
    child = [found.python, "-P", "-c", code] if sys.version_info >= (3, 11) else [found.python, "-c", code]
    where = subprocess.run(child, cwd="/", env={**os.environ, **found.variables}, capture_output=True, text=True)
    print(json.dumps({"app": where.stdout.strip(), "error": where.stderr}))
"""


@pytest.fixture
def trees(tmp_path: Path) -> Callable[[str], tuple[Path, Path]]:
    """Makes (the commit's files, the user's tree), each with the package `app` in a folder of that name."""

    def make(layout: str) -> tuple[Path, Path]:
        made = tmp_path / "checkout", tmp_path / "project"
        for tree in made:
            (tree / layout / "app").mkdir(parents=True)
            (tree / layout / "app" / "__init__.py").touch()
        return made

    return make


@pytest.fixture
def installed(tmp_path: Path) -> Callable[..., Path]:
    """Makes a virtual environment over this one's packages, with further files in its site-packages."""

    def make(**files: str) -> Path:
        folder = tmp_path / "venv"
        venv.EnvBuilder(symlinks=True).create(folder)
        site = next(folder.glob("lib/python*/site-packages"))
        lines = [f"import site; site.addsitedir({str(place)!r})\n" for place in site_folders()]
        (site / "beneath.pth").write_text("".join(lines))
        for name, text in files.items():
            (site / name).write_text(text)
        return folder / "bin" / "python"

    return make


def ask(python: Path, checkout: Path, project: Path) -> dict[str, str]:
    command = [str(python), "-c", ASK, str(checkout), str(project)]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(PACKAGE)}, capture_output=True, text=True, check=True
    )
    answer: dict[str, str] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("layout", ["", "src", "python/lib"])
def test_the_commit_wins_over_a_path_file(trees: Callable, installed: Callable, layout: str) -> None:
    checkout, project = trees(layout)
    python = installed(**{"_app.pth": f"{project / layout}\n"})
    assert ask(python, checkout, project) == {"app": str(checkout / layout / "app/__init__.py"), "error": ""}


@pytest.mark.parametrize("layout", ["", "src", "python/lib"])
def test_the_commit_wins_over_setuptools_finder(trees: Callable, installed: Callable, layout: str) -> None:
    checkout, project = trees(layout)
    python = installed(**finder(app=project / layout / "app"))
    assert ask(python, checkout, project) == {"app": str(checkout / layout / "app/__init__.py"), "error": ""}


def finder(**mapping: Path) -> dict[str, str]:
    """An editable install's files as setuptools makes them."""
    places = json.dumps({name: str(place) for name, place in mapping.items()})
    # Not in this process, where another test may have imported the distutils that setuptools replaces.
    made = subprocess.run([sys.executable, "-c", FINDER, places], capture_output=True, text=True, check=False)
    if "No module named 'setuptools" in made.stderr:
        pytest.skip("setuptools is not installed")
    text = made.stdout
    name = "__editable___demo_1_0_finder"
    return {f"{name}.py": text, "__editable__.demo-1.0.pth": f"import {name}; {name}.install()"}


def test_a_package_whose_folder_has_another_name_is_refused(trees: Callable, installed: Callable) -> None:
    checkout, project = trees("lib")
    for tree in (checkout, project):
        (tree / "lib" / "app").rename(tree / "lib" / "code")
    answer = ask(installed(**finder(app=project / "lib/code")), checkout, project)
    assert "the commit's package 'app' would be imported from" in answer["refused"]
    assert str(project / "lib/code") in answer["refused"]


def test_a_finder_that_is_asked_first_is_refused(trees: Callable, installed: Callable) -> None:
    checkout, project = trees("")
    first = (
        "import importlib.util, sys\nclass First:\n    def find_spec(name, path=None, target=None):\n"
        f"        if name == 'app': return importlib.util.spec_from_file_location(name, {str(project / 'app')!r}"
        " + '/__init__.py')\nsys.meta_path.insert(0, First)\n"
    )
    answer = ask(installed(**{"first.py": first, "first.pth": "import first"}), checkout, project)
    assert "installed as editable in a way that cannot be set aside" in answer["refused"]


def test_what_pythonpath_names_moves_with_the_commit(
    trees: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout, project = trees("src")
    (checkout / "tools").mkdir()
    given = [project / "tools", project / "gone", tmp_path / "elsewhere"]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, given)))
    expected = [checkout / "tools", checkout / "src", checkout, tmp_path / "elsewhere"]
    assert search_path(checkout, project).split(os.pathsep) == [str(place) for place in expected]


def test_the_folders_of_installed_packages_are_those_of_this_interpreter() -> None:
    assert Path(pytest.__file__).parents[1] in site_folders()
    assert str(site_folders()[0]) in sys.path
