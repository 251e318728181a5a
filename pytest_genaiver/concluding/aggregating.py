"""Aggregates as `pytest_genai_metrics` implementations give them: checked, and told from metrics' policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_genaiver.core.policy import MetricPolicy, builtin_kind, policy_for
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_genaiver.core.aggregates import Aggregate


def told_apart(answers: Iterable[Any]) -> tuple[list[Any], dict[str, Aggregate]]:
    """(the answers without functions, name -> function), of answers that are mappings or lists that hold some.

    Raises ConfigError for a mapping that is none of names to functions, and for a name that is given twice.
    """
    rest: list[Any] = []
    functions: dict[str, Aggregate] = {}
    for answer in answers:
        listed = answer if isinstance(answer, (list, tuple)) else [answer]
        for mapping in (one for one in listed if isinstance(one, Mapping)):
            _add(functions, mapping)
        if isinstance(answer, (list, tuple)):
            rest.append([one for one in answer if not isinstance(one, Mapping)])
        elif not isinstance(answer, Mapping):
            rest.append(answer)
    return rest, functions


def _add(functions: dict[str, Aggregate], mapping: Mapping[Any, Any]) -> None:
    for name, function in mapping.items():
        if not isinstance(name, str) or not name.strip() or not callable(function):
            raise ConfigError(
                f"pytest_genai_metrics: {name!r}: {function!r} cannot be used; "
                "an aggregate is a name and a function of the scored cases, such as {'f1': f1}"
            )
        if name in functions:
            raise ConfigError(f"pytest_genai_metrics: the aggregate {name!r} is given twice; drop one")
        if builtin_kind(name) is not None:
            raise ConfigError(f"pytest_genai_metrics: {name!r} is a built-in metric; give the aggregate another name")
        functions[name] = function


def with_aggregates(declared: Sequence[MetricPolicy], names: Iterable[str]) -> tuple[MetricPolicy, ...]:
    """The policies, and one for each aggregate that no line names: it is shown only.

    Raises ConfigError for a setting that an aggregate cannot have.
    """
    policies = {name: policy_for(name, [*declared, MetricPolicy("*", gate="off")]) for name in names}
    for name, policy in policies.items():
        if policy.max_hidden is not None:
            raise ConfigError(f"genai_metrics: max_hidden cannot be used for the aggregate {name!r}; use min or max")
    return (*(p for p in declared if p.name not in policies), *policies.values())
