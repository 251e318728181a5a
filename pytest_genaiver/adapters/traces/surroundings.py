"""MLflow's process-wide state: tracking URI, experiment, active model. Set, kept through each test, put back."""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.traces import internals, process_state
from pytest_genaiver.adapters.traces.masking import span_processor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pytest_genaiver.adapters.traces.scope import Destination

# Only where the user has not set them: no batch processor (it drops spans silently), room for open traces (the
# oldest of 1,000 is dropped silently, and what is open for an hour), no network for a price list (offline, litellm's
# import tries for seconds), no emoji link lines in the middle of a test report, and a dead server is given up in
# seconds, not minutes.
_ENVIRONMENT = {
    "MLFLOW_USE_BATCH_SPAN_PROCESSOR": "false",
    "MLFLOW_TRACE_BUFFER_MAX_SIZE": "100000",
    "MLFLOW_TRACE_BUFFER_TTL_SECONDS": "604800",
    "MLFLOW_MODEL_CATALOG_URI": "",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}
_OURS = ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_ID", "MLFLOW_ACTIVE_MODEL_ID")
_ACTIVE_MODELS = ("MLFLOW_ACTIVE_MODEL_ID", "_MLFLOW_ACTIVE_MODEL_ID")
_CHATTY = ("mlflow", "alembic")


def prepare() -> Callable[[], None]:
    """Set environment and log levels before MLflow is used; returns what puts them back."""
    import mlflow  # noqa: F401  # it sets its own log level when it is imported

    before = _environment(*_ENVIRONMENT, *_OURS)
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    levels = {n: logging.getLogger(n).level for n in _CHATTY}
    if "MLFLOW_LOGGING_LEVEL" not in os.environ:
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)

    def put_back() -> None:
        _put_back(before)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)

    return put_back


def _environment(*names: str) -> dict[str, str | None]:
    return {n: os.environ.get(n) for n in names}


def _put_back(environment: Mapping[str, str | None]) -> None:
    for name, value in environment.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextlib.contextmanager
def calm() -> Iterator[None]:
    """Where the user made warnings errors, those that MLflow raises within itself must not stop us."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def linked_to(model_id: str) -> Iterator[None]:
    """What is traced within belongs to another version."""
    import mlflow

    with mlflow.set_active_model(model_id=model_id):
        yield


class Surroundings:
    """MLflow's globals for one session."""

    def __init__(self, to: Destination) -> None:
        self._to = to
        self._exit = contextlib.ExitStack()
        self._processors: list[Any] = []
        self._masking = span_processor(to.mask)

    def enter(self, current: Callable[[], Any]) -> None:
        """`current()` tells whether a test is running in this context."""
        restore = (
            _environment(*_OURS, *_ACTIVE_MODELS),
            process_state.chosen_tracking_uri(),
            process_state.active_experiment(),
            process_state.active_model(),
        )
        self._exit.callback(self._restore, *restore)
        self._exit.enter_context(internals.switching_starts_a_trace(current))
        self.renew()

    def leave(self) -> None:
        self._exit.close()

    def renew(self) -> None:
        """Undo what a test changed: cheap when nothing was, and never a question to the store."""
        import mlflow

        with calm():
            if process_state.chosen_tracking_uri() != self._to.tracking_uri:
                self._set_tracking_uri(self._to.tracking_uri)
            self._processors = process_state.span_processors()
            if self._masking not in self._processors:
                # Those that an app configures replace all others.
                self._processors = [*self._processors, self._masking]
                mlflow.tracing.configure(span_processors=self._processors)
            process_state.set_active_experiment(self._to.experiment_id)
            if self._to.model_id and mlflow.get_active_model_id() != self._to.model_id:
                process_state.set_active_model(self._to.model_id)
        # Threads and child processes know these by the environment alone.
        os.environ["MLFLOW_TRACKING_URI"] = self._to.tracking_uri
        os.environ["MLFLOW_EXPERIMENT_ID"] = self._to.experiment_id
        if self._to.model_id:
            os.environ["MLFLOW_ACTIVE_MODEL_ID"] = self._to.model_id

    def _set_tracking_uri(self, uri: str | None) -> None:
        """MLflow forgets the user's span processors with the URI; what they mask must stay masked."""
        import mlflow

        processors = process_state.span_processors() or self._processors
        mlflow.set_tracking_uri(uri)  # type: ignore[arg-type]
        mlflow.tracing.configure(span_processors=processors)

    def _restore(
        self, environment: Mapping[str, str | None], uri: str | None, experiment: str | None, model: Any
    ) -> None:
        import mlflow

        if process_state.chosen_tracking_uri() != uri:
            self._set_tracking_uri(uri)
        theirs = [p for p in process_state.span_processors() if p is not self._masking]
        mlflow.tracing.configure(span_processors=theirs)
        process_state.set_active_experiment(experiment)
        _put_back(environment)
        process_state.set_active_model(model)
