"""What is published: the metadata, the wheel's contents, and the machinery around them."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

import pytest_genaiver

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PYTHON = "Programming Language :: Python :: 3."


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [file] = folder.glob("*.whl")
    return zipfile.ZipFile(file)


def classified_pythons() -> list[str]:
    metadata = distribution("pytest-genaiver").metadata
    return [name.rpartition(" ")[2] for name in metadata.get_all("Classifier") or [] if name.startswith(PYTHON)]


def workflow(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content


def test_pytest_finds_the_plugin_by_the_name_genaiver() -> None:
    [entry] = [e for e in distribution("pytest-genaiver").entry_points if e.group == "pytest11"]
    assert (entry.name, entry.value) == ("genaiver", "pytest_genaiver.plugin")


def test_the_version_is_that_of_the_package() -> None:
    assert distribution("pytest-genaiver").version == pytest_genaiver.__version__


def test_every_public_name_can_be_imported() -> None:
    assert len(pytest_genaiver.__all__) == len(set(pytest_genaiver.__all__))
    assert all(getattr(pytest_genaiver, name) is not None for name in pytest_genaiver.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"module 'pytest_genaiver' has no attribute 'decde'"):
        _ = pytest_genaiver.decde


@pytest.mark.skipif(
    not (ROOT / "pytest_genaiver").is_dir(), reason="no source tree: an installed wheel is under test"
)
def test_the_wheel_holds_the_package_its_types_and_its_licence_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    source = {str(file.relative_to(ROOT)) for file in (ROOT / "pytest_genaiver").rglob("*.py")}
    about = f"pytest_genaiver-{pytest_genaiver.__version__}.dist-info"
    assert {name for name in names if name.endswith(".py")} == source
    assert {"pytest_genaiver/py.typed", f"{about}/licenses/LICENSE"} <= names
    assert {name.partition("/")[0] for name in names} == {"pytest_genaiver", about}


def test_type_checkers_may_trust_the_annotations() -> None:
    spec = find_spec("pytest_genaiver")
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).with_name("py.typed").is_file()


def test_ci_tests_each_python_that_the_classifiers_name() -> None:
    matrix = workflow(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["test"]["strategy"]["matrix"]
    assert matrix["python"] == classified_pythons()
    assert distribution("pytest-genaiver").metadata["Requires-Python"] == f">={matrix['python'][0]}"
    assert {leg["dependencies"] for leg in matrix["include"]} == {"lowest"}


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: str(file.name))
def test_workflows_pin_actions_and_grant_each_job_only_what_it_needs(file: Path) -> None:
    used = re.findall(r"uses: (\S+)(.*)", file.read_text(encoding="utf-8"))
    assert used
    for action, comment in used:
        local = action.startswith("./")
        assert local or re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action)
        assert local or re.fullmatch(r" # v\d+(\.\d+)*", comment)
    content = workflow(file)
    assert content["permissions"] == {}
    assert all("timeout-minutes" in job for job in content["jobs"].values() if "uses" not in job)
