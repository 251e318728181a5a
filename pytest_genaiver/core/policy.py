"""How one metric is judged: kind, direction, tolerance, limits; and the `genai_metrics` line that says so."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal, get_args

from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Kind = Literal["binary", "likert", "score", "latency", "tokens", "cost"]
Direction = Literal["higher", "lower"]
GateMode = Literal["fail", "warn", "off"]

KINDS: tuple[Kind, ...] = get_args(Kind)
LOG_KINDS: frozenset[Kind] = frozenset({"latency", "tokens", "cost"})
DEFAULT_TOLERANCE: dict[Kind, float] = {
    "binary": 0.02,
    "score": 0.02,
    "likert": 0.10,
    "latency": 0.10,
    "tokens": 0.05,
    "cost": 0.05,
}
VALID_LINE = "accuracy: higher, tolerance=0.02, gate=fail"


@dataclass(frozen=True, slots=True)
class MetricPolicy:
    """What is expected of one metric. `name` may be a pattern (`judge_*`) until `policy_for` resolves it.

    `kind` None: the built-in name's kind, else inferred from the values. `direction` None: higher is better;
    latency, tokens and cost are always lower. `tolerance` and `max_hidden` are absolute for binary, score and
    likert; for latency, tokens and cost they are relative (0.1 is 10 %, taken as log(1.1)). None: the kind's
    default tolerance, no `max_hidden`. `min` and `max` are in the metric's own units and need no baseline.

    Raises `ConfigError` for a field that cannot be used.
    """

    name: str
    kind: Kind | None = None
    direction: Direction | None = None
    tolerance: float | None = None
    min: float | None = None
    max: float | None = None
    max_hidden: float | None = None
    gate: GateMode = "fail"

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ConfigError(f"A metric's name is {self.name!r}; it must be a word such as 'accuracy'.")
        self._check_word("kind", self.kind, (*KINDS, None))
        self._check_word("direction", self.direction, (*get_args(Direction), None))
        self._check_word("gate", self.gate, get_args(GateMode))
        for field in ("tolerance", "min", "max", "max_hidden"):
            self._check_number(field, getattr(self, field))
        if self.tolerance is not None and self.tolerance < 0:
            raise ConfigError(f"Metric {self.name!r}: tolerance is {self.tolerance!r}; it must be 0 or more.")
        if self.max_hidden is not None and self.max_hidden <= 0:
            raise ConfigError(f"Metric {self.name!r}: max_hidden is {self.max_hidden!r}; it must be above 0.")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ConfigError(
                f"Metric {self.name!r}: min is {self.min!r} and max is {self.max!r}; "
                "no value can satisfy both, so swap or correct them."
            )

    def _check_word(self, field: str, value: object, allowed: tuple[str | None, ...]) -> None:
        if value not in allowed:
            words = ", ".join(word for word in allowed if word is not None)
            raise ConfigError(f"Metric {self.name!r}: {field} is {value!r}; use one of {words}.")

    def _check_number(self, field: str, value: object) -> None:
        if value is None:
            return
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise ConfigError(f"Metric {self.name!r}: {field} is {value!r}; it must be a finite number.")

    def to_json(self) -> dict[str, Any]:
        """Every field as a plain JSON value."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> MetricPolicy:
        """The policy that `to_json` wrote. Raises `ConfigError` for unknown or unusable fields."""
        unknown = sorted(set(data) - {field.name for field in fields(cls)})
        if unknown or "name" not in data:
            what = f"unknown field {unknown[0]!r}" if unknown else "no name"
            raise ConfigError(f"A recorded metric policy has {what}: {dict(data)!r}.")
        return cls(**data)


def builtin_kind(name: str) -> Kind | None:
    """The kind that a built-in metric's name implies; None for a user's own metric."""
    if name == "passed":
        return "binary"
    if name in ("latency", "first_token"):
        return "latency"
    if name == "cost":
        return "cost"
    return "tokens" if name.endswith("tokens") else None


def policy_for(name: str, declared: Sequence[MetricPolicy] = ()) -> MetricPolicy:
    """The session's policy for metric `name`: its declaration, else the first matching pattern, else the default.

    A declaration decides the metric's gate mode too (`fail` unless it says otherwise). Undeclared, `passed` and
    the user's own scores fail, latency, tokens and cost warn, `total_tokens` (their sum) is shown only.
    Raises `ConfigError` where `name` is declared twice.
    """
    exact = [policy for policy in declared if policy.name == name]
    if len(exact) > 1:
        raise ConfigError(f"Metric {name!r} is declared twice; keep one genai_metrics line for it.")
    if exact:
        return exact[0]
    for policy in declared:
        if fnmatchcase(name, policy.name):
            return replace(policy, name=name)
    return MetricPolicy(name, gate=default_gate(name))


def default_gate(name: str) -> GateMode:
    """The gate mode of a metric that no line declares."""
    if name == "total_tokens":
        return "off"
    return "warn" if builtin_kind(name) in LOG_KINDS else "fail"


def parse_metric_line(line: str) -> MetricPolicy:
    """One `genai_metrics` line, `NAME: word, key=value, ...`, as a policy.

    Words: a kind, `higher`, `lower`. Keys: `tolerance`, `min`, `max`, `max_hidden`, `gate`. `10%` is 0.1: relative
    on latency, tokens and cost, percentage points on a pass rate or a score of 0 to 1. A `%` on likert, and a
    `min` or `max` in `%` on latency, tokens and cost, mean nothing; a plain tolerance of 1 or more on the latter
    was meant in seconds or tokens, not as 100 %. All are refused, as is anything unknown, with `ConfigError`.
    """
    name, colon, rest = line.rpartition(":")
    name = name.strip()
    words = [word.strip() for word in rest.split(",")]
    if not colon or not name or not all(words):
        raise _bad_line(line, "it is not of the form 'NAME: setting, setting'")
    settings: dict[str, Any] = {}
    percent: set[str] = set()
    for word in words:
        key, value, is_percent = _setting(line, word)
        if key in settings:
            raise _bad_line(line, f"it sets {key} twice")
        settings[key] = value
        if is_percent:
            percent.add(key)
    policy = MetricPolicy(name, **settings)
    _check_units(line, policy, percent)
    return policy


def _setting(line: str, word: str) -> tuple[str, Any, bool]:
    key, equals, text = (part.strip() for part in word.partition("="))
    if not equals and word in KINDS:
        return "kind", word, False
    if not equals and word in get_args(Direction):
        return "direction", word, False
    if key == "gate" and text in get_args(GateMode):
        return key, text, False
    if equals and key in ("tolerance", "min", "max", "max_hidden"):
        try:
            number = float(text.removesuffix("%"))
        except ValueError:
            raise _bad_line(line, f"{key} is {text!r}, not a number") from None
        return key, number / 100 if text.endswith("%") else number, text.endswith("%")
    raise _bad_line(line, f"{word!r} is not a known setting")


def _check_units(line: str, policy: MetricPolicy, percent: set[str]) -> None:
    kind = policy.kind or builtin_kind(policy.name)
    if kind == "likert" and percent:
        raise _bad_line(line, f"a {min(percent)} in % means nothing on a Likert scale; give it in scale points")
    if kind not in LOG_KINDS:
        return
    if policy.direction == "higher":
        raise _bad_line(line, f"for {kind} lower is always better")
    if percent & {"min", "max"}:
        raise _bad_line(line, f"min and max of {kind} are in its own unit, not in %")
    for key in {"tolerance", "max_hidden"} - percent:
        value = getattr(policy, key)
        if value is not None and value >= 1:
            raise _bad_line(line, f"{key} of {kind} is relative and {value:g} would be {value:.0%}; write 10%")


def _bad_line(line: str, why: str) -> ConfigError:
    return ConfigError(
        f"genai_metrics line {line.strip()!r}: {why}. A valid line: {VALID_LINE!r} (kinds: {', '.join(KINDS)}; "
        "directions: higher, lower; settings: tolerance=, min=, max=, max_hidden=, gate=fail|warn|off)."
    )
