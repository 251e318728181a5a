"""One more execution of an item, by pytest's own runner."""

from __future__ import annotations

from typing import Any

import pytest


class Sibling(pytest.Item):
    """Never run. As `nextitem` it makes pytest tear an item down and leave everything wider up."""

    def runtest(self) -> None:
        """Nothing: pytest asks every item for it."""


def sibling_of(item: pytest.Item) -> pytest.Item:
    sibling: pytest.Item = Sibling.from_parent(item.parent or item.session, name="genaiver-repeat")
    return sibling


def run_again(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """One more execution of an item, unreported: fixtures of function scope anew, wider ones kept."""
    runner: Any = item.config.pluginmanager.get_plugin("runner")
    runner.runtestprotocol(item, log=False, nextitem=nextitem)
