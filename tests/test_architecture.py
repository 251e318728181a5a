"""The rules of the house: who may import whom, what core may touch, how long a file and a function may be.

Imports for type checkers only (`if TYPE_CHECKING:`) bind nothing at run time and are not counted.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest_genaiver

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

ROOT = Path(__file__).parents[1]
PACKAGE = Path(pytest_genaiver.__file__).parent

# Each adapter owns one outside world; MLflow's traces, its store and its scorers are three of them.
ADAPTERS = {
    "adapters.git": {"git"},
    "adapters.datasets": {"mlflow", "pandas"},
    "adapters.environments": {"packaging"},  # which comes with pytest
    "adapters.traces": {"mlflow", "opentelemetry"},
    "adapters.tracking": {"mlflow", "opentelemetry"},
    "adapters.results_file": set[str](),
    "adapters.snapshot": set[str](),
    # pandas and rouge_score are what MLflow's metrics compute with.
    "adapters.scorers": {"mlflow", "pandas", "rouge_score"},
}
# These put a session together, or print for it, and so may know the reports.
KNOW_THE_REPORT = {
    *("cli", "session", "concluding.closing", "concluding.conclusion", "concluding.junit", "concluding.reporting"),
    "concluding.telling",
}

# What core may use of the standard library: nothing that asks the machine, the clock, the environment or a file.
PURE = {
    *(
        "__future__",
        "base64",
        "collections",
        "collections.abc",
        "dataclasses",
        "datetime",
        "decimal",
        "enum",
        "fnmatch",
        "shlex",
    ),
    *(
        "functools",
        "hashlib",
        "itertools",
        "json",
        "math",
        "pathlib",
        "re",
        "shlex",
        "statistics",
        "typing",
        "unicodedata",
    ),
    *("urllib.parse", "uuid"),
}
# These are pure in part only; `default_rng()` without a seed asks the machine for one.
IMPURE_NAMES = {"pathlib": {"Path"}, "uuid": {"uuid1", "uuid4"}}
IMPURE_CALLS = {"print", "open", "input", "now", "utcnow", "today", "default_rng()"}

# Imported by the entry point in every pytest run, or for `data=` and the fixtures without the flag; the last by a
# session only.
INERT = {"__init__", "plugin", "hookspecs", "inert", "collecting.rows", "collecting.version_parameter"}
ACTIVE = {"session", "xdist"}
HEAVY = {"mlflow", "opentelemetry", "pandas", "numpy", "git", "openai", "sqlalchemy", "xdist"}

LONGEST_FILE = 300
LONGEST_FUNCTION = 40
# A flat list of options is as long as there are options.
FLAT_LISTS = {"pytest_addoption"}


@dataclass(frozen=True)
class Import:
    """`of` imports `name`: of ours without the package's own name; `lazy`: within a function."""

    of: str
    name: str
    line: int
    ours: bool
    lazy: bool

    @property
    def top(self) -> str:
        return self.name.partition(".")[0]

    @property
    def third_party(self) -> bool:
        return not self.ours and self.top not in sys.stdlib_module_names

    def __str__(self) -> str:
        return f"{self.of}:{self.line} imports {self.name}"


def module_name(file: Path) -> str:
    """`core.gate`, `adapters.git`, `__init__`."""
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {module_name(file): file for file in sorted(PACKAGE.rglob("*.py"))}


def modules(*houses: str) -> list[str]:
    found = [name for name in MODULES if within(name, *houses)]
    assert found, houses
    return found


def within(name: str, *houses: str) -> bool:
    return any(name == house or name.startswith(f"{house}.") for house in houses)


@cache
def tree_of(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text(encoding="utf-8"), name)


def runtime_nodes(node: ast.AST, *, lazy: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """Every node that can run, with whether it waits within a function."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child, lazy
        yield from runtime_nodes(child, lazy=lazy or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)))


def imports_in(of: str, tree: ast.AST) -> Iterator[Import]:
    for node, lazy in runtime_nodes(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for target in targets(node):
                ours = target.partition(".")[0] == "pytest_genaiver"
                name = target.removeprefix("pytest_genaiver").lstrip(".") or "__init__"
                yield Import(of, name, node.lineno, ours, lazy)


def targets(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """The modules that a statement imports; `from package import module` counts as that module."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    # A relative import keeps its dots, and so breaks every rule that asks whose it is.
    module = "." * node.level + (node.module or "")
    for alias in node.names:
        child = f"{module}.{alias.name}"
        yield child if child.removeprefix("pytest_genaiver.") in MODULES else module


@cache
def imports(name: str) -> tuple[Import, ...]:
    return tuple(imports_in(name, tree_of(name)))


def breaches(names: Iterable[str], *, ours: Collection[str], others: Collection[str]) -> list[str]:
    """Imports of our modules beyond `ours`, and of third parties beyond `others`."""
    return [
        str(i)
        for name in names
        for i in imports(name)
        if (i.ours and not within(i.name, *ours)) or (i.third_party and i.top not in others)
    ]


def test_the_walk_sees_every_kind_of_import_but_not_those_for_type_checkers() -> None:
    code = """
if TYPE_CHECKING:
    import pandas
import numpy.linalg
import os
from pytest_genaiver import core
from pytest_genaiver.core import gate
from pytest_genaiver.core.gate import decide
def late():
    import mlflow
"""
    found = list(imports_in("x", ast.parse(code)))
    assert [i.name for i in found] == ["numpy.linalg", "os", "core", "core.gate", "core.gate", "mlflow"]
    assert [i.name for i in found if i.lazy or i.third_party] == ["numpy.linalg", "mlflow"]
    assert [i.ours for i in found] == [False, False, True, True, True, False]


def test_core_imports_core_errors_and_numpy() -> None:
    assert not breaches(modules("core"), ours={"core", "errors"}, others={"numpy"})


def test_core_asks_nothing_of_the_machine() -> None:
    wrong = [
        str(i)
        for name in modules("core")
        for i in imports(name)
        if not i.ours and not i.third_party and i.name not in PURE
    ]
    wrong += [f"{name}: {found}" for name in modules("core") for found in impure(tree_of(name))]
    assert not wrong


def impure(tree: ast.AST) -> Iterator[str]:
    for node, _ in runtime_nodes(tree):
        if isinstance(node, ast.ImportFrom):
            yield from IMPURE_NAMES.get(node.module or "", set()) & {alias.name for alias in node.names}
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func).rpartition(".")[2]
            yield from IMPURE_CALLS & {called, called if node.args or node.keywords else f"{called}()"}


def test_impure_calls_and_names_are_seen() -> None:
    code = "from pathlib import Path, PurePath\nprint(default_rng(7), np.random.default_rng(), datetime.now(tz))\n"
    assert sorted(impure(ast.parse(code))) == ["Path", "default_rng()", "now", "print"]


def test_every_adapter_has_its_rule() -> None:
    assert {name for name in modules("adapters") if name.count(".") == 1} == set(ADAPTERS)


def test_an_adapter_imports_core_errors_itself_and_its_own_third_party() -> None:
    wrong = [
        breach
        for adapter, others in ADAPTERS.items()
        for breach in breaches(modules(adapter), ours={"core", "errors", adapter}, others=others)
    ]
    assert not wrong


def test_a_report_imports_core_and_report() -> None:
    drawn_with = {"jinja2", "markupsafe", "matplotlib"}  # MLflow brings them
    assert not breaches(modules("report"), ours={"core", "errors", "report"}, others={"numpy", *drawn_with})


def test_all_else_leaves_third_parties_but_pytest_to_the_adapters() -> None:
    rest = set(MODULES) - set(modules("core", "adapters", "report", "cli"))
    assert not breaches(sorted(rest), ours=MODULES, others={"pytest"})


def test_the_command_line_imports_click_and_is_imported_by_nobody() -> None:
    assert not breaches(modules("cli"), ours=MODULES, others={"click", "pytest"})
    rest = set(MODULES) - set(modules("cli"))
    assert not [str(i) for name in sorted(rest) for i in imports(name) if i.ours and within(i.name, "cli")]


def test_only_what_puts_a_session_together_knows_the_report() -> None:
    rest = [name for name in MODULES if not within(name, "report", *KNOW_THE_REPORT)]
    assert not [str(i) for name in sorted(rest) for i in imports(name) if i.ours and within(i.name, "report")]


def test_nobody_imports_the_plugin() -> None:
    assert not [str(i) for name in MODULES for i in imports(name) if i.ours and i.name == "plugin"]


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert not [name for name in MODULES if name in reached({name})]


def reached(start: Collection[str]) -> set[str]:
    """Our modules that are imported, at module level and step by step, by those of `start`."""
    found: set[str] = set()
    ahead = set(start)
    while ahead:
        ahead = {i.name for name in ahead for i in imports(name) if i.ours and not i.lazy} - found
        found |= ahead
    return found


def test_the_plugin_imports_late_only_what_is_known_as_inert_or_active() -> None:
    assert {i.name for i in imports("plugin") if i.ours and i.lazy} == (INERT - {"__init__", "plugin"}) | ACTIVE


def test_an_inert_run_imports_no_session_and_nothing_heavy() -> None:
    imported = INERT | reached(INERT)
    assert {"collecting.marker", "options.settings", "cases"} <= imported
    assert not imported & {*ACTIVE, "running.runner", "core.gate"}
    assert not [name for name in imported if within(name, "report", *ADAPTERS)]
    assert not [str(i) for name in imported for i in imports(name) if i.top in HEAVY and not i.ours and not i.lazy]


def test_no_file_imports_private_pytest() -> None:
    files = [file for folder in ("tests", "examples", "benchmarks") for file in (ROOT / folder).rglob("*.py")]
    files += MODULES.values()
    trees = [(file.name, ast.parse(file.read_text(encoding="utf-8"))) for file in files]
    assert not [str(i) for name, tree in trees for i in imports_in(name, tree) if i.top == "_pytest"]


def test_every_module_starts_with_the_future_import() -> None:
    for name in MODULES:
        body = [node for node in tree_of(name).body if not is_docstring(node)]
        assert not body or (isinstance(body[0], ast.ImportFrom) and body[0].module == "__future__"), name


def is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def test_files_are_short() -> None:
    lines = {name: len(file.read_text(encoding="utf-8").splitlines()) for name, file in MODULES.items()}
    assert not {name: count for name, count in lines.items() if count > LONGEST_FILE}


def test_functions_are_short() -> None:
    lines = {
        f"{name}.{node.name}": lines_of(node)
        for name in MODULES
        for node in ast.walk(tree_of(name))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name not in FLAT_LISTS
    }
    assert not {name: count for name, count in lines.items() if count > LONGEST_FUNCTION}


def lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function but those of its docstring."""
    first = node.body[0]
    prose = (first.end_lineno or 0) - first.lineno + 1 if is_docstring(first) else 0
    return (node.end_lineno or 0) - node.lineno + 1 - prose
