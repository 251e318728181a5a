"""`data=` of the marker: reads what was given, once a session, and makes one pytest item of each row."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.collecting.datafiles import KINDS, read_file
from pytest_genaiver.collecting.marker import input_names
from pytest_genaiver.collecting.row_parameter import ROW, data_of, row_of
from pytest_genaiver.core.jsonform import shown
from pytest_genaiver.core.rows import Record, Row, rows_of
from pytest_genaiver.errors import ConfigError

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


class _Once:
    """Remembers what was made for each key, a failure too. What was given is kept, so that its `id` stays its own."""

    def __init__(self) -> None:
        self._made: dict[object, tuple[object, Any]] = {}

    def __call__(self, key: object, given: object, make: Callable[[], Any]) -> Any:
        if key not in self._made:
            try:
                self._made[key] = given, make()
            except (ConfigError, _Skip) as error:
                self._made[key] = given, error
        made = self._made[key][1]
        if isinstance(made, Exception):
            raise made
        return made


@dataclass(slots=True)
class _Sources:
    """What one session has read: what functions returned, and the rows of each source.

    `errors`: of each test function whose rows cannot be used. `checked`: functions that go together with their rows.
    """

    returned: _Once = field(default_factory=_Once)
    rows: _Once = field(default_factory=_Once)
    errors: dict[tuple[Any, str], str] = field(default_factory=dict)
    checked: set[tuple[Any, str]] = field(default_factory=set)


_SOURCES = pytest.StashKey[_Sources]()


def parametrize(metafunc: pytest.Metafunc) -> None:
    """Parametrise a test by the rows of its `data=`; a mistake is kept for `data_error`."""
    item: Any = metafunc.definition
    sources = _sources(metafunc.config)
    try:
        rows: Sequence[Any] = _rows(data_of(item), item, sources)
        ids = [row.id for row in rows]
    except ConfigError as error:
        sources.errors[_function(item)] = f"{item.nodeid}: genai_eval data={error}"
        return
    except _Skip as skip:
        rows, ids = [pytest.param(None, marks=pytest.mark.skip(reason=str(skip)))], ["data"]
    # pytest refuses a parameter that no function or fixture asks for; an item's parameters keep it all the same.
    metafunc.fixturenames.append(ROW)
    metafunc.parametrize(ROW, rows, ids=ids)


def data_error(config: pytest.Config, items: Sequence[pytest.Item]) -> str | None:
    """The first mistake in the `data=` of these tests, in one sentence that names its test; None for none."""
    sources = _sources(config)
    found = (_wrong(item, sources) for item in items if data_of(item) is not None)
    return next((why for why in found if why is not None), None)


def _sources(config: pytest.Config) -> _Sources:
    return config.stash.setdefault(_SOURCES, _Sources())


def _function(item: pytest.Item) -> tuple[Any, str]:
    return item.parent, getattr(item, "originalname", None) or item.name


def _wrong(item: pytest.Item, sources: _Sources) -> str | None:
    function = _function(item)
    if function in sources.errors:
        return sources.errors[function]
    callspec = getattr(item, "callspec", None)
    own = [mark for mark in getattr(callspec, "marks", ()) if mark.name == "genai_eval" and "data" in mark.kwargs]
    if callspec is None or ROW not in callspec.params or own:
        return f"{item.nodeid}: genai_eval data= {_NOWHERE}"
    row = row_of(item)
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
        given = sources.returned(id(given), given, partial(_called, given))
    name += _shown(given)
    try:
        if isinstance(given, (str, os.PathLike)):
            given = _place(given, item)
        key = given if isinstance(given, (str, Path)) else id(given)
        read = partial(_read, given, item.config)
        rows: tuple[Row, ...] = sources.rows(key, given, read)
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from error
    return rows


def _read(given: Any, config: pytest.Config) -> tuple[Row, ...]:
    return rows_of(_records(given, config), root=config.rootpath)


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


def data_file(item: pytest.Item) -> Path | None:
    """The file that the rows of a case stand in; None where they do not, or a function reads them."""
    given = data_of(item)
    place = _place(given, item) if isinstance(given, (str, os.PathLike)) else None
    return place if isinstance(place, Path) else None


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
    kind = type(given).__name__
    return f"{kind} {given.name!r}" if _is_dataset(given) else f"a {kind}"
