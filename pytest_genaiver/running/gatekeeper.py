"""Around and within what pytest runs: what the runner cannot be told by hooks of its own kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_genaiver.running.runner import Runner


@dataclass(slots=True, eq=False)
class Gatekeeper:
    """Beside the runner, whose own hooks are of the other kind: only what is no wrapper may skip a test, only a
    wrapper knows when pytest has run one.
    """

    runner: Runner

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        result = yield
        self.runner.reported(item)
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        self.runner.refuse()
