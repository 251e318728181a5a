"""Command line, environment and ini file: read once into one frozen `Settings`, every mistake named."""

from __future__ import annotations

import enum
import os
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from pytest_genaiver.errors import ConfigError
from pytest_genaiver.options import values
from pytest_genaiver.options.table import EVERYWHERE, OPTIONS, Option
from pytest_genaiver.options.values import LINK, Code, Given

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pytest_genaiver.core.policy import MetricPolicy

T = TypeVar("T")

GROUP = "genai version regression"


class SessionGate(enum.Enum):
    """What the gate's verdict does to the session's exit status."""

    FAIL = "fail"
    STRICT = "strict"
    WARN = "warn"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that the user configured, checked.

    `repeats` is (least, most) per case, `fixed` whether one number was given. `autolog` holds MLflow
    flavours: None is every one that the session uses, empty is none. `reports` are absolute paths. `baseline`
    is as given, save that a results file named in the ini file is absolute.
    """

    version_name: str | None = None
    baseline: str = "auto"
    gate: SessionGate = SessionGate.FAIL
    require_baseline: bool = False
    repeats: tuple[int, int] = (1, 5)
    fixed: bool = False
    concurrency: int = 8
    max_cost: float | None = None
    call_timeout: float = 120.0
    rejudge: bool = False
    rescore_baseline: bool = False
    scorers: tuple[str, ...] = ()
    reports: tuple[Path, ...] = ()
    min_cases: int = 1
    app: str | None = None
    experiment: str | None = None
    tracking_uri: str | None = None
    code: Code = LINK
    variant: str | None = None
    autolog: tuple[str, ...] | None = None
    alpha: float = 0.05
    inference: str = "calls"
    soft_assertions: bool = False
    report_outputs: bool = False
    metrics: tuple[MetricPolicy, ...] = ()


def add_options(parser: pytest.Parser) -> None:
    """Register every option, and the ini key of each."""
    group = parser.getgroup(GROUP)
    group.addoption(
        "--genai-version",
        action="store_true",
        default=None,
        help="Evaluate the marked cases as a version of the app and compare it with a baseline (default: off)",
    )
    for option in EVERYWHERE:
        if option.metavar is None:
            group.addoption(option.flag, action="store_true", default=None, help=option.help)
        else:
            action = "append" if option.many else "store"
            group.addoption(option.flag, action=action, metavar=option.metavar, help=option.help)
    for option in OPTIONS.values():
        kind: Any = "linelist" if option.many else _scalar(option.native)
        parser.addini(option.key, option.help, type=kind, default=None)


def _scalar(native: type | None) -> Any:
    # Before pytest 9.2 an ini key has one type: in pytest 9.0 and 9.1, a [tool.pytest] table must quote numbers.
    union: Any = None if native is None else str | native
    return "string" if union is None or pytest.version_tuple < (9, 2) else union


def is_active(config: pytest.Config) -> bool:
    """Whether --genai-version was given.

    Raises pytest.UsageError when another of our options was given without it: that is no green session.
    """
    if config.getoption("genai_version"):
        return True
    for option in EVERYWHERE:
        if config.getoption(option.key) is not None:
            raise pytest.UsageError(
                f"{option.flag} needs --genai-version, which turns the plugin on; "
                f"for a default that waits for it, use the ini key {option.key}"
            )
    return False


def read_settings(config: pytest.Config, environ: Mapping[str, str]) -> Settings:
    """Read all options: the command line beats `environ`, which beats the ini file.

    Raises pytest.UsageError with one sentence that names the source, its value and what is allowed.
    """
    try:
        _check_keys(config)
        return _read(_Reader(config, environ))
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from error


class _Reader:
    """Finds where an option was given; remembers it for messages about two options."""

    def __init__(self, config: pytest.Config, environ: Mapping[str, str]) -> None:
        self.config = config
        self.environ = environ
        self.found: dict[str, Given] = {}

    def read(self, name: str, parse: Callable[[Given], T], default: T) -> T:
        option = OPTIONS[name]
        everywhere = (self._from_command_line, self._from_environment, self._from_ini)
        sources = everywhere if option in EVERYWHERE else (self._from_ini,)
        given = next(filter(None, (source(option) for source in sources)), None)
        if given is None:
            return default
        self.found[name] = given
        return parse(given)

    def _from_command_line(self, option: Option) -> Given | None:
        value = self.config.getoption(option.key)
        if value is None:
            return None
        return Given(source=option.flag, values=_texts(value), folder=self.config.invocation_params.dir)

    def _from_environment(self, option: Option) -> Given | None:
        name = option.key.upper()
        value = self.environ.get(name, "").strip()
        given = [one for one in value.split(os.pathsep) if one] if option.many else [value]
        if not any(given):
            return None
        return Given(source=name, values=tuple(given), folder=self.config.invocation_params.dir)

    def _from_ini(self, option: Option) -> Given | None:
        try:
            value = self.config.getini(option.key)
        except TypeError as error:
            # pytest 9.0 and 9.1, where a [tool.pytest] table holds another type; the message names the key.
            raise ConfigError(str(error)) from error
        if value is None:
            return None
        source, folder = f"-o {option.key}", self.config.invocation_params.dir
        if option.key not in _overridden(self.config):
            inipath = self.config.inipath or self.config.rootpath / "pytest.ini"
            source, folder = f"{option.key} in {inipath.name}", inipath.parent
        if isinstance(value, list) and not option.many:
            raise ConfigError(f"{source}: {value!r} cannot be used; give one value, not a list")
        return Given(source=source, values=_texts(value), folder=folder, from_ini=True)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)


def _read(reader: _Reader) -> Settings:
    least, most, fixed = reader.read("repeats", values.repeats, (1, 5, False))
    settings = Settings(
        version_name=reader.read("version_name", values.text, None),
        baseline=reader.read("baseline", values.baseline, "auto"),
        gate=reader.read("gate", _gate, SessionGate.FAIL),
        require_baseline=reader.read("require_baseline", values.boolean, False),
        repeats=(least, most),
        fixed=fixed,
        concurrency=reader.read("concurrency", values.positive_count, 8),
        max_cost=reader.read("max_cost", values.dollars, None),
        call_timeout=reader.read("call_timeout", values.seconds, 120.0),
        rejudge=reader.read("rejudge", values.boolean, False),
        rescore_baseline=reader.read("rescore_baseline", values.boolean, False),
        scorers=reader.read("scorers", values.names, ()),
        reports=reader.read("report", values.reports, ()),
        min_cases=reader.read("min_cases", values.count, 1),
        app=reader.read("app", values.text, None),
        experiment=reader.read("experiment", values.text, None),
        tracking_uri=reader.read("tracking_uri", values.text, None),
        code=reader.read("code", values.code, LINK),
        variant=reader.read("variant", values.text, None),
        autolog=reader.read("autolog", values.flavours, None),
        alpha=reader.read("alpha", values.alpha, 0.05),
        inference=reader.read("inference", values.inference, "calls"),
        soft_assertions=reader.read("soft_assertions", values.boolean, False),
        report_outputs=reader.read("report_outputs", values.boolean, False),
        metrics=reader.read("metrics", values.metrics, ()),
    )
    if settings.require_baseline and settings.baseline == "none":
        required, none = reader.found["require_baseline"].source, reader.found["baseline"].source
        raise ConfigError(f"{required} contradicts {none} 'none': drop one of them")
    return settings


def _gate(given: Given) -> SessionGate:
    return SessionGate(values.one_of(given, [mode.value for mode in SessionGate]))


def _overridden(config: pytest.Config) -> set[str]:
    return {override.partition("=")[0] for override in config.getoption("override_ini") or ()}


def _check_keys(config: pytest.Config) -> None:
    """Refuse ini keys that look like ours and are nobody's: pytest itself only warns."""
    known = [option.key for option in OPTIONS.values()]
    with warnings.catch_warnings():
        # Deprecated in pytest 9, which offers no other way to list the keys.
        warnings.simplefilter("ignore")
        keys = {*getattr(config, "inicfg", ()), *_overridden(config)}
    for key in sorted(keys):
        if not key.lower().replace("-", "_").startswith("genai_") or key in known or _registered(config, key):
            continue
        if key == "genai_version":
            raise ConfigError("genai_version is no ini key; give --genai-version on the command line or in addopts")
        hint = values.near(key.replace("-", "_"), known)
        raise ConfigError(f"{key} is no known ini key{hint or '; allowed: ' + ', '.join(known)}")


def _registered(config: pytest.Config, key: str) -> bool:
    """Whether another plugin registered the key."""
    try:
        config.getini(key)
    except ValueError:
        return False
    return True
