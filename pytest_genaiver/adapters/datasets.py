"""Tables of pandas and evaluation datasets of MLflow, as records; each library is imported when one is given."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

from pytest_genaiver.core.rows import Record
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd


def frame_records(frame: pd.DataFrame) -> list[Record]:
    """One record for each line of a table. A cell without a value is a key that is not there.

    Raises ConfigError where two columns have one name.
    """
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise ConfigError(f"the column {twice[0]!r} stands twice")
    # Column by column: the cells of one row have no common type.
    columns = [(name, frame[name].tolist()) for name in frame.columns]
    return [
        Record(f"row {number + 1}", {name: _plain(cells[number]) for name, cells in columns if _given(cells[number])})
        for number in range(len(frame))
    ]


def _given(cell: Any) -> bool:
    import pandas as pd

    return not (cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and math.isnan(cell)))


def _plain(value: Any) -> Any:
    """The same value without types of pandas and numpy."""
    import pandas as pd

    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime(warn=False)
    if isinstance(value, pd.Timedelta):
        return value.to_pytimedelta()
    return value.tolist() if hasattr(value, "dtype") else value


def dataset_records(dataset: Any) -> list[Record]:
    """The records of an MLflow evaluation dataset. Raises ConfigError where its store does not give them."""
    return frame_records(_asked(dataset.to_df))


def named_dataset(name: str) -> Any:
    """The evaluation dataset of that name in the store that MLflow points to. Raises ConfigError for none."""
    from mlflow.genai.datasets import get_dataset

    return _asked(lambda: get_dataset(name=name))


def _asked(question: Any) -> Any:
    try:
        # A user's filter that turns warnings into errors is about the user's code, not MLflow's.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return question()
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0].strip()
        raise ConfigError(f"MLflow cannot read this evaluation dataset: {reason[:300]}") from error
