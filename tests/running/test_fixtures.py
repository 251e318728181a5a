"""Which fixtures an item uses, and which outlive it: a canary of the names of pytest's that tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.running import fixtures

if TYPE_CHECKING:
    from collections.abc import Callable

SUITE = """
import pytest

@pytest.fixture(scope="session")
def client(): return 1

@pytest.fixture(scope="module", params=["small", "large"])
def model(client, request): return request.param

@pytest.fixture
def prompt(model): return model

@pytest.fixture
def genai_case(request): return None

def test_none(): pass
def test_wide(model): pass
def test_own(prompt): pass
def test_harmless(genai_case, client): pass

@pytest.mark.parametrize("client", [7])
def test_replaced(client): pass

class TestNear:
    @pytest.fixture(scope="class", autouse=True)
    def setting(self, client): return 2

    @pytest.fixture(scope="session")
    def client(self, client): return client + 1

    def test_override(self): pass
"""

Items = dict[str, pytest.Item]


@pytest.fixture
def items(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Items:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return {item.name: item for item in pytester.getitems(SUITE)}


@pytest.fixture
def names(items: Items) -> Callable[[str], tuple[list[tuple[str, object]], bool]]:
    def of(name: str) -> tuple[list[tuple[str, object]], bool]:
        wider, own = fixtures.keys(items[name])
        return sorted(((key[0].argname, key[1]) for key in wider), key=str), own

    return of


def test_fixtures_that_outlive_an_item_are_found_through_those_that_need_them(
    names: Callable[[str], tuple[list[tuple[str, object]], bool]],
) -> None:
    assert names("test_none") == ([], False)
    assert names("test_wide[small]") == ([("client", None), ("model", 0)], False)
    assert names("test_wide[large]") == ([("client", None), ("model", 1)], False)
    assert names("test_own[small]") == ([("client", None), ("model", 0)], True)
    assert names("test_harmless") == ([("client", None)], False)


def test_items_that_share_an_instance_have_the_same_key(items: Items) -> None:
    one, other = items["test_wide[small]"], items["test_own[small]"]
    assert fixtures.key(one, "model") == fixtures.key(other, "model")
    assert fixtures.key(one, "model") != fixtures.key(items["test_wide[large]"], "model")


def test_a_parameter_in_place_of_a_fixture_is_not_taken_for_it(items: Items) -> None:
    replaced, fixture = items["test_replaced[7]"], items["test_harmless"]
    assert fixtures.key(replaced, "client") != fixtures.key(fixture, "client")


def test_the_nearest_definition_counts_and_holds_those_that_it_overrides(
    items: Items, names: Callable[[str], tuple[list[tuple[str, object]], bool]]
) -> None:
    item = items["test_override"]
    found = fixtures.definitions(item, "client")
    assert [definition.func.__qualname__ for definition in found] == ["client", "TestNear.client"]
    assert names("test_override") == ([("client", None), ("setting", None)], False)
    assert fixtures.definitions(item, "no such fixture") == ()
