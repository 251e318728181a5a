"""What is left of a parameter id when the parts of some parameters are taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.collecting.case_ids import case_id, function_id
from pytest_genaiver.collecting.parameters import id_without, texts_of

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def items(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[pytest.Item]]:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def collected(source: str) -> list[pytest.Item]:
        pytester.makepyfile(test_it=f"import enum, pytest\nparametrize = pytest.mark.parametrize\n{source}")
        return pytester.inline_genitems()[0]

    return collected


STACKED = """
@parametrize("question", ["a-b", "q"])
@parametrize("model", ["m-1", "m-2"])
def test_it(model, question): pass
"""


def test_a_parameter_of_its_own_mark_is_taken_out(items: Callable[[str], list[pytest.Item]]) -> None:
    found = items(STACKED)
    assert len(found) == 4
    assert {id_without(item, ("model",)) for item in found} == {"a-b", "q"}
    assert {id_without(item, ("question",)) for item in found} == {"m-1", "m-2"}
    assert {case_id(item, None, ("model",)) for item in found} == {
        "test_it.py::test_it[a-b]",
        "test_it.py::test_it[q]",
    }
    assert {function_id(item, None) for item in found} == {"test_it.py::test_it"}
    assert {texts_of(item, ("model",), {})["model"] for item in found} == {"m-1", "m-2"}


def test_nothing_left_is_an_id_without_brackets(items: Callable[[str], list[pytest.Item]]) -> None:
    (item,) = items("@parametrize('model', ['m'])\ndef test_it(model): pass")
    assert case_id(item, None, ("model",)) == "test_it.py::test_it"


JOINT = """
class Size(enum.Enum):
    BIG = 1

class Client: pass
def ask(): pass

@parametrize("model, question, k", [
    ("m-1", "é?", 1), ("m", None, 0.5), (Size.BIG, True, 3), (Client(), ask, Client),
])
def test_it(model, question, k): pass
"""


def test_a_parameter_that_shares_a_mark_is_taken_out(items: Callable[[str], list[pytest.Item]]) -> None:
    found = items(JOINT)
    assert [id_without(item, ("model",)) for item in found] == ["\\xe9?-1", "None-0.5", "True-3", "ask-Client"]
    assert [id_without(item, ("model", "k")) for item in found] == ["\\xe9?", "None", "True", "ask"]
    assert [texts_of(item, ("model",), {})["model"] for item in found] == ["m-1", "m", "BIG", "model3"]


OTHERS = """
@pytest.fixture(params=["small", "large"])
def model(request): return request.param

@parametrize("q", ["why"], ids=["first"])
@parametrize("a, b", [pytest.param(1, 2, id="both")])
def test_it(model, q, a, b): pass
"""


def test_fixtures_and_ids_of_the_users_own(items: Callable[[str], list[pytest.Item]]) -> None:
    small, large = items(OTHERS)
    assert id_without(small, ("model",)) == id_without(large, ("model",)) == "both-first"
    assert id_without(small, ("q",)) == "small-both"
    assert id_without(small, ("a", "b")) == "small-first"
    # One id for both cannot be taken apart.
    assert id_without(small, ("a",)) == "small-both-first"


def test_what_a_hook_parametrised_together_stays_whole(items: Callable[[str], list[pytest.Item]]) -> None:
    (item,) = items(
        "def pytest_generate_tests(metafunc): metafunc.parametrize('a, b', [(1, 2)])\ndef test_it(a, b): pass"
    )
    assert id_without(item, ("a",)) == "1-2"
    assert texts_of(item, ("a",), {}) == {"a": "1"}


def test_an_item_without_parameters_has_no_id(items: Callable[[str], list[pytest.Item]]) -> None:
    (item,) = items("def test_it(): pass")
    assert id_without(item, ()) == ""
