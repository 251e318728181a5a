"""The `genai_eval` marker: its arguments read strictly, and what identifies the case it marks."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from pytest_genaiver.errors import ConfigError
from pytest_genaiver.option_values import near

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_genaiver.core.policy import GateMode

MARKER_LINE = (
    "genai_eval(target=None, data=None, scorers=(), repeats=None, expectations=None, versions=None, "
    'gate="fail", soft=False, variant_params=()): an evaluation case, compared with the baseline version '
    "when pytest runs with --genai-version."
)

GATES = ("fail", "warn", "off")
COPIED_LEVELS = 20

# Arguments of the documented signature that this version refuses; supporting one means removing it here.
NOT_SUPPORTED = frozenset({"target", "data", "scorers", "versions"})


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
    versions: Any = None
    gate: GateMode = "fail"
    soft: bool | None = None
    variant_params: tuple[str, ...] = ()


_DEFAULTS = {field.name: field.default for field in fields(EvalOptions)}


def read_marker(item: pytest.Item) -> EvalOptions | None:
    """The merged options of a marked item; None for an unmarked one.

    The nearest marker wins, argument by argument; all levels are checked.

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
            merged.setdefault(name, _checked(item, name, value))
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
    if name in NOT_SUPPORTED:
        if not _is_default(value, _DEFAULTS[name]):
            raise _refused(item, f"{name}={_shown(value)} is not supported in this version; leave {name} out")
        return _DEFAULTS[name]
    return _CHECKS[name](item, value)


def _is_default(value: Any, default: Any) -> bool:
    # Never ==: data= may be a DataFrame, whose comparison is no bool.
    return value is default or (default == () and isinstance(value, (list, tuple)) and not value)


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


_CHECKS = {
    "repeats": _repeats,
    "gate": _gate,
    "soft": _soft,
    "expectations": _expectations,
    "variant_params": _variant_params,
}


def _check_moved(item: pytest.Item, expectations: Mapping[str, Any] | tuple[str, ...] | None) -> None:
    if not isinstance(expectations, tuple):
        return
    names = _input_names(item)
    for name in expectations:
        if name not in names:
            allowed = ", ".join(map(repr, names)) or "none: the test has no parametrize"
            raise _refused(
                item,
                f"expectations names {name!r}, which is no parameter of this test; parameters: {allowed}",
            )


def _check_variant(item: pytest.Item, names: tuple[str, ...], expectations: Any) -> None:
    params = params_of(item)
    for name in names:
        if name not in params:
            allowed = ", ".join(map(repr, params)) or "none: the test has no parametrize"
            raise _refused(
                item, f"variant_params names {name!r}, which is no parameter of this test; parameters: {allowed}"
            )
        if isinstance(expectations, tuple) and name in expectations:
            raise _refused(
                item,
                f"names {name!r} in variant_params and in expectations: is it the app's or the case's? drop one",
            )


def case_inputs(item: pytest.Item, options: EvalOptions) -> tuple[dict[str, Any], dict[str, Any]]:
    """The inputs and the expectations of an item, in the order of its parameters.

    Parameters of parametrised fixtures, and those passed to a fixture with ``indirect``, are neither. The
    dicts, lists, tuples and sets in both are copies (down to `COPIED_LEVELS`), all else is shared: a test may
    change them without changing the next repeat or another case.
    """
    params = params_of(item)
    inputs = {name: params[name] for name in _input_names(item)}
    if isinstance(options.expectations, tuple):
        expectations = {name: inputs.pop(name) for name in dict.fromkeys(options.expectations)}
    else:
        expectations = dict(options.expectations or {})
    return _copied(inputs), _copied(expectations)


def _copied(value: Any, levels: int = COPIED_LEVELS) -> Any:
    # copy.deepcopy would copy whatever else a parameter holds too: clients, models, open files. The bound
    # ends cycles.
    kind = type(value)
    if levels == 0 or kind not in (dict, list, tuple, set):
        return value
    if kind is dict:
        return {key: _copied(one, levels - 1) for key, one in value.items()}
    return kind(_copied(one, levels - 1) for one in value)


def params_of(item: pytest.Item) -> dict[str, Any]:
    """Name -> value, of the test's own parameters and of parametrised fixtures."""
    callspec = getattr(item, "callspec", None)
    return {} if callspec is None else dict(callspec.params)


def names_of(mark: pytest.Mark) -> list[str]:
    """The names that a `parametrize` mark gives values to."""
    names = mark.args[0] if mark.args else mark.kwargs["argnames"]
    return [name.strip() for name in names.split(",") if name.strip()] if isinstance(names, str) else list(names)


def _input_names(item: pytest.Item) -> list[str]:
    direct = {name for mark in item.iter_markers("parametrize") for name in _direct_names(mark)}
    return [name for name in params_of(item) if name in direct or not _is_fixture(item, name)]


def _direct_names(mark: pytest.Mark) -> Iterator[str]:
    """The names that a parametrize mark passes to the test itself, not to a fixture."""
    indirect = mark.args[2] if len(mark.args) > 2 else mark.kwargs.get("indirect", False)
    for name in names_of(mark):
        if not (indirect if isinstance(indirect, bool) else name in indirect):
            yield name


def _is_fixture(item: pytest.Item, name: str) -> bool:
    # Parameters from a pytest_generate_tests hook leave no mark; a name that
    # no fixture has is the test's own. pytest offers no other way to ask.
    manager: Any = item.config.pluginmanager.get_plugin("funcmanage")
    node = item if pytest.version_tuple >= (8, 1) else item.nodeid
    return bool(manager.getfixturedefs(name, node))


def case_id(item: pytest.Item, toplevel: Path | None, variant_params: tuple[str, ...] = ()) -> str:
    """The case's id: ``tests/test_a.py::TestB::test_c[parameter id]``, without the parts of `variant_params`.

    The path is relative to `toplevel`, git's top folder, or to pytest's rootdir outside git: the same case
    has the same id from whichever folder pytest was started.
    """
    whole = "::".join([_path(item, toplevel), *_names(item)])
    if not variant_params:
        return whole
    from pytest_genaiver.parameters import id_without

    rest = id_without(item, variant_params)
    return whole.removesuffix(f"[{param_id(item)}]") + (f"[{rest}]" if rest else "")


def function_id(item: pytest.Item, toplevel: Path | None) -> str:
    """The id of the test function: the case's id without its parameter id."""
    return case_id(item, toplevel).removesuffix(f"[{param_id(item)}]")


def param_id(item: pytest.Item) -> str:
    """The parameter id, as between the brackets of the node id; empty for a test without parameters."""
    callspec = getattr(item, "callspec", None)
    return "" if callspec is None else str(callspec.id)


def _names(item: pytest.Item) -> list[str]:
    # Not from item.nodeid: pytest-xdist's --dist loadgroup appends the group to it.
    chain = item.listchain()
    files = [place for place, node in enumerate(chain) if isinstance(node, pytest.File)]
    return [node.name for node in chain[files[-1] + 1 if files else -1 :]]


def _path(item: pytest.Item, toplevel: Path | None) -> str:
    folder = toplevel or item.config.rootpath
    if item.path.is_relative_to(folder):
        return item.path.relative_to(folder).as_posix()
    # git resolves symbolic links, pytest does not.
    return Path(os.path.relpath(item.path.resolve(), folder.resolve())).as_posix()
