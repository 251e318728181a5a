"""The secrets of this process: an app may read its keys from a file at any time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pytest_genaiver.core.secrets import secret_values

if TYPE_CHECKING:
    from pytest_genaiver.core.secrets import Mask


def learn(mask: Mask) -> None:
    """Mask from now on what the environment holds by now; what it has held stays masked."""
    mask.learn(secret_values(os.environ))
