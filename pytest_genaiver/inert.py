"""The fixtures without `--genai-version`: the same objects, recording nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_genaiver.cases import GenaiCase, GenaiVersion
from pytest_genaiver.core.results import Version
from pytest_genaiver.errors import ConfigError
from pytest_genaiver.marker import case_id, case_inputs, read_marker

if TYPE_CHECKING:
    import pytest


def plain_case(item: pytest.Item) -> GenaiCase:
    """Raises ConfigError for a test that is not marked, or whose marker cannot be used."""
    options = read_marker(item)
    if options is None:
        raise ConfigError(f"{item.nodeid}: genai_case needs @pytest.mark.genai_eval on the test")
    inputs, expectations = case_inputs(item, options)
    return GenaiCase(id=case_id(item, None, options.variant_params), inputs=inputs, expectations=expectations)


def plain_version() -> GenaiVersion:
    return GenaiVersion(Version(name="local-dev", app="local-dev"))
