"""The import hook calls back once, and leaves modules as Python made them."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters.traces.imports import ImportHook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """client_one, client_two.core (in a package), client_ns (a folder without code)."""
    before = set(sys.modules)
    (tmp_path / "client_one.py").write_text("LOADER = __loader__\n", encoding="utf-8")
    (tmp_path / "client_two").mkdir()
    (tmp_path / "client_two" / "__init__.py").write_text("from client_two import core\n", encoding="utf-8")
    (tmp_path / "client_two" / "core.py").write_text("VALUE = 7\n", encoding="utf-8")
    (tmp_path / "client_ns").mkdir()
    (tmp_path / "client_bad.py").write_text("raise RuntimeError('broken')\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in set(sys.modules) - before:
        if name.startswith("client_"):
            del sys.modules[name]


@pytest.fixture
def hook(packages: None) -> Iterator[Callable[..., list[str]]]:
    """Installs a hook for these modules; returns the list of those that called back."""
    hooks: list[ImportHook] = []

    def install(*names: str) -> list[str]:
        called: list[str] = []
        hooks.append(ImportHook({n: lambda n=n: called.append(n) for n in names}))  # type: ignore[misc]
        hooks[-1].install()
        return called

    yield install
    for one in hooks:
        one.uninstall()
        one.uninstall()
    assert not any(isinstance(f, ImportHook) for f in sys.meta_path)


def test_a_module_imported_later_calls_back_once(hook: Callable[..., list[str]]) -> None:
    called = hook("client_one")
    assert called == []
    importlib.import_module("client_one")
    assert called == ["client_one"]
    del sys.modules["client_one"]
    importlib.import_module("client_one")
    assert called == ["client_one"]


def test_a_module_imported_before_calls_back_at_once(hook: Callable[..., list[str]]) -> None:
    importlib.import_module("client_one")
    assert hook("client_one") == ["client_one"]


def test_a_submodule_calls_back_when_its_package_imports_it(hook: Callable[..., list[str]]) -> None:
    called = hook("client_two.core")
    importlib.import_module("client_two")
    assert called == ["client_two.core"]


def test_other_modules_are_none_of_its_business(hook: Callable[..., list[str]]) -> None:
    called = hook("client_two.core")
    importlib.import_module("client_one")
    assert called == []


def test_the_module_has_the_loader_and_spec_that_it_would_have(hook: Callable[..., list[str]]) -> None:
    hook("client_one")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        module = importlib.import_module("client_one")
    plain = importlib.import_module("client_two")
    assert type(module.__loader__) is type(plain.__loader__)
    assert module.__spec__ is not None
    assert module.__spec__.loader is module.__loader__ is module.LOADER
    assert importlib.reload(module) is module


def test_looking_for_a_module_shows_the_real_loader(hook: Callable[..., list[str]]) -> None:
    called = hook("client_one")
    spec = importlib.util.find_spec("client_one")
    assert spec is not None
    assert spec.loader is not None
    assert "LOADER" in spec.loader.get_source("client_one")  # type: ignore[attr-defined]
    assert called == []


def test_a_module_that_is_executed_twice_calls_back_once(hook: Callable[..., list[str]]) -> None:
    called = hook("client_one")
    specs = [importlib.util.find_spec("client_one") for _ in range(2)]
    for spec in specs:
        assert spec is not None
        assert spec.loader is not None
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    assert called == ["client_one"]


def test_a_module_that_is_not_there_is_not_found(hook: Callable[..., list[str]]) -> None:
    called = hook("client_none")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("client_none")
    assert called == []


def test_a_folder_without_code_imports(hook: Callable[..., list[str]]) -> None:
    hook("client_ns")
    assert importlib.import_module("client_ns").__path__


def test_a_module_that_breaks_may_be_tried_again(hook: Callable[..., list[str]]) -> None:
    called = hook("client_bad")
    for _ in range(2):
        with pytest.raises(RuntimeError, match="broken"):
            importlib.import_module("client_bad")
    assert called == []


def test_finders_of_old_are_passed_over(hook: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", [object(), *sys.meta_path])
    called = hook("client_one")
    importlib.import_module("client_one")
    assert called == ["client_one"]
    sys.meta_path[:] = [f for f in sys.meta_path if not isinstance(f, ImportHook)]
