"""`data=` of the marker: reads what was given, once a session, and makes one pytest item of each row."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.core.jsonform import shown
from pytest_genaiver.core.rows import Record, Row, rows_of
from pytest_genaiver.datafiles import KINDS, read_file
from pytest_genaiver.errors import ConfigError
from pytest_genaiver.marker import ROW, data_of, input_names, row_of

if TYPE_CHECKING:
    from collections.abc import Sequence

ALLOWED = (
    f"give a path to a {', '.join(KINDS[:-1])} or {KINDS[-1]} file, a list of dicts, a pandas DataFrame, an MLflow "
    "evaluation dataset or its name, or a function that returns one of these"
)
_NOWHERE = (
    "cannot reach this test: put it on the function, its class or module, not on a single parameter nor on a "
    "method of unittest.TestCase"
)


class _Skip(Exception):
    """These rows cannot be had in this session, which is no mistake."""


@dataclass(slots=True)
class _Sources:
    """What one session has read. What was given is kept, so that its `id` stays its own.

    `error`: the first mistake, after which nothing more is read. `checked`: functions whose parameters are known to
    go together with their rows.
    """

    returned: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    rows: dict[object, tuple[Any, tuple[Row, ...]]] = field(default_factory=dict)
    checked: set[tuple[Any, str]] = field(default_factory=set)
    error: str | None = None


_SOURCES = pytest.StashKey[_Sources]()


def parametrize(metafunc: pytest.Metafunc) -> None:
    """Parametrise a test by the rows of its `data=`; a mistake is kept for `data_error`."""
    item: Any = metafunc.definition
    sources = _sources(metafunc.config)
    if sources.error is not None:
        return
    try:
        rows: Sequence[Any] = _rows(data_of(item), item, sources)
        ids = [row.id for row in rows]
    except ConfigError as error:
        sources.error = f"{item.nodeid}: genai_eval data={error}"
        return
    except _Skip as skip:
        rows, ids = [pytest.param(None, marks=pytest.mark.skip(reason=str(skip)))], ["data"]
    # pytest refuses a parameter that no function or fixture asks for; an item's parameters keep it all the same.
    metafunc.fixturenames.append(ROW)
    metafunc.parametrize(ROW, rows, ids=ids)


def data_error(config: pytest.Config, items: Sequence[pytest.Item]) -> str | None:
    """What is wrong with the `data=` of this session, in one sentence that names the test; None for nothing."""
    sources = _sources(config)
    for item in items:
        if sources.error is None and data_of(item) is not None:
            sources.error = _misplaced(item, sources)
    return sources.error


def _sources(config: pytest.Config) -> _Sources:
    return config.stash.setdefault(_SOURCES, _Sources())


def _misplaced(item: pytest.Item, sources: _Sources) -> str | None:
    callspec = getattr(item, "callspec", None)
    own = [mark for mark in getattr(callspec, "marks", ()) if mark.name == "genai_eval" and "data" in mark.kwargs]
    if callspec is None or ROW not in callspec.params or own:
        return f"{item.nodeid}: genai_eval data= {_NOWHERE}"
    row, function = row_of(item), (item.parent, getattr(item, "originalname", item.name))
    if row is None or function in sources.checked:
        return None
    sources.checked.add(function)
    both = [name for name in input_names(item) if name in row.columns]
    names = ", ".join(map(repr, both))
    why = f"{names} is a column of genai_eval data= and a parameter of the test; rename one of the two"
    return f"{item.nodeid}: {why}" if both else None


def _rows(given: Any, item: pytest.Item, sources: _Sources) -> tuple[Row, ...]:
    """Raises ConfigError, which begins with what was given, and _Skip."""
    name = ""
    if callable(given):
        name = f"{_shown(given)} -> "
        given = _returned(given, sources)
    name += _shown(given)
    try:
        if isinstance(given, (str, os.PathLike)):
            given = _place(given, item)
        key = given if isinstance(given, (str, Path)) else id(given)
        if key not in sources.rows:
            sources.rows[key] = given, rows_of(_records(given, item.config), root=item.config.rootpath)
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from error
    return sources.rows[key][1]


def _returned(function: Callable[[], Any], sources: _Sources) -> Any:
    """What a function returns, called once a session."""
    if id(function) not in sources.returned:
        sources.returned[id(function)] = function, _called(function)
    return sources.returned[id(function)][1]


def _called(function: Callable[[], Any]) -> Any:
    name = _shown(function)
    try:
        found = function()
        found = list(found) if isinstance(found, Iterator) else found
    except pytest.skip.Exception as skip:
        raise _Skip(str(skip)) from skip
    except (Exception, pytest.fail.Exception) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{name}: the function raised {type(error).__name__}: {reason[:300]}") from error
    if inspect.iscoroutine(found):
        found.close()
        raise ConfigError(f"{name}: an async function cannot be used; give a plain one")
    return found


def _place(given: str | os.PathLike[str], item: pytest.Item) -> Path | str:
    """A file's path, absolute; the text itself where it is no file's, and so the name of a dataset."""
    path = Path(given)
    candidates = (item.path.parent / path, item.config.rootpath / path)
    # Not is_file(): some texts are no path at all.
    found = next((one for one in candidates if os.path.isfile(one)), None)
    if path.suffix.lower() in KINDS:
        if found is None:
            where = "" if path.is_absolute() else f" in the test file's folder {item.path.parent} nor in rootdir"
            raise ConfigError(f"no such file{where}")
        return found.resolve()
    if found is not None or not isinstance(given, str) or not given.strip():
        raise ConfigError(f"cannot be used; {ALLOWED}")
    return given


def _records(given: Any, config: pytest.Config) -> list[Record]:
    if isinstance(given, Path):
        return read_file(given)
    if isinstance(given, (list, tuple)):
        return [Record(f"row {number}", values) for number, values in enumerate(given, 1)]
    if isinstance(given, str):
        return _dataset(given, config)
    if _is_frame(given):
        from pytest_genaiver.adapters.datasets import frame_records

        return frame_records(given)
    if _is_dataset(given):
        return _asked(lambda datasets: datasets.dataset_records(given))
    raise ConfigError(f"cannot be used; {ALLOWED}")


def _dataset(name: str, config: pytest.Config) -> list[Record]:
    # This plugin object is there in a session, and in its workers.
    if not config.pluginmanager.has_plugin("genaiver-runner"):
        raise _Skip(f"data={name!r} is an MLflow evaluation dataset: it is read only when --genai-version runs tests")
    try:
        return _asked(lambda datasets: datasets.dataset_records(datasets.named_dataset(name)))
    except ConfigError as error:
        raise ConfigError(f"is no {', '.join(KINDS[:-1])} or {KINDS[-1]} file, and {error}") from error


def _asked(question: Callable[[Any], list[Record]]) -> list[Record]:
    """The records of an MLflow dataset; what MLflow says of a failure may quote the store's URL."""
    from pytest_genaiver.adapters import datasets
    from pytest_genaiver.adapters.tracking.place import without_credentials

    try:
        return question(datasets)
    except ConfigError as error:
        raise ConfigError(without_credentials(str(error))) from None


def _is_frame(given: Any) -> bool:
    # Whoever gives a table has imported pandas.
    pandas: Any = sys.modules.get("pandas")
    return pandas is not None and isinstance(given, pandas.DataFrame)


def _is_dataset(given: Any) -> bool:
    home = type(given).__module__.partition(".")[0]
    return home in {"mlflow", "databricks"} and callable(getattr(given, "to_df", None))


def _shown(given: Any) -> str:
    """What was given, for a message: never a page of rows."""
    if isinstance(given, (str, os.PathLike)):
        return shown(os.fspath(given))
    if callable(given):
        return f"{getattr(given, '__qualname__', type(given).__name__)}()"
    if given is None or isinstance(given, (bool, int, float)):
        return repr(given)
    name = type(given).__name__
    if isinstance(given, Mapping) or not isinstance(getattr(given, "name", None), str):
        return f"a {name}"
    return f"{name} {given.name!r}"
