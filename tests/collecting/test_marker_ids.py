from __future__ import annotations

import os

import pytest

from pytest_genaiver.collecting.case_ids import case_id, function_id, param_id
from pytest_genaiver.collecting.marker import EvalOptions, case_inputs, read_marker

SUITE = """
@pytest.mark.parametrize("n", ["a::b", "c/d"])
class TestA:
    def test_a(self, n): pass

def test_b(): pass
"""


@pytest.fixture
def collected(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> list[pytest.Item]:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(test_it=f"import pytest\n{SUITE}")
    pytester.makeini("[pytest]")
    return pytester.inline_genitems()[0]


def test_ids_are_pytests_own_below_the_rootdir(collected: list[pytest.Item]) -> None:
    assert [case_id(item, None) for item in collected] == [item.nodeid for item in collected]
    assert [param_id(item) for item in collected] == ["a::b", "c/d", ""]
    assert [function_id(item, None) for item in collected] == [
        "test_it.py::TestA::test_a",
        "test_it.py::TestA::test_a",
        "test_it.py::test_b",
    ]


def test_ids_are_relative_to_gits_top_folder_wherever_pytest_starts(
    collected: list[pytest.Item], pytester: pytest.Pytester
) -> None:
    item = collected[-1]
    assert item.nodeid == "test_it.py::test_b"
    assert case_id(item, pytester.path.parent) == f"{pytester.path.name}/test_it.py::test_b"
    assert function_id(item, pytester.path.parent) == f"{pytester.path.name}/test_it.py::test_b"


def test_a_test_outside_the_top_folder_is_named_from_there(
    collected: list[pytest.Item], pytester: pytest.Pytester
) -> None:
    item = collected[-1]
    assert case_id(item, pytester.mkdir("repo")) == "../test_it.py::test_b"


def test_symbolic_links_do_not_change_ids(collected: list[pytest.Item], pytester: pytest.Pytester) -> None:
    item = collected[-1]
    link = pytester.path.parent / f"{pytester.path.name}-link"
    os.symlink(pytester.path, link)
    assert case_id(item, link) == "test_it.py::test_b"


def test_a_group_of_xdist_is_no_part_of_the_id(collected: list[pytest.Item]) -> None:
    item = collected[0]
    item._nodeid = f"{item.nodeid}@group"
    assert case_id(item, None) == "test_it.py::TestA::test_a[a::b]"


def test_items_that_are_no_functions_have_ids_too(pytester: pytest.Pytester) -> None:
    pytester.maketxtfile(test_notes=">>> 1\n1\n")
    (item,) = pytester.inline_genitems("--doctest-glob=*.txt", "-p", "no:cacheprovider")[0]
    assert (case_id(item, None), param_id(item)) == ("test_notes.txt::test_notes.txt", "")
    assert read_marker(item) is None
    assert case_inputs(item, EvalOptions()) == ({}, {})
