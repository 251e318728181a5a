"""Who runs the same cases beside a runner: nobody, or the twin of the session's baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest


class Partner(Protocol):
    """Told of each repeat of each case, on the main thread."""

    def plan(self, wanted: Sequence[tuple[pytest.Item, int]]) -> None:
        """These repeats will be run, in this order."""

    def before(self, item: pytest.Item, repeat: int, *, reported: bool) -> None:
        """The repeat is about to run; `reported`: by pytest itself, with all that its plugins do."""

    def after(self, item: pytest.Item, repeat: int, *, reported: bool) -> None:
        """The repeat has run."""

    def settled(self) -> list[dict[str, Any]]:
        """What the partner recorded so far, as plain JSON, each under the name of the partner's version."""

    def stopping(self, *, interrupted: bool) -> None:
        """There will be no more repeats; `interrupted`: the user waits for the prompt."""

    def finish(self) -> dict[str, Any] | None:
        """What `TestProcess.finish` returned there; None where there is nothing."""


class Alone:
    """No partner."""

    def plan(self, wanted: Sequence[tuple[pytest.Item, int]]) -> None:
        """Nothing."""

    def before(self, item: pytest.Item, repeat: int, *, reported: bool) -> None:
        """Nothing."""

    def after(self, item: pytest.Item, repeat: int, *, reported: bool) -> None:
        """Nothing."""

    def settled(self) -> list[dict[str, Any]]:
        return []

    def stopping(self, *, interrupted: bool) -> None:
        """Nothing."""

    def finish(self) -> dict[str, Any] | None:
        return None
