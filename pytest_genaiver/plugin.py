"""The pytest11 entry point: options, ini keys, marker, fixtures, hook specifications; all else waits for the flag.

Imported in every pytest run: nothing here imports MLflow, git, numpy or pandas before `--genai-version` is given.
"""

from __future__ import annotations

import os
from types import FunctionType
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.collecting.marker import MARKER_LINE
from pytest_genaiver.collecting.row_parameter import data_of
from pytest_genaiver.collecting.target_needs import target_needs
from pytest_genaiver.collecting.version_parameter import versions_of
from pytest_genaiver.errors import USAGE
from pytest_genaiver.options.settings import add_options, is_active, read_settings

if TYPE_CHECKING:
    from pytest_genaiver.cases import GenaiCase, GenaiVersion

# These print or plan and run no test: a session of ours would record nothing.
_NO_TESTS = ("collectonly", "setupplan", "showfixtures", "show_fixtures_per_test", "cacheshow", "markers", "help")


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    from pytest_genaiver import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER_LINE)
    if hasattr(config, "workerinput"):
        _configure_worker(config)
    elif is_active(config):
        settings = read_settings(config, os.environ)
        if not any(config.getoption(name, None) for name in _NO_TESTS):
            _configure_session(config, settings)


def _configure_worker(config: pytest.Config) -> None:
    if "genaiver" in getattr(config, "workerinput", {}):
        from pytest_genaiver.xdist import Worker

        config.pluginmanager.register(Worker(config), "genaiver-worker")


def _configure_session(config: pytest.Config, settings: Any) -> None:
    from pytest_genaiver.session import Session

    session = Session(config, settings)
    config.pluginmanager.register(session, "genaiver-session")
    if config.pluginmanager.has_plugin("xdist"):
        from pytest_genaiver.xdist import Controller

        config.pluginmanager.register(Controller(session), "genaiver-controller")


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Module | pytest.Class, obj: object) -> None:
    """What the target needs is set up, and parametrises its test, as if the test had asked for it."""
    if isinstance(obj, FunctionType) and (names := target_needs(collector, obj)):
        pytest.mark.usefixtures(*names)(obj)


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item for each row of `data=` and each of `versions=`, first among the parameters: `test_a[refund-1-v2]`."""
    if data_of(metafunc.definition) is not None:
        from pytest_genaiver.collecting.rows import parametrize

        parametrize(metafunc)
    if versions_of(metafunc.definition) is not None:
        from pytest_genaiver.collecting import version_parameter

        version_parameter.parametrize(metafunc)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A `data=` that cannot be used is a usage error without the flag too; a session's collector asks by itself."""
    if config.pluginmanager.has_plugin("genaiver-collector") or all(data_of(item) is None for item in items):
        return
    from pytest_genaiver.collecting.rows import data_error

    error = data_error(config, items)
    if error is None:
        return
    output: dict[str, str] | None = getattr(config, "workeroutput", None)
    if output is None:
        raise pytest.UsageError(error)
    output[USAGE] = error
    items[:] = []


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A mistake that an xdist worker found is the session's."""
    found = getattr(node, "workeroutput", {}).get(USAGE)
    if found is not None:
        raise pytest.UsageError(found)


@pytest.fixture
def genai_case(request: pytest.FixtureRequest) -> GenaiCase:
    """This evaluation case: inputs, expectations, output, scores, trace. Works without --genai-version too."""
    runner = request.config.pluginmanager.get_plugin("genaiver-runner")
    if runner is not None and runner.case is not None:
        case: GenaiCase = runner.case
        return case
    from pytest_genaiver.inert import plain_case

    return plain_case(request)


@pytest.fixture(scope="session")
def genai_version(request: pytest.FixtureRequest) -> GenaiVersion:
    """The version of the app that this session evaluates. Works without --genai-version too."""
    runner = request.config.pluginmanager.get_plugin("genaiver-runner")
    if runner is not None:
        version: GenaiVersion = runner.version
        return version
    from pytest_genaiver.inert import plain_version

    return plain_version()
