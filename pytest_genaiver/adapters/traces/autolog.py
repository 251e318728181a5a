"""Tracing of the LLM client libraries that the session uses, from their first call on."""

from __future__ import annotations

import importlib
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.traces import internals
from pytest_genaiver.adapters.traces.imports import ImportHook
from pytest_genaiver.adapters.traces.surroundings import calm
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

_log = logging.getLogger("pytest_genaiver")

# MLflow traces these too, but its table of GenAI flavours leaves them out.
_ALSO = {"litellm": "litellm", "haystack": "haystack"}


def flavours() -> dict[str, str]:
    """MLflow flavour -> the module whose import turns its tracing on."""
    return {**internals.genai_modules(), **_ALSO}


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
        # Flavour -> the configuration that we made: what the user changed since is the user's.
        self._enabled: dict[str, dict[str, Any]] = {}

    def enable(self) -> None:
        self._hook.install()

    def disable(self) -> None:
        self._hook.uninstall()
        for flavour, ours in self._enabled.items():
            self._told(flavour, "stop tracing", partial(self._off, flavour, ours))
        self._enabled = {}

    def _turn_on(self, flavour: str) -> None:
        self._told(flavour, "trace", partial(self._on, flavour))

    def _on(self, flavour: str) -> None:
        autolog, name = _integration(flavour)
        # What the user configured stays as it is, switched off included.
        if not internals.autologging(name):
            autolog(silent=True)
            self._enabled[flavour] = dict(internals.autologging(name))

    def _off(self, flavour: str, ours: dict[str, Any]) -> None:
        autolog, name = _integration(flavour)
        if internals.autologging(name) == ours:
            autolog(disable=True, silent=True)
            # As if `autolog` had never been called: else a later session would take it for the user's wish.
            internals.autologging(name).clear()

    def _told(self, flavour: str, doing: str, action: partial[None]) -> None:
        """A library that MLflow cannot trace must not break the import, or the session, that uses it."""
        try:
            with calm():
                action()
        except Exception as error:
            _log.warning("MLflow could not %s %s: %s", doing, flavour, error)


def _integration(flavour: str) -> tuple[Any, str]:
    """The flavour's `autolog` function, and the name under which MLflow keeps its configuration."""
    autolog = importlib.import_module(f"mlflow.{flavour}").autolog
    return autolog, getattr(autolog, "integration_name", flavour)
