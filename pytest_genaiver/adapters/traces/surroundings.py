"""MLflow's process-wide state: tracking URI, experiment, active model. Set, kept through each test, put back.

Private to MLflow here: `_active_experiment_id`, and `ActiveModel.__enter__`/`__exit__`, wrapped so that
`with mlflow.set_active_model(...)` inside a test starts a trace of its own (a trace's version is fixed when it
starts). `tests/adapters/traces/test_canary.py` fails when one of them moves.
"""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_genaiver.adapters.traces.scope import Destination

# Only where the user has not set them: no batch processor (it drops spans silently), no network for a price
# list, no emoji link lines in the middle of a test report, and a dead server is given up in seconds, not minutes.
_ENVIRONMENT = {
    "MLFLOW_USE_BATCH_SPAN_PROCESSOR": "false",
    "MLFLOW_MODEL_CATALOG_URI": "",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}
_CHATTY = ("mlflow", "alembic")


def prepare() -> Callable[[], None]:
    """Set environment and log levels before MLflow is used; returns what puts them back."""
    names = [*_ENVIRONMENT, "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_ID", "MLFLOW_ACTIVE_MODEL_ID"]
    before = {n: os.environ.get(n) for n in names}
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    levels = {n: logging.getLogger(n).level for n in _CHATTY}
    if "MLFLOW_LOGGING_LEVEL" not in os.environ:
        import mlflow  # noqa: F401  # it sets its own level when it is imported

        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)

    def put_back() -> None:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)

    return put_back


@contextlib.contextmanager
def calm() -> Iterator[None]:
    """Where the user made warnings errors, those that MLflow raises within itself must not stop us."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class Surroundings:
    """MLflow's globals for one session."""

    def __init__(self, to: Destination) -> None:
        self._to = to
        self._exit = contextlib.ExitStack()

    def enter(self, current: Callable[[], Any]) -> None:
        """`current()` tells whether a test is running in this context."""
        from mlflow.tracking import fluent
        from mlflow.tracking._tracking_service import utils

        uri, experiment = utils._tracking_uri, fluent._active_experiment_id
        self._exit.callback(self._restore, uri, experiment)
        self._exit.enter_context(_switching_starts_a_trace(current))
        self.renew()

    def leave(self) -> None:
        self._exit.close()

    def renew(self) -> None:
        """Undo what a test changed: cheap when nothing was."""
        with calm():
            self._renew()

    def _renew(self) -> None:
        import mlflow
        from mlflow.tracking import fluent

        if mlflow.get_tracking_uri() != self._to.tracking_uri:
            mlflow.set_tracking_uri(self._to.tracking_uri)
        if fluent._active_experiment_id != self._to.experiment_id:
            mlflow.set_experiment(experiment_id=self._to.experiment_id)
        if self._to.model_id and mlflow.get_active_model_id() != self._to.model_id:
            mlflow.set_active_model(model_id=self._to.model_id)
        if self._to.model_id:
            # Threads and child processes know the active model by the environment alone.
            os.environ["MLFLOW_ACTIVE_MODEL_ID"] = self._to.model_id

    def _restore(self, uri: str | None, experiment: str | None) -> None:
        import mlflow
        from mlflow.tracking import fluent

        os.environ.pop("MLFLOW_ACTIVE_MODEL_ID", None)
        mlflow.clear_active_model()
        setattr(fluent, "_active_experiment_id", experiment)  # noqa: B010
        mlflow.set_tracking_uri(uri)  # type: ignore[arg-type]


@contextlib.contextmanager
def _switching_starts_a_trace(current: Callable[[], Any]) -> Iterator[None]:
    from mlflow import ActiveModel
    from mlflow.tracing import provider
    from opentelemetry.context import Context

    contexts: Any = provider.get_context_api

    enter: Any = ActiveModel.__enter__
    leave: Any = ActiveModel.__exit__
    tokens: dict[int, Any] = {}

    def detached_enter(model: ActiveModel) -> Any:
        if current() is not None:
            tokens[id(model)] = contexts().attach(Context())
        return enter(model)

    def detached_exit(model: ActiveModel, *exc: Any) -> Any:
        if (token := tokens.pop(id(model), None)) is not None:
            contexts().detach(token)
        return leave(model, *exc)

    _replace(ActiveModel, detached_enter, detached_exit)
    try:
        yield
    finally:
        _replace(ActiveModel, enter, leave)


def _replace(model: Any, enter: Callable[..., Any], leave: Callable[..., Any]) -> None:
    model.__enter__, model.__exit__ = enter, leave
