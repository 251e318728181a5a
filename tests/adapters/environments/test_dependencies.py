from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from pytest_genaiver.adapters.environments import environment_for
from pytest_genaiver.adapters.environments.dependencies import difference, wanted
from pytest_genaiver.errors import DependencyError

PYTEST = version("pytest")
PYPROJECT = """
[project]
dependencies = ["numpy>=1", {line!r}]
[project.optional-dependencies]
more = ["pluggy>=999", "not-here-1 ; python_version < '3'"]
[dependency-groups]
test = [{{ include-group = "lint" }}, "not-here-2"]
[tool.poetry.dependencies]
python = "^3.10"
iniconfig = "^2"
[tool.poetry.group.docs.dependencies]
packaging = "*"
"""
UV = """
[[package]]
name = "Pytest"
version = "{version}"
source = {{ registry = "https://pypi.org/simple" }}
[[package]]
name = "support-agent"
version = "1.0"
source = {{ editable = "." }}
[[package]]
name = "numpy"
version = "1.0"
[[package]]
name = "numpy"
version = "2.0"
"""


@pytest.fixture
def trees(tmp_path: Path) -> tuple[Path, Path]:
    """(the commit's files, the user's tree)."""
    made = tmp_path / "checkout", tmp_path / "project"
    for tree in made:
        tree.mkdir()
    return made


def unmet(checkout: Path, project: Path) -> tuple[str, ...]:
    return difference(checkout, project).words


def test_no_files_ask_for_nothing(trees) -> None:
    assert unmet(*trees) == ()


def test_equal_files_need_no_look_at_what_is_installed(trees) -> None:
    for tree in trees:
        (tree / "requirements.txt").write_text("nothing-of-the-kind==1\n")
    assert unmet(*trees) == ()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("pytest>=7", ()),
        ("pytest<2", (f"pytest<2 (here {PYTEST})",)),
        ("PyTest[dev]<2 ; python_version >= '3'", (f"PyTest<2 (here {PYTEST})",)),
        ("pytest<2 ; python_version < '3'", ()),
        ("pytest<2 --hash=sha256:00 \\\n  --hash=sha256:11", (f"pytest<2 (here {PYTEST})",)),
        ("not-here>=1  # a comment", ("not-here>=1 (not here)",)),
        ("git+https://example.com/x.git", ("git+https://example.com/x.git",)),
        ("-r other.txt", ()),
        ("--index-url https://example.com", ()),
    ],
)
def test_a_requirements_file(trees, line: str, words: tuple[str, ...]) -> None:
    checkout, project = trees
    (checkout / "requirements-dev.txt").write_text(f"# what we need\n\n{line}\n")
    assert unmet(checkout, project) == words


def test_pyproject_and_what_of_extras_and_groups_is_installed(trees) -> None:
    checkout, project = trees
    (checkout / "pyproject.toml").write_text(PYPROJECT.format(line="not-here<3"))
    (project / "pyproject.toml").write_text(PYPROJECT.replace("pluggy>=999", "pluggy").format(line="not-here<4"))
    pluggy = version("pluggy")
    assert unmet(checkout, project) == ("not-here<3 (not here)", f"pluggy>=999 (here {pluggy})")
    assert {"iniconfig", "numpy>=1"} <= {*wanted(checkout).always}
    assert "packaging" in wanted(checkout).perhaps


def test_setup_cfg(trees) -> None:
    checkout, project = trees
    text = "[options]\ninstall_requires =\n  pytest<2\n[options.extras_require]\nall =\n  numpy<1\n  not-here\n"
    (checkout / "setup.cfg").write_text(text)
    assert unmet(checkout, project) == (f"pytest<2 (here {PYTEST})", f"numpy<1 (here {version('numpy')})")


@pytest.mark.parametrize("name", ["uv.lock", "poetry.lock", "pdm.lock"])
def test_a_lock_pins_what_is_installed_here(trees, name: str) -> None:
    checkout, project = trees
    (checkout / name).write_text(UV.format(version="1.0"))
    (project / name).write_text(UV.format(version=PYTEST))
    assert difference(checkout, project).unmet == ("pytest==1.0",)
    assert difference(checkout, project).pins == {"pytest": "1.0"}
    assert unmet(project, checkout) == ()


def test_a_locks_pin_decides_over_the_requirement(trees) -> None:
    checkout, project = trees
    (checkout / "requirements.txt").write_text("pytest<1.5\nnot-here\n")
    (checkout / "uv.lock").write_text(UV.format(version="1.0"))
    assert unmet(checkout, project) == ("not-here (not here)", f"pytest 1.0 (here {PYTEST})")


def test_pipfile_lock(trees) -> None:
    checkout, project = trees
    lock = {"default": {"pytest": {"version": "==1.0"}, "mine": {"path": "."}}, "develop": {"numpy": {}}}
    (checkout / "Pipfile.lock").write_text(json.dumps(lock))
    assert unmet(checkout, project) == ("mine (not here)", f"pytest 1.0 (here {PYTEST})")


@pytest.mark.parametrize("name", ["pyproject.toml", "setup.cfg", "uv.lock", "Pipfile.lock"])
@pytest.mark.parametrize("content", [b"][ = \xff", b"[1]", b"package = 3"])
def test_a_file_that_cannot_be_read_asks_for_nothing(trees, name: str, content: bytes) -> None:
    checkout, project = trees
    (checkout / name).write_bytes(content)
    assert unmet(checkout, project) == ()


def wheel(folder: Path, name: str, number: str) -> None:
    """A package of one module that knows its version."""
    info = f"{name}-{number}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{number}-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}.py", f"VERSION = {number!r}\n")
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "")


@pytest.mark.story
def test_an_environment_is_built_once_over_the_packages_that_are_here(
    trees, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout, project = trees
    for number in ("1.0", "2.0"):
        wheel(tmp_path, "genaiver_probe", number)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    (checkout / "requirements.txt").write_text("genaiver-probe<2\n")
    cache, said = project / ".genaiver" / "environments", []
    found = environment_for(checkout, project, cache=cache, say=said.append)
    code = "import genaiver_probe, pytest; print(genaiver_probe.VERSION, pytest.__version__)"
    assert subprocess.check_output([found.python, "-c", code], text=True).split() == ["1.0", PYTEST]
    assert found.variables["PATH"].startswith(f"{found.python.parent}:")
    assert (cache / ".gitignore").read_text() == "*\n"
    again = environment_for(checkout, project, cache=cache, say=said.append)
    assert again == found
    assert said == ["installing what this commit asks for: genaiver-probe<2 (not here)"]
    (checkout / "requirements.txt").write_text("genaiver-probe>2\n")
    with pytest.raises(DependencyError, match=r"cannot be installed: genaiver-probe>2 \(not here\) \(ERROR: "):
        environment_for(checkout, project, cache=cache)


def test_refused_or_run_with_what_is_here(trees) -> None:
    checkout, project = trees
    (checkout / "requirements.txt").write_text("".join(f"not-here-{i}\n" for i in range(7)))
    with pytest.raises(DependencyError, match=r"differ from what is installed here: not-here-0 .* and 2 more; allow"):
        environment_for(checkout, project, cache=project, on_difference="refuse")
    found = environment_for(checkout, project, cache=project, on_difference="ignore")
    assert found.python == Path(sys.executable)
    assert len(found.differs) == 7
