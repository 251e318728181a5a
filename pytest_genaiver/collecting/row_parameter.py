"""How a row of `data=` reaches its item: as a parameter that pytest keeps and that no function asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from pytest_genaiver.core.rows import Row

ROW = "genaiver_row"
"""The parameter's name. Its value is None where the rows could not be had: that item is skipped."""


def data_of(node: pytest.Item) -> Any:
    """The nearest `data=` of the markers on a test, on its class and module; None for none."""
    return next((mark.kwargs["data"] for mark in node.iter_markers("genai_eval") if "data" in mark.kwargs), None)


def row_of(item: pytest.Item) -> Row | None:
    """The row that this item runs over; None for a test without `data=`."""
    callspec = getattr(item, "callspec", None)
    row: Row | None = None if callspec is None else callspec.params.get(ROW)
    return row


def without_rows(item: pytest.Item) -> bool:
    """Whether this item only says that its rows could not be had; it is no case."""
    callspec = getattr(item, "callspec", None)
    return callspec is not None and ROW in callspec.params and callspec.params[ROW] is None


def is_one_value(item: pytest.Item, inputs: Mapping[str, Any]) -> bool:
    """Whether all that a target is asked is the one value of its row: no parameter was added, nothing taken away."""
    row = row_of(item)
    return row is not None and row.scalar and inputs.keys() == row.inputs.keys()
