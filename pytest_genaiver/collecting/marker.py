"""The `genai_eval` marker: its arguments read strictly, and what identifies the case it marks."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, cast

from pytest_genaiver.collecting.row_parameter import ROW, row_of
from pytest_genaiver.collecting.version_parameter import VERSION, is_names
from pytest_genaiver.errors import ConfigError
from pytest_genaiver.options.values import near

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pytest

    from pytest_genaiver.core.policy import GateMode

MARKER_LINE = (
    "genai_eval(target=None, data=None, scorers=(), repeats=None, expectations=None, versions=None, "
    'gate="fail", soft=False, variant_params=()): an evaluation case, compared with the baseline version '
    "when pytest runs with --genai-version."
)

GATES = ("fail", "warn", "off")
COPIED_LEVELS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalOptions:
    """The arguments of `genai_eval` for one item, merged over its function, class, module and parameters.

    `repeats` is None or >= 1. `expectations` is None, a dict, or a tuple of parameter names that move from
    the inputs to the expectations. `gate` is how this case counts: ``"warn"`` and ``"off"`` track it only.
    `soft` None leaves it to the ini key genai_soft_assertions. `variant_params` are parameters of the app.
    """

    target: Any = None
    data: Any = None
    scorers: tuple[Any, ...] = ()
    repeats: int | None = None
    expectations: Mapping[str, Any] | tuple[str, ...] | None = None
    versions: tuple[str, ...] = ()
    gate: GateMode = "fail"
    soft: bool | None = None
    variant_params: tuple[str, ...] = ()


_DEFAULTS = {field.name: field.default for field in fields(EvalOptions)}


def read_marker(item: pytest.Item) -> EvalOptions | None:
    """The merged options of a marked item; None for an unmarked one.

    The nearest marker wins, argument by argument, and the scorers of all levels add up; all levels are checked.

    Raises
    ------
    ConfigError
        For positional, unknown or unsupported arguments, and for values of the wrong kind.
    """
    marks = list(item.iter_markers("genai_eval"))
    if not marks:
        return None
    merged: dict[str, Any] = {}
    for mark in marks:
        _check_names(item, mark)
        for name, value in mark.kwargs.items():
            checked = _checked(item, name, value)
            merged[name] = (*merged.get(name, ()), *checked) if name == "scorers" else merged.get(name, checked)
    _check_moved(item, merged.get("expectations"))
    _check_variant(item, merged.get("variant_params", ()), merged.get("expectations"))
    return EvalOptions(**merged)


def _refused(item: pytest.Item, why: str) -> ConfigError:
    return ConfigError(f"{item.nodeid}: genai_eval {why}")


def _shown(value: Any) -> str:
    # One line, whatever was given: a table's repr would be a page.
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."


def _check_names(item: pytest.Item, mark: pytest.Mark) -> None:
    if mark.args:
        example = "@pytest.mark.genai_eval(repeats=3)"
        raise _refused(item, f"takes keyword arguments only, got {_shown(mark.args[0])}: write {example}")
    for name in mark.kwargs:
        if name not in _DEFAULTS:
            allowed = ", ".join(_DEFAULTS)
            raise _refused(item, f"has no argument {name!r}; allowed: {allowed}{near(name, list(_DEFAULTS))}")


def _checked(item: pytest.Item, name: str, value: Any) -> Any:
    return _CHECKS[name](item, value)


def _repeats(item: pytest.Item, value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise _refused(item, f"repeats={_shown(value)} cannot be used; give a whole number, 1 or more")
    return value


def _gate(item: pytest.Item, value: Any) -> GateMode:
    if not isinstance(value, str) or value not in GATES:
        raise _refused(item, f"gate={_shown(value)} cannot be used; allowed: {', '.join(map(repr, GATES))}")
    return cast("GateMode", value)


def _soft(item: pytest.Item, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _refused(item, f"soft={_shown(value)} cannot be used; allowed: True, False")
    return value


def _expectations(item: pytest.Item, value: Any) -> Mapping[str, Any] | tuple[str, ...] | None:
    if value is None:
        return None
    if isinstance(value, (dict, tuple)) and all(isinstance(name, str) for name in value):
        return value
    example = f"; for one name write ({value!r},)" if isinstance(value, str) else ""
    raise _refused(
        item,
        f"expectations={_shown(value)} cannot be used; give a dict with string keys, or a tuple of parameter names "
        f"that move from inputs to expectations{example}",
    )


def _variant_params(item: pytest.Item, value: Any) -> tuple[str, ...]:
    if isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value):
        return tuple(dict.fromkeys(value))
    example = f"; for one name write ({value!r},)" if isinstance(value, str) else ""
    raise _refused(item, f"variant_params={_shown(value)} cannot be used; give a tuple of parameter names{example}")


def _target(item: pytest.Item, value: Any) -> Any:
    if value is None or callable(value) or (isinstance(value, str) and value.strip()):
        return value
    raise _refused(
        item,
        f"target={_shown(value)} cannot be used; give a function, 'package.module:function', or a fixture's name",
    )


def _data(item: pytest.Item, value: Any) -> Any:
    # Read, and checked, while pytest collects: rows.py.
    return value


def _scorers(item: pytest.Item, value: Any) -> tuple[Any, ...]:
    if isinstance(value, (list, tuple)):
        return tuple(value)
    raise _refused(item, f"scorers={_shown(value)} cannot be used; give a list of scorers")


def _versions(item: pytest.Item, value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if is_names(value):
        return tuple(value)
    raise _refused(item, f"versions={_shown(value)} cannot be used; give a list of names, each once")


_CHECKS = {
    "versions": _versions,
    "target": _target,
    "scorers": _scorers,
    "data": _data,
    "repeats": _repeats,
    "gate": _gate,
    "soft": _soft,
    "variant_params": _variant_params,
    "expectations": _expectations,
}


def _check_moved(item: pytest.Item, expectations: Mapping[str, Any] | tuple[str, ...] | None) -> None:
    if not isinstance(expectations, tuple):
        return
    row = row_of(item)
    _check_known(item, "expectations", expectations, input_names(item))
    for name in expectations:
        if row is not None and name in row.inputs and name in row.expectations:
            raise _refused(item, f"expectations names {name!r}, which is an input and an expectation of the row")


def _check_known(item: pytest.Item, argument: str, given: tuple[str, ...], names: list[str]) -> None:
    """Refuse names that are neither among these parameters nor columns of the rows that the test runs over."""
    row = row_of(item)
    what, all_of_them = "parameter", "parameters"
    if row is not None:
        names = [*names, *sorted(row.columns)]
        what, all_of_them = "parameter or column", "parameters and columns"
    for name in given:
        if name not in names:
            allowed = ", ".join(map(repr, names)) or "none: the test has no parametrize"
            raise _refused(
                item, f"{argument} names {name!r}, which is no {what} of this test; {all_of_them}: {allowed}"
            )


def _check_variant(item: pytest.Item, names: tuple[str, ...], expectations: Any) -> None:
    _check_known(item, "variant_params", names, [*params_of(item)])
    for name in names:
        if isinstance(expectations, tuple) and name in expectations:
            raise _refused(
                item,
                f"names {name!r} in variant_params and in expectations: is it the app's or the case's? drop one",
            )


def case_inputs(item: pytest.Item, options: EvalOptions) -> tuple[dict[str, Any], dict[str, Any]]:
    """The inputs and the expectations of an item: those of its row, then its parameters, in their order.

    Parameters of parametrised fixtures, and those passed to a fixture with ``indirect``, are neither. The
    dicts, lists, tuples and sets in both are copies (down to `COPIED_LEVELS`), all else is shared: a test may
    change them without changing the next repeat or another case.
    """
    params = params_of(item)
    row = row_of(item)
    inputs: dict[str, Any] = {} if row is None else dict(row.inputs)
    inputs.update({name: params[name] for name in input_names(item)})
    expectations: dict[str, Any] = {} if row is None else dict(row.expectations)
    if isinstance(options.expectations, tuple):
        # A row need not have every column of its data.
        expectations.update({name: inputs.pop(name) for name in options.expectations if name in inputs})
    else:
        expectations = {**(options.expectations or {}), **expectations}
    return copied(inputs), copied(expectations)


def copied(value: Any, levels: int = COPIED_LEVELS) -> Any:
    """A copy of nested dicts, lists, tuples and sets; all else is shared."""
    # copy.deepcopy would copy whatever else a parameter holds too: clients, models, open files. The bound
    # ends cycles.
    kind = type(value)
    if levels == 0 or kind not in (dict, list, tuple, set):
        return value
    if kind is dict:
        return {key: copied(one, levels - 1) for key, one in value.items()}
    return kind(copied(one, levels - 1) for one in value)


def params_of(item: pytest.Item) -> dict[str, Any]:
    """Name -> value, of the test's own parameters and of parametrised fixtures."""
    callspec = getattr(item, "callspec", None)
    return (
        {}
        if callspec is None
        else {name: value for name, value in callspec.params.items() if name not in (ROW, VERSION)}
    )


def names_of(mark: pytest.Mark) -> list[str]:
    """The names that a `parametrize` mark gives values to."""
    names = mark.args[0] if mark.args else mark.kwargs["argnames"]
    return [name.strip() for name in names.split(",") if name.strip()] if isinstance(names, str) else list(names)


def input_names(item: pytest.Item) -> list[str]:
    """The parameters that are inputs: those of the test itself, not of its fixtures."""
    direct = {name for mark in item.iter_markers("parametrize") for name in _direct_names(mark)}
    return [name for name in params_of(item) if name in direct or not _is_fixture(item, name)]


def _direct_names(mark: pytest.Mark) -> Iterator[str]:
    """The names that a parametrize mark passes to the test itself, not to a fixture."""
    indirect = mark.args[2] if len(mark.args) > 2 else mark.kwargs.get("indirect", False)
    for name in names_of(mark):
        if not (indirect if isinstance(indirect, bool) else name in indirect):
            yield name


def _is_fixture(item: pytest.Item, name: str) -> bool:
    from pytest_genaiver.running import fixtures

    # Parameters from a pytest_generate_tests hook leave no mark; a name that no fixture has is the test's own.
    return bool(fixtures.definitions(item, name))
