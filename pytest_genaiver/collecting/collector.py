"""What was collected: which items are cases, and what this session left out by its own selection."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.collecting.case_ids import case_id, function_id, param_id
from pytest_genaiver.collecting.marker import EvalOptions, case_inputs, params_of, read_marker
from pytest_genaiver.collecting.parameters import id_without, texts_of
from pytest_genaiver.collecting.planned import PLANNED, Planned
from pytest_genaiver.collecting.row_parameter import is_one_value, row_of, without_rows
from pytest_genaiver.collecting.rows import data_error, data_file
from pytest_genaiver.collecting.version_parameter import VERSION, version_of
from pytest_genaiver.core.digest import digest
from pytest_genaiver.core.records import Plan, PlannedCase
from pytest_genaiver.core.scores import MEASURED
from pytest_genaiver.core.secrets import MASK, Mask
from pytest_genaiver.core.variants import full_id, label
from pytest_genaiver.errors import ConfigError
from pytest_genaiver.running import fixtures
from pytest_genaiver.running.chosen import Scorers
from pytest_genaiver.running.secrets import learn
from pytest_genaiver.running.targets import imported, is_path, lacking

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path


class Collector:
    """The plugin object that reads markers, in every process that collects."""

    def __init__(self, root: Path, least: int, *, scorers: Sequence[str] = (), soft: bool = False) -> None:
        """`root`: the folder that case ids are relative to. `scorers`: names of those that score every case.

        `least` and `soft`: repeats, and whether assertions are soft, of a case whose marker does not say.
        """
        self._scorers = Scorers(scorers)
        self._root = root
        self._least = least
        self._soft = soft
        self._files: set[str] = set()
        self._broken: set[str] = set()
        self._collected: set[str] = set()
        self._mask = Mask()
        self.error: str | None = None

    def pytest_collect_file(self, file_path: Path) -> None:
        """Remember each file that pytest looks into: a case that is gone from it was removed."""
        if file_path.is_relative_to(self._root):
            self._files.add(file_path.relative_to(self._root).as_posix())

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be imported hides its cases, it does not remove them."""
        if report.failed:
            self._broken.add(report.nodeid.partition("::")[0])

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Read every marker before anything is deselected.

        A mistake is a usage error. In an xdist worker it is kept for the controller: raised there, it would be
        an internal error.
        """
        self.error = self.error or data_error(config, items)
        learn(self._mask)
        try:
            for item in items if self.error is None else ():
                self._read(item)
        except ConfigError as error:
            self.error = str(error)
        if self.error is not None:
            items[:] = []
            if not hasattr(config, "workerinput"):
                raise pytest.UsageError(self.error)

    def _read(self, item: pytest.Item) -> None:
        if without_rows(item):
            return
        options = read_marker(item)
        if options is None:
            if "genai_case" in getattr(item, "fixturenames", ()):
                raise ConfigError(
                    f"{item.nodeid}: genai_case needs @pytest.mark.genai_eval on the test; add it or drop the fixture"
                )
            return
        planned = self._planned(item, options)
        item.stash[PLANNED] = planned
        self._collected.add(full_id(planned.case))

    def _planned(self, item: pytest.Item, options: EvalOptions) -> Planned:
        inputs, expectations = case_inputs(item, options)
        row = row_of(item)
        scalar = is_one_value(item, inputs)
        target = found_target(item, options.target, inputs, scalar=scalar)
        scorers = self._scorers.of(item, options.scorers)
        asked = {name: value for name, value in inputs.items() if name not in options.variant_params}
        stand_in = dict.fromkeys((*asked, *expectations), id_without(item, (*options.variant_params, VERSION)))
        found, warnings = digest(asked, expectations, stand_in, root=self._root)
        case = PlannedCase(
            id=self._id(item, found, (*options.variant_params, VERSION)),
            digest=found,
            function=function_id(item, self._root),
            gate=options.gate,
            repeats=options.repeats,
            location=_location(item, self._root),
            notes=tuple(warnings),
            judges=sum(s.judge for s in scorers),
            variant=texts_of(item, options.variant_params, inputs),
            params=self._mask.plain(texts_of(item, _settable(item, but=expectations), inputs)),
            versions=options.versions,
        )
        if full_id(case) in self._collected and not options.versions:
            # Two values of a variant with one text: then the whole id tells them apart.
            case = replace(case, id=self._id(item, found))
        return Planned(
            case=case,
            test_name=self._id(item, found),
            case_id=self._mask.text(param_id(item)) or None,
            inputs=inputs,
            expectations=expectations,
            repeats=options.repeats or self._least,
            soft=self._soft if options.soft is None else options.soft,
            version=version_of(item),
            target=target,
            scorers=scorers,
            scalar=scalar,
            tags={} if row is None else self._mask.plain(row.tags),
        )

    def _id(self, item: pytest.Item, digest: str, variant_params: tuple[str, ...] = ()) -> str:
        """The case's id; a secret in it is masked, and the digest tells such cases apart."""
        whole = case_id(item, self._root, variant_params)
        masked = self._mask.text(whole)
        return whole if masked is whole else masked.replace(MASK, f"[masked-{digest[:8]}]")

    def plan(self, config: pytest.Config, items: Sequence[pytest.Item]) -> Plan:
        """The plan, from the items that are left to run; where a function runs as several variants, ids say which."""
        several = _several(items)
        for item in items:
            one = item.stash.get(PLANNED, None)
            if one is not None and one.case.function in several:
                item.stash[PLANNED] = replace(one, case=replace(one.case, id=full_id(one.case)))
        planned = [p for i in items if (p := i.stash.get(PLANNED, None)) is not None]
        return Plan(
            cases={p.case.id: p.case for p in planned},
            collected=frozenset(self._collected),
            whole=frozenset(self._whole(config)),
            lower=tuple(sorted({s.name for p in planned for s in p.scorers if s.lower_is_better} - {*MEASURED})),
            files=tuple(sorted(self._sources(config, items))),
        )

    def _sources(self, config: pytest.Config, items: Sequence[pytest.Item]) -> set[str]:
        """The files that make the cases what they are."""
        cases = [item for item in items if PLANNED in item.stash]
        paths = {*(item.path for item in cases), *map(data_file, cases), config.inipath} - {None}
        return {p.relative_to(self._root).as_posix() for p in paths if p is not None and p.is_relative_to(self._root)}

    def _whole(self, config: pytest.Config) -> set[str]:
        """The files that were collected whole: not those of which single tests were named, and none with --lf."""
        if config.getoption("lf", False):
            return set()
        named = {a.partition("::")[0] for a in config.args if "::" in a}
        partial = {(config.invocation_params.dir / n).resolve() for n in named}
        partial |= {(config.rootpath / n).resolve() for n in self._broken}
        return {f for f in self._files if (self._root / f).resolve() not in partial}


def _several(items: Sequence[pytest.Item]) -> set[str]:
    """The test functions that will run as more than one variant."""
    variants: dict[str, set[str]] = defaultdict(set)
    for item in items:
        if (planned := item.stash.get(PLANNED, None)) is not None:
            variants[planned.case.function].add(label(planned.case.variant))
    return {function for function, found in variants.items() if len(found) > 1}


def found_target(item: pytest.Item, target: Any, inputs: Mapping[str, Any], *, scalar: bool = False) -> Any:
    """The marker's target as a function, or as the name of a fixture that will be set up for the item.

    Raises ConfigError where it cannot be found, or needs an argument that the inputs lack.
    """
    if target is None:
        return None
    try:
        if isinstance(target, str):
            if not is_path(target):
                return _fixture(item, target)
            target = imported(target)
        if missing := lacking(target, inputs, scalar=scalar):
            held = ", ".join(inputs) or "nothing"
            raise ConfigError(f"target needs {', '.join(missing)}, but the inputs hold {held}")
    except ConfigError as error:
        raise ConfigError(f"{item.nodeid}: genai_eval {error}") from error
    return target


def _fixture(item: pytest.Item, name: str) -> str:
    if not fixtures.definitions(item, name):
        allowed = "write the name of one, or 'package.module:function'"
        raise ConfigError(f"target={name!r} is no fixture of this test; {allowed}")
    return name


def _settable(item: pytest.Item, *, but: Collection[str]) -> list[str]:
    """What could be a variant parameter: the parameters, and the columns of the row, `but` for the expectations."""
    row = row_of(item)
    return [name for name in (*params_of(item), *(() if row is None else row.columns)) if name not in but]


def _location(item: pytest.Item, root: Path) -> str | None:
    path, line, _ = item.reportinfo()
    if line is None:
        return None
    place = item.path.relative_to(root).as_posix() if item.path.is_relative_to(root) else str(path)
    return f"{place}:{line + 1}"
