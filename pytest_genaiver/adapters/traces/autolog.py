"""Tracing of the LLM client libraries that the session uses, from their first call on."""

from __future__ import annotations

import contextlib
import importlib
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.traces.imports import ImportHook
from pytest_genaiver.adapters.traces.surroundings import calm
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_log = logging.getLogger("pytest_genaiver")

# MLflow traces these too, but its table of GenAI flavours leaves them out.
_ALSO = {"litellm": "litellm", "haystack": "haystack"}


def flavours() -> dict[str, str]:
    """MLflow flavour -> the module whose import turns its tracing on."""
    from mlflow.ml_package_versions import GENAI_FLAVOR_TO_MODULE_NAME

    return {**GENAI_FLAVOR_TO_MODULE_NAME, **_ALSO}


class Autolog:
    """Turns tracing on for each wanted library when it is imported, be it within a test; undone by `disable`."""

    def __init__(self, wanted: Sequence[str] | None) -> None:
        """`wanted`: MLflow flavours; None is all of them. Raises ConfigError for a flavour MLflow does not trace."""
        known = flavours()
        for name in wanted or ():
            if name not in known:
                names = ", ".join(sorted(known))
                raise ConfigError(f"genai_autolog: MLflow does not trace {name!r}; allowed: none or any of {names}")
        modules = {m: f for f, m in known.items() if wanted is None or f in wanted}
        self._hook = ImportHook({m: partial(self._turn_on, f) for m, f in modules.items()})
        self._enabled: list[Callable[..., Any]] = []

    def enable(self) -> None:
        self._hook.install()

    def disable(self) -> None:
        self._hook.uninstall()
        while self._enabled:
            with contextlib.suppress(Exception):
                self._enabled.pop()(disable=True, silent=True)

    def _turn_on(self, flavour: str) -> None:
        try:
            with calm():
                self._call(flavour)
        except Exception as error:
            _log.warning("MLflow could not trace %s: %s", flavour, error)

    def _call(self, flavour: str) -> None:
        from mlflow.utils.autologging_utils import AUTOLOGGING_INTEGRATIONS

        autolog = importlib.import_module(f"mlflow.{flavour}").autolog
        # What the user configured stays as it is, switched off included.
        if not AUTOLOGGING_INTEGRATIONS.get(getattr(autolog, "integration_name", flavour)):
            autolog(silent=True)
            self._enabled.append(autolog)
