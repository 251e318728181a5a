"""Real tables of pandas and a real evaluation dataset in a real store."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from pytest_genaiver.adapters.datasets import dataset_records, frame_records, named_dataset
from pytest_genaiver.core.rows import Record, rows_of
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def types(value: Any) -> Any:
    """The value's type, and those within."""
    if isinstance(value, dict):
        return {name: types(one) for name, one in value.items()}
    return [types(one) for one in value] if isinstance(value, list) else type(value)


def test_a_cell_without_a_value_is_a_key_that_is_not_there() -> None:
    frame = pd.DataFrame(
        {
            "q": ["why?", None, "when?"],
            "n": [1.0, float("nan"), 2.5],
            "flag": pd.array([True, pd.NA, False], dtype="boolean"),
            "day": [pd.Timestamp("2026-01-02"), pd.NaT, pd.Timestamp("2026-01-03")],
        },
        index=[5, 5, 5],
    )
    assert frame_records(frame) == [
        Record("row 1", {"q": "why?", "n": 1.0, "flag": True, "day": datetime(2026, 1, 2)}),
        Record("row 2", {}),
        Record("row 3", {"q": "when?", "n": 2.5, "flag": False, "day": datetime(2026, 1, 3)}),
    ]


def test_values_are_pythons_own() -> None:
    frame = pd.DataFrame({"whole": np.array([1], dtype="int32"), "real": np.array([0.5], dtype="float32")})
    frame["text"] = pd.Series(["a"], dtype="string")
    frame["kind"] = pd.Series(["b"], dtype="category")
    frame["took"] = pd.Series([pd.Timedelta(seconds=2)])
    frame["deep"] = [{"a": [np.float64(1), (np.int64(2), np.array([3]))], "at": pd.Timestamp("2026-01-02")}]
    ((_, values),) = frame_records(frame)
    assert types(values) == {
        "whole": int,
        "real": float,
        "text": str,
        "kind": str,
        "took": timedelta,
        "deep": {"a": [float, [int, [int]]], "at": datetime},
    }
    assert values["took"] == timedelta(seconds=2)  # type: ignore[index]
    assert values["deep"]["a"] == [1.0, [2, [3]]]  # type: ignore[index]


def test_a_column_that_stands_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^the column 'q' stands twice$"):
        frame_records(pd.DataFrame([[1, 2]], columns=["q", "q"]))


def test_names_of_columns_are_checked_with_the_rows() -> None:
    with pytest.raises(ConfigError, match=r"^row 1, column 0: the name of a column must be a string$"):
        rows_of(frame_records(pd.DataFrame([[1]])))


@pytest.fixture
def new_store(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    # Not set_tracking_uri(), which would outlast this.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")


@pytest.mark.usefixtures("new_store")
def test_a_dataset_of_mlflow_gives_its_rows_by_name_and_as_an_object() -> None:
    from mlflow.genai.datasets import create_dataset

    made = create_dataset(name="support questions", experiment_id="0")
    made.merge_records(
        [
            {"inputs": {"question": "A refund?"}, "expectations": {"topic": "billing"}, "tags": {"area": "money"}},
            {"inputs": {"question": "Where?"}},
        ]
    )
    given = rows_of(dataset_records(made))
    found = rows_of(dataset_records(named_dataset("support questions")))
    assert {row.id: row for row in found} == {row.id: row for row in given}
    by_question = {row.inputs["question"]: row for row in found}
    assert by_question["A refund?"].expectations == {"topic": "billing"}
    assert by_question["A refund?"].tags == {"area": "money"}
    assert by_question["Where?"].expectations == by_question["Where?"].tags == {}


@pytest.mark.usefixtures("new_store")
def test_a_name_that_no_dataset_has_is_one_sentence() -> None:
    with pytest.raises(ConfigError) as caught:
        named_dataset("nothing")
    assert str(caught.value) == "MLflow cannot read this evaluation dataset: Dataset with name 'nothing' not found."
