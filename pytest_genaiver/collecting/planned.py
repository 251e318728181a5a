"""A case that will run, with the values that do not travel between processes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_genaiver.adapters.scorers.scorer import Scorer
    from pytest_genaiver.core.records import PlannedCase


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """`test_name` is the whole node id, `target` a function, or the name of a fixture that gives one.

    `scalar`: the target takes the one input as it is. `soft`: a failed assertion is evidence, not a failure.
    """

    case: PlannedCase
    test_name: str
    case_id: str | None
    inputs: Mapping[str, Any]
    expectations: Mapping[str, Any]
    repeats: int
    soft: bool = False
    version: str | None = None
    target: Any = None
    scorers: tuple[Scorer, ...] = ()
    scalar: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)


PLANNED = pytest.StashKey[Planned]()
