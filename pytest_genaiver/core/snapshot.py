"""The whole app at one version: code, configuration, models, prompts, dependencies; and what changed between two."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal

from pytest_genaiver.core.jsonform import as_object, required, shown, typed
from pytest_genaiver.errors import ResultsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SCHEMA = 1
SHORT = 8
"""How much of a digest is shown."""

INSTALLERS = frozenset({"pip", "setuptools", "wheel", "uv", "distribute"})
"""What a virtual environment brings with it: no lock file names them, and `pip freeze` leaves them out too."""

SYSTEM = "system:"
"""What the name of a system prompt starts with, before its first words."""

SERVED = "served as"
"""The setting that holds what the provider says it answered with, where that is not the name that was asked for."""

Area = Literal["configuration", "model", "prompt", "dependency", "python", "code"]

_PLAIN = ("params", "prompts", "dependencies")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What one session saw of the app.

    `dirty` is the hash of the changes that were not committed, `tree` the SHA of the tested tree. `params` are those
    of `genai_version.log_params`. `models` maps each model that the traces show to its settings, as text. `prompts`
    maps `name@version` of MLflow's prompts and `system:first words` of system prompts to the SHA-256 of the text.
    `dependencies` maps distributions to versions. `command` is how pytest was called.
    """

    commit: str | None = None
    branch: str | None = None
    remote: str | None = None
    dirty: str | None = None
    tree: str | None = None
    params: dict[str, str] = field(default_factory=dict)
    models: dict[str, dict[str, str]] = field(default_factory=dict)
    prompts: dict[str, str] = field(default_factory=dict)
    dependencies: dict[str, str] = field(default_factory=dict)
    python: str = ""
    platform: str = ""
    command: str | None = None

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of what makes the app: two snapshots have the same one where `changes` finds nothing.

        The commit and what was not committed, the parameters, models, prompts and dependencies (by their normalised
        names, without `INSTALLERS`), and Python's minor version. Not the platform, the command, the branch and the
        remote: a clone on another machine, at this commit and with these dependencies, is the same app. Not the tree
        either: where a merge was tested, it holds what the target branch had that day. Nor what a model was served
        as: that is the provider's doing, which `changes` tells all the same.
        """
        made_of = {
            "commit": self.commit,
            "dirty": self.dirty,
            "params": self.params,
            "models": {model: _asked(settings) for model, settings in self.models.items()},
            "prompts": self.prompts,
            "dependencies": resolved(self.dependencies),
            "python": minor(self.python),
        }
        text = json.dumps(made_of, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    @property
    def dependencies_digest(self) -> str:
        """SHA-256 (hex) of the dependencies alone."""
        return dependencies_digest(self.dependencies)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types only. The digest is there for other readers; `from_json` computes it anew."""
        return {"schema": SCHEMA, "digest": self.digest, **asdict(self)}

    @classmethod
    def from_json(cls, data: object) -> Snapshot:
        """The inverse of `to_json`. Unknown keys are ignored.

        Raises ResultsError, which names the path inside the data and the value found there.
        """
        top = as_object(data, "the data")
        _check_schema(typed(required(top, "schema", "the data"), "int", "schema"))
        found: dict[str, Any] = {}
        for item in fields(cls):
            if item.name in _PLAIN:
                found[item.name] = _texts(top.get(item.name, {}), item.name)
            elif item.name == "models":
                models = as_object(top.get("models", {}), "models")
                found["models"] = {model: _texts(given, f"models[{model!r}]") for model, given in models.items()}
            elif item.name in top:
                found[item.name] = typed(top[item.name], str(item.type), item.name)
        return cls(**found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that differs; None on the side where it was not there. Digests are cut to `SHORT` digits."""

    area: Area
    name: str
    before: str | None
    after: str | None


def changes(before: Snapshot, after: Snapshot) -> tuple[Change, ...]:
    """What changed between two versions, area by area in `Area`'s order, by name within; commits in full."""
    return (
        *_differences("configuration", before.params, after.params),
        *_model_changes(before.models, after.models),
        *_prompt_changes(before.prompts, after.prompts),
        *_differences("dependency", resolved(before.dependencies), resolved(after.dependencies)),
        *_differences("python", {"python": minor(before.python)}, {"python": minor(after.python)}),
        *_differences("code", _code(before), _code(after)),
    )


def normalised(name: str) -> str:
    """The name of a distribution as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def resolved(dependencies: Mapping[str, str]) -> dict[str, str]:
    """The dependencies that make the app, by normalised name."""
    named = {normalised(name): version for name, version in dependencies.items()}
    return {name: version for name, version in sorted(named.items()) if name not in INSTALLERS}


def dependencies_digest(dependencies: Mapping[str, str]) -> str:
    """SHA-256 (hex) of the dependencies that make the app."""
    lines = "".join(f"{name}=={version}\n" for name, version in resolved(dependencies).items())
    return hashlib.sha256(lines.encode("utf-8", "backslashreplace")).hexdigest()


def minor(python: str) -> str:
    """`3.11` of `3.11.9`; `3.11 (PyPy)` of `3.11.9 (PyPy)`."""
    version, space, implementation = python.partition(" ")
    return ".".join(version.split(".")[:2]) + space + implementation


def _check_schema(schema: int) -> None:
    if schema > SCHEMA:
        raise ResultsError(
            f"schema is {shown(schema)}, newer than {SCHEMA}, the newest snapshot that this version of "
            "pytest-genaiver reads: upgrade pytest-genaiver"
        )
    if schema < 1:
        raise ResultsError(f"schema is {shown(schema)}, but the first one is 1")


def _texts(value: object, path: str) -> dict[str, str]:
    return {key: typed(text, "str", f"{path}[{key!r}]") for key, text in as_object(value, path).items()}


def _differences(area: Area, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old != new:
            yield Change(area=area, name=name, before=old, after=new)


def _model_changes(
    before: Mapping[str, Mapping[str, str]], after: Mapping[str, Mapping[str, str]]
) -> Iterator[Change]:
    """Where exactly one model went and one came, the one replaced the other, and their settings are compared too."""
    gone, come = sorted(before.keys() - after.keys()), sorted(after.keys() - before.keys())
    pairs = [(name, name) for name in sorted(before.keys() & after.keys())]
    if len(gone) == len(come) == 1:
        yield Change(area="model", name="model", before=gone[0], after=come[0])
        pairs.append((gone[0], come[0]))
    else:
        yield from (Change(area="model", name=name, before=_settings(before[name]), after=None) for name in gone)
        yield from (Change(area="model", name=name, before=None, after=_settings(after[name])) for name in come)
    for old, new in sorted(pairs, key=lambda pair: pair[1]):
        for change in _differences("model", before[old], after[new]):
            yield Change(area="model", name=f"{new} {change.name}", before=change.before, after=change.after)


def _asked(settings: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in settings.items() if name != SERVED}


def _settings(settings: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(settings.items())) or "used"


def _prompt_changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    """System prompts by what they begin with, MLflow's prompts by name: those change from version to version."""
    old, new = _by_name(before), _by_name(after)
    for name in sorted({*old, *new}):
        was, now = old.get(name, {}), new.get(name, {})
        if was != now:
            # The same versions with other texts: of another registry.
            texts = was.keys() == now.keys()
            yield Change(area="prompt", name=name, before=_versions(was, texts), after=_versions(now, texts))


def _by_name(prompts: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Name -> version -> digest; a system prompt has one version without a name."""
    found: dict[str, dict[str, str]] = {}
    for key, digest in prompts.items():
        registered = "@" in key and not key.startswith(SYSTEM)
        name, _, version = key.rpartition("@") if registered else (key, "", "")
        found.setdefault(name, {})[version] = digest
    return found


def _versions(digests: Mapping[str, str], texts: bool) -> str | None:
    known = sorted(digests.items(), key=lambda item: (len(item[0]), item[0]))
    return ", ".join(_version(*item, texts) for item in known) or None


def _version(version: str, digest: str, texts: bool) -> str:
    short = ", ".join(one[:SHORT] for one in digest.split(", "))
    if not version:
        return short
    return f"{version} ({short})" if texts else version


def _code(snapshot: Snapshot) -> dict[str, str]:
    given: Iterable[tuple[str, str | None]] = (("commit", snapshot.commit), ("not committed", snapshot.dirty))
    return {name: value for name, value in given if value is not None}
