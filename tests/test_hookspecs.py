from __future__ import annotations

import inspect
import re
import textwrap
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

from pytest_genaiver import hookspecs
from pytest_genaiver.concluding.aggregating import told_apart
from pytest_genaiver.core.compare import Comparison
from pytest_genaiver.core.decision import Decision
from pytest_genaiver.core.results import CaseResult, SessionFacts, Version, VersionResults
from pytest_genaiver.options.values import with_hook_metrics

SPECS = {name: value for name, value in vars(hookspecs).items() if name.startswith("pytest_genai_")}


def example(name: str) -> ModuleType:
    """The example of a hook's docstring, as a plugin module."""
    text = inspect.getdoc(SPECS[name]) or ""
    source = textwrap.dedent(text.partition("Example::\n")[2])
    module = ModuleType(f"example_of_{name}")
    exec(compile(source, module.__name__, "exec"), vars(module))
    return module


@pytest.fixture
def manager(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.PytestPluginManager:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    found = pytester.parseconfig().pluginmanager
    found.add_hookspecs(hookspecs)
    return found


def implementing(name: str, result: Any) -> ModuleType:
    module = ModuleType(f"returns_{result}")
    setattr(module, name, lambda: result)
    return module


def test_the_hooks_are_the_documented_ones() -> None:
    signatures = {name: tuple(inspect.signature(spec).parameters) for name, spec in SPECS.items()}
    assert signatures == {
        "pytest_genai_version": ("config",),
        "pytest_genai_baseline": ("config", "version"),
        "pytest_genai_decide": ("config", "comparison", "decision"),
        "pytest_genai_metrics": ("config",),
        "pytest_genai_scorers": ("config", "item"),
        "pytest_genai_case_scored": ("item", "case"),
        "pytest_genai_report": ("config", "comparison", "decision"),
    }


@pytest.mark.parametrize("name", SPECS)
def test_each_example_implements_its_hook(name: str, manager: pytest.PytestPluginManager) -> None:
    module = example(name)
    manager.register(module)
    assert getattr(manager.hook, name).get_hookimpls()[0].plugin is module
    manager.check_pending()


@pytest.mark.parametrize("name", SPECS)
def test_each_docstring_says_when_the_hook_is_called(name: str) -> None:
    assert re.search(r"\bCalled (once|after)", inspect.getdoc(SPECS[name]) or "")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pytest_genai_version", 1),
        ("pytest_genai_baseline", 1),
        ("pytest_genai_decide", 1),
        ("pytest_genai_metrics", [1, 2]),
        ("pytest_genai_scorers", [1, 2]),
        ("pytest_genai_case_scored", [1, 2]),
        ("pytest_genai_report", [1, 2]),
    ],
)
def test_the_first_three_hooks_stop_at_the_first_result(
    manager: pytest.PytestPluginManager, name: str, expected: object
) -> None:
    for result in (2, 1, None):
        manager.register(implementing(name, result))
    arguments = dict.fromkeys(inspect.signature(SPECS[name]).parameters)
    assert getattr(manager.hook, name)(**arguments) == expected


def test_the_examples_do_what_they_say(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    config = pytester.parseconfig()
    config.pluginmanager.add_hookspecs(hookspecs)
    for name in SPECS:
        config.pluginmanager.register(example(name))
    hook = config.hook

    monkeypatch.setenv("RELEASE", "v1")
    assert hook.pytest_genai_version(config=config) == "v1"
    release, other = (Version(name="v", app="app", branch=branch) for branch in ("release", "main"))
    assert hook.pytest_genai_baseline(config=config, version=release) == "support-agent-stable"
    assert hook.pytest_genai_baseline(config=config, version=other) is None

    decision = Decision(verdict="inconclusive", look=1, looks=(1,), alpha=0.05)
    few, many = compared("a"), compared("abcde")
    changed = hook.pytest_genai_decide(config=config, comparison=few, decision=decision)
    assert (changed.verdict, decision.verdict) == ("pass", "inconclusive")
    assert hook.pytest_genai_decide(config=config, comparison=many, decision=decision) is None

    lines, aggregates = told_apart(hook.pytest_genai_metrics(config=config))
    assert [metric.name for metric in with_hook_metrics((), lines)] == ["accuracy", "tone"]
    (found,) = hook.pytest_genai_scorers(config=config, item=Keywords({"refund"}))
    assert [scorer("a refund") for scorer in found] == [True]
    assert hook.pytest_genai_scorers(config=config, item=Keywords(set())) == []
    scores: dict[str, list[float | None]] = {"words_in": [8.0, 2.0, None], "words_out": [4.0, 1.0, 9.0]}
    scored = CaseResult(id="test_it.py::test_a", digest="", function="", scores=scores)
    assert aggregates["compression"]([scored]) == 0.5
    case = CaseResult(id="test_it.py::test_a", digest="", function="", scores={"passed": [1.0, 0.0]})
    hook.pytest_genai_case_scored(item=None, case=case)
    assert capsys.readouterr().out == "failed at least once: test_it.py::test_a\n"
    hook.pytest_genai_report(config=config, comparison=few, decision=decision)
    assert (config.rootpath / "verdict.txt").read_text() == "inconclusive"


@dataclass
class Keywords:
    """An item as the example looks at it."""

    keywords: set[str]


def compared(cases: str) -> Comparison:
    session = SessionFacts(id="s", started="2024-01-01T00:00:00Z", complete=True, repeats=1)
    return Comparison(
        baseline=None,
        current=VersionResults(version=Version(name="v", app="app"), session=session),
        pairs={case: case for case in cases},
        new=(),
        removed=(),
        changed=(),
        renamed={},
        coverage=1.0,
    )
