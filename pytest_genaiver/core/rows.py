"""Rows of `data=`: what each asks and expects, what identifies it, and every way in which one can be wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_genaiver.core.digest import digest
from pytest_genaiver.core.jsonform import shown
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import PurePath

INPUT = "input"
"""The name of the only input of a row whose `inputs` is one value."""

EXPECTED = "expected_response"
"""The name of the only expectation of a row whose `expectations` is one value: the one that MLflow's judges read."""

# What MLflow's evaluation datasets hold beside the row itself. Outputs and traces are of another version.
IGNORED = frozenset(
    {
        *("outputs", "trace", "source", "source_id", "source_type", "dataset_id", "dataset_record_id"),
        *("create_time", "created_time", "created_by", "last_update_time", "last_updated_by"),
    }
)
_OWN = frozenset({"id", "tags", "inputs", "expectations"})
_PREFIX = "expected_"
_RESERVED_TAGS = ("mlflow.", "genaiver.")
_ID_LENGTH = 12
_LISTED = 3


class Record(NamedTuple):
    """A row as it was read. `place` says where: ``"line 7"`` of a file, ``"row 3"`` of a list."""

    place: str
    values: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One case. `columns`: all names that inputs and expectations have in any row of its data.

    `scalar`: `inputs` was one value, which stands in ``inputs["input"]``.
    """

    id: str
    inputs: Mapping[str, Any]
    expectations: Mapping[str, Any]
    tags: Mapping[str, str]
    scalar: bool
    columns: frozenset[str]


def rows_of(records: Sequence[Record], *, root: PurePath | None = None) -> tuple[Row, ...]:
    """The rows, in their order. A row without an `id` is named by its content, so that reordering changes nothing.

    Raises ConfigError, one sentence, for no rows at all, and naming place and column for rows that cannot be
    used or that nothing tells apart. Paths among the values count relative to `root`.
    """
    if not records:
        raise ConfigError("holds no rows; give at least one")
    nested = any(isinstance(record.values, Mapping) and "inputs" in record.values for record in records)
    drafts: list[_Draft] = []
    problems: list[str] = []
    for record in records:
        try:
            drafts.append(_draft(record, nested))
        except _RowError as error:
            problems.append(f"{record.place}{error}")
    _refuse(problems)
    named = [draft.id or _content_id(draft, root) for draft in drafts]
    _refuse(_repeated(named, drafts))
    columns = frozenset(name for draft in drafts for name in (*draft.inputs, *draft.expectations))
    return tuple(
        Row(
            id=name,
            inputs=draft.inputs,
            expectations=draft.expectations,
            tags=draft.tags,
            scalar=draft.scalar,
            columns=columns,
        )
        for name, draft in zip(named, drafts, strict=True)
    )


class _RowError(Exception):
    """What is wrong with a row, to be read behind its place."""


class _Draft(NamedTuple):
    place: str
    id: str | None
    inputs: Mapping[str, Any]
    expectations: Mapping[str, Any]
    tags: Mapping[str, str]
    scalar: bool


def _wrong(column: object, why: str) -> _RowError:
    return _RowError(f", column {shown(column)}: {why}")


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        more = len(problems) - _LISTED
        rest = f"; and {more} more of that kind" if more > 0 else ""
        raise ConfigError("; ".join(problems[:_LISTED]) + rest)


def _content_id(draft: _Draft, root: PurePath | None) -> str:
    return digest(draft.inputs, draft.expectations, {}, root=root)[0][:_ID_LENGTH]


def _repeated(named: Sequence[str], drafts: Sequence[_Draft]) -> list[str]:
    """One sentence for each id that several rows have."""
    places: dict[str, list[_Draft]] = {}
    for name, draft in zip(named, drafts, strict=True):
        places.setdefault(name, []).append(draft)
    return [_same(name, same) for name, same in places.items() if len(same) > 1]


def _same(name: str, drafts: Sequence[_Draft]) -> str:
    listed = [draft.place for draft in drafts[:5]]
    more = f" and {len(drafts) - 5} more" if len(drafts) > 5 else ""
    which = f"{', '.join(listed)}{more}" if more else f"{', '.join(listed[:-1])} and {listed[-1]}"
    if any(draft.id for draft in drafts):
        return f"{which} have the same id {shown(name)}; an id names one row"
    return f"{which} hold the same inputs and expectations; remove one, or give each an 'id' of its own"


def _draft(record: Record, nested: bool) -> _Draft:
    values = record.values
    if not isinstance(values, Mapping):
        raise _RowError(f" is {shown(values)}; a row is an object: column names and their values")
    for column in values:
        if not isinstance(column, str):
            raise _wrong(column, "the name of a column must be a string")
    inputs, scalar = _nested_inputs(values) if nested else (_flat_inputs(values), False)
    return _Draft(record.place, _id(values), inputs, _expectations(values), _tags(values), scalar)


def _flat_inputs(values: Mapping[str, Any]) -> dict[str, Any]:
    inputs = {name: value for name, value in values.items() if name not in _OWN and not name.startswith(_PREFIX)}
    if not inputs:
        raise _RowError(" has no input; every column but id, tags, expectations and expected_* is one")
    return inputs


def _nested_inputs(values: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    for column in values:
        if column not in _OWN and column not in IGNORED and not column.startswith(_PREFIX):
            raise _wrong(
                column,
                "unknown; beside 'inputs' a row has 'expectations', 'id', 'tags' and 'expected_*': "
                f"move {shown(column)} into 'inputs'",
            )
    given = values.get("inputs")
    if given is None:
        found = "is null" if "inputs" in values else "is missing here, but other rows have it"
        raise _wrong("inputs", f"{found}; give an object, or one value")
    return (_named("inputs", given), False) if isinstance(given, Mapping) else ({INPUT: given}, True)


def _expectations(values: Mapping[str, Any]) -> dict[str, Any]:
    given = values.get("expectations")
    if given is None:
        found = {}
    elif isinstance(given, Mapping):
        found = dict(_named("expectations", given))
    else:
        found = {EXPECTED: given}
    for column, value in values.items():
        if column.startswith(_PREFIX):
            if column in found:
                raise _wrong(column, "stands in 'expectations' too; keep one of the two")
            found[column] = value
    return found


def _named(column: str, given: Mapping[Any, Any]) -> Mapping[str, Any]:
    for name in given:
        if not isinstance(name, str):
            raise _wrong(column, f"the key {shown(name)} is no string")
    return given


def _id(values: Mapping[str, Any]) -> str | None:
    """The row's own id. None and an empty cell are none."""
    given = values.get("id")
    if given is None or isinstance(given, str):
        return given or None
    # A column of whole numbers with a gap is read by pandas as floats.
    if isinstance(given, float) and given.is_integer():
        given = int(given)
    if isinstance(given, bool) or not hasattr(given, "__index__"):
        raise _wrong("id", f"is {shown(given)}; give a string or a whole number")
    return str(given.__index__())


def _tags(values: Mapping[str, Any]) -> dict[str, str]:
    """Name -> text. Names alone, in a list or separated by commas, are tags with the value ``true``.

    Those that MLflow or this plugin set themselves are left out.
    """
    given = values.get("tags")
    if isinstance(given, str):
        given = [name.strip() for name in given.split(",") if name.strip()]
    if isinstance(given, (list, tuple)) and all(isinstance(name, str) for name in given):
        given = dict.fromkeys(given, "true")
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise _wrong("tags", f"is {shown(given)}; give an object, or a list of names")
    return {
        name: value if isinstance(value, str) else str(value)
        for name, value in _named("tags", given).items()
        if not name.startswith(_RESERVED_TAGS)
    }
