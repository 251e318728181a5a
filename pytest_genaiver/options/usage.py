"""A mistake of the user's, told as pytest tells one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.errors import GenaiverError

if TYPE_CHECKING:
    from collections.abc import Callable


def usage(action: Callable[[], Any]) -> None:
    """A mistake of the user is a usage error (exit 4) of one sentence."""
    try:
        action()
    except GenaiverError as error:
        raise pytest.UsageError(str(error)) from error
