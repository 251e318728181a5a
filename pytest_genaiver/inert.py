"""The fixtures without `--genai-version`: the same objects, recording nothing."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from pytest_genaiver.cases import GenaiCase, GenaiVersion, using
from pytest_genaiver.collecting.case_ids import case_id
from pytest_genaiver.collecting.marker import case_inputs, copied, read_marker
from pytest_genaiver.collecting.row_parameter import is_one_value
from pytest_genaiver.collecting.version_parameter import version_of
from pytest_genaiver.core.results import Version
from pytest_genaiver.errors import ConfigError
from pytest_genaiver.running.targets import arguments, ask, checked, imported, is_path

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    import pytest


def plain_case(request: pytest.FixtureRequest) -> GenaiCase:
    """Raises ConfigError for a test that is not marked, or whose marker cannot be used."""
    item: pytest.Item = request.node
    options = read_marker(item)
    if options is None:
        raise ConfigError(f"{item.nodeid}: genai_case needs @pytest.mark.genai_eval on the test")
    inputs, expectations = case_inputs(item, options)
    if (version := version_of(item)) is not None:
        switched = contextlib.ExitStack()
        switched.enter_context(using(version))
        request.addfinalizer(switched.close)
    answer = None if options.target is None else _Answer(request, options.target, inputs)
    return GenaiCase(
        id=case_id(item, None, options.variant_params), inputs=inputs, expectations=expectations, answer=answer
    )


class _Answer:
    """Calls the target when its answer is first asked for, in the test itself; what it raised is raised each time."""

    def __init__(self, request: pytest.FixtureRequest, target: Any, inputs: Mapping[str, Any]) -> None:
        self._request = request
        self._target = target
        self._inputs = inputs
        self._scalar = is_one_value(request.node, inputs)
        self._error: Exception | None = None

    def __call__(self) -> Any:
        if self._error is None:
            target = self._function()
            try:
                args, kwargs = arguments(target, copied(self._inputs), scalar=self._scalar)
                return ask(target, args, kwargs, _to_its_end).output
            except Exception as error:
                self._error = error
        raise self._error

    def _function(self) -> Callable[..., Any]:
        if is_path(self._target):
            return imported(self._target)
        found = self._request.getfixturevalue(self._target) if isinstance(self._target, str) else self._target
        return checked(found, f"{self._request.node.nodeid}: target")


def _to_its_end(coroutine: Coroutine[Any, Any, Any]) -> Any:
    # On a thread: the test may have an event loop of its own.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def plain_version() -> GenaiVersion:
    return GenaiVersion(Version(name="local-dev", app="local-dev"))
