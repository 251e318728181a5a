"""What the value of each option may be: text in, a checked Python value out, or one clear sentence."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pytest_genaiver.core.policy import MetricPolicy

REPORT_SUFFIXES = (".json", ".md", ".html")
BASELINES = (
    "auto, none, a git ref, a version name, a model id (m-...), deployed:ENV (what runs there now), a results file "
    "(*.json) or run:REF (that commit runs now)"
)
BOOLEANS = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}


class Given(NamedTuple):
    """One option as the user wrote it: where, and the folder that relative paths start from."""

    source: str
    values: tuple[str, ...]
    folder: Path
    from_ini: bool = False

    @property
    def value(self) -> str:
        return self.values[0]

    def refuse(self, allowed: str, value: str | None = None) -> ConfigError:
        shown = self.value if value is None else value
        return ConfigError(f"{self.source}: {shown!r} cannot be used; {allowed}")


class Code(NamedTuple):
    """What of the code is kept: `link`, `archive` or `model`, that of the file `model`."""

    kind: str
    model: Path | None = None


LINK = Code("link")


def near(name: str, names: Sequence[str]) -> str:
    """``"; did you mean 'x'?"``, or nothing when no name is near."""
    import difflib

    found = difflib.get_close_matches(name.lower(), names, n=1)
    return f"; did you mean {found[0]!r}?" if found else ""


def text(given: Given) -> str:
    """A name or address: not empty, in one line."""
    value = given.value.strip()
    if not value or not value.isprintable():
        raise given.refuse("give a text that is not empty and has no line breaks or control characters")
    return value


def one_of(given: Given, allowed: Sequence[str]) -> str:
    """One of the given words."""
    value = given.value.strip()
    if value not in allowed:
        raise given.refuse(f"allowed: {', '.join(allowed)}{near(value, allowed)}")
    return value


def boolean(given: Given) -> bool:
    """``1 true yes on`` or ``0 false no off``, in any case."""
    value = BOOLEANS.get(given.value.strip().lower())
    if value is None:
        raise given.refuse(f"allowed: {', '.join(BOOLEANS)}")
    return value


def _whole(digits: str) -> int | None:
    # Not int() alone: it takes "1_0" and digits of other scripts too, and is slow on very long ones.
    return int(digits) if re.fullmatch(r"[0-9]{1,9}", digits) else None


def count(given: Given) -> int:
    """A whole number, 0 or more."""
    number = _whole(given.value.strip())
    if number is None:
        raise given.refuse("give a whole number, 0 or more, such as 1")
    return number


def positive_count(given: Given) -> int:
    """A whole number, 1 or more."""
    number = _whole(given.value.strip())
    if not number:
        raise given.refuse("give a whole number, 1 or more, such as 8")
    return number


def dollars(given: Given) -> float:
    """US dollars, above 0."""
    return _positive(given, "give US dollars, above 0, such as 0.50")


def seconds(given: Given) -> float:
    """Seconds, above 0."""
    return _positive(given, "give seconds, above 0, such as 120")


def _positive(given: Given, allowed: str) -> float:
    try:
        number = float(given.value)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise given.refuse(allowed)
    return number


def repeats(given: Given) -> tuple[int, int, bool]:
    """``N`` or ``MIN:MAX`` as (least, most, whether it was ``N``)."""
    low, colon, high = given.value.strip().partition(":")
    least, most = _whole(low), _whole(high if colon else low)
    if least is None or most is None or not 1 <= least <= most:
        raise given.refuse("give a whole number N, 1 or more, or MIN:MAX with 1 <= MIN <= MAX, such as 3 or 1:5")
    return least, most, not colon


def alpha(given: Given) -> float:
    """A chance: above 0, at most 0.5."""
    try:
        number = float(given.value)
    except ValueError:
        number = math.nan
    if not 0 < number <= 0.5:
        raise given.refuse("give a number above 0 and at most 0.5, such as 0.05")
    return number


def baseline(given: Given) -> str:
    """What --genai-baseline names; whether it exists is found out later, by who looks it up."""
    value = text(given)
    if value.startswith("-"):
        raise given.refuse(f"allowed: {BASELINES}")
    if value.startswith("deployed:"):
        from pytest_genaiver.core.deployments import environment_name

        try:
            environment_name(value.removeprefix("deployed:"))
        except ConfigError as error:
            raise given.refuse(str(error)) from error
        return value
    if given.from_ini and value.endswith(".json"):
        return str(given.folder / value)
    return value


def reports(given: Given) -> tuple[Path, ...]:
    """Paths of reports, absolute, each once."""
    return tuple(dict.fromkeys(_report(given, value) for value in given.values))


def _report(given: Given, value: str) -> Path:
    path = given.folder / value
    if path.suffix.lower() not in REPORT_SUFFIXES:
        raise given.refuse(f"a report's format follows from its suffix; allowed: {', '.join(REPORT_SUFFIXES)}", value)
    if path.is_dir():
        raise given.refuse("it is a folder; give the path of a file", value)
    if not path.parent.is_dir():
        raise given.refuse(f"there is no folder {str(path.parent)!r}; make it first", value)
    return path


def code(given: Given) -> Code:
    """``link``, ``archive`` or ``model:PATH``, a Python file that calls ``mlflow.models.set_model``."""
    value = given.value.strip()
    kind, colon, path = value.partition(":")
    if kind == "model" and path.strip():
        return Code(kind, _model(given, given.folder / path.strip()))
    if colon or kind not in ("link", "archive"):
        raise given.refuse(f"allowed: link, archive, model:PATH{near(kind, ['link', 'archive', 'model'])}")
    return Code(kind)


def _model(given: Given, path: Path) -> Path:
    """The file, if it can be what MLflow calls a model from code; what it does when it runs is found out later."""
    import ast

    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except OSError as error:
        raise given.refuse(f"{str(path)!r} cannot be read: {error.strerror}") from error
    except (SyntaxError, ValueError) as error:
        raise given.refuse(f"{str(path)!r} is not Python: {error}") from error
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    if "set_model" not in [getattr(func, "attr", getattr(func, "id", None)) for func in called]:
        raise given.refuse(f"{str(path)!r} is no model: it must call mlflow.models.set_model(...)")
    return path


def flavours(given: Given) -> tuple[str, ...]:
    """MLflow flavours, separated by commas, spaces or lines; ``none`` alone is an empty tuple."""
    names = tuple(dict.fromkeys(name for value in given.values for name in re.split(r"[,\s]+", value) if name))
    if names == ("none",):
        return ()
    allowed = "give MLflow flavours, such as: openai, langchain; or none alone"
    if not names:
        raise given.refuse(allowed, "")
    for name in names:
        if name == "none" or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise given.refuse(allowed, name)
    return names


def names(given: Given) -> tuple[str, ...]:
    """One name a line, each once; what they name is found out later."""
    return tuple(dict.fromkeys(name for value in given.values if (name := value.strip())))


def metrics(given: Given) -> tuple[MetricPolicy, ...]:
    """One policy a line, each metric once."""
    from pytest_genaiver.core.policy import parse_metric_line

    policies: dict[str, MetricPolicy] = {}
    for line in given.values:
        policy = parse_metric_line(line)
        if policy.name in policies:
            raise given.refuse(f"the metric {policy.name!r} has a line already; keep one of them", line)
        policies[policy.name] = policy
    return tuple(policies.values())


def with_hook_metrics(
    declared: Sequence[MetricPolicy], answers: Iterable[Sequence[MetricPolicy | str] | None]
) -> tuple[MetricPolicy, ...]:
    """The ini file's policies and those that `pytest_genai_metrics` implementations added, each metric once.

    Raises ConfigError for an answer that is no list of policies or lines, and for a metric that two of them name.
    """
    from pytest_genaiver.core.policy import MetricPolicy, parse_metric_line

    added: dict[str, MetricPolicy] = {}
    for answer in answers:
        if answer is not None and not isinstance(answer, (list, tuple)):
            raise _bad_answer(answer)
        for one in answer or ():
            policy = parse_metric_line(one) if isinstance(one, str) else one
            if not isinstance(policy, MetricPolicy):
                raise _bad_answer(one)
            if policy.name in added:
                raise ConfigError(f"pytest_genai_metrics: the metric {policy.name!r} is named twice; drop one")
            added[policy.name] = policy
    names = {policy.name for policy in declared}
    return (*declared, *(policy for name, policy in added.items() if name not in names))


def _bad_answer(answer: object) -> ConfigError:
    allowed = "return a list of MetricPolicy objects or genai_metrics lines"
    return ConfigError(f"pytest_genai_metrics: {answer!r} cannot be used; {allowed}")


def inference(given: Given) -> str:
    return one_of(given, ["calls", "population"])
