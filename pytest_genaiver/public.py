"""Values that hooks return."""

from __future__ import annotations

from typing import Final


class NoBaseline:
    """The type of `NO_BASELINE`: compare with nothing."""

    def __repr__(self) -> str:
        return "NO_BASELINE"


NO_BASELINE: Final = NoBaseline()
