"""MLflow's private names for its process-wide state, each behind one function; the canary tests watch them too."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlflow.entities import LiveSpan


def chosen_tracking_uri() -> str | None:
    """The tracking URI that was set in code; None where MLflow resolves it from the environment."""
    from mlflow.tracking._tracking_service import utils

    uri: str | None = utils._tracking_uri
    return uri


def active_experiment() -> str | None:
    from mlflow.tracking import fluent

    return fluent._active_experiment_id


def set_active_experiment(experiment_id: str | None) -> None:
    """As `mlflow.set_experiment`, without asking the store: a dead server must not fail a test's setup."""
    from mlflow.tracking import fluent

    setattr(fluent, "_active_experiment_id", experiment_id)  # noqa: B010


def active_model() -> Any:
    """The active model as MLflow holds it for this thread, to be given back to `set_active_model`."""
    from mlflow.tracking import fluent

    return fluent._ACTIVE_MODEL_CONTEXT.get()


def set_active_model(model: Any) -> None:
    """`model`: a model id, or what `active_model` returned. As MLflow's own function, without asking the store."""
    from mlflow.tracking import fluent

    context = fluent.ActiveModelContext(model, set_by_user=True) if isinstance(model, str) else model
    fluent._ACTIVE_MODEL_CONTEXT.reset()
    fluent._ACTIVE_MODEL_CONTEXT.set(context)


@contextlib.contextmanager
def thread_model(model_id: str | None) -> Iterator[None]:
    """Make a version the active one of this thread alone; None leaves it as it is."""
    from mlflow.tracking import fluent

    if model_id is None:
        yield
        return
    before = fluent._ACTIVE_MODEL_CONTEXT.get()
    fluent._ACTIVE_MODEL_CONTEXT.set(fluent.ActiveModelContext(model_id, set_by_user=True))
    try:
        yield
    finally:
        fluent._ACTIVE_MODEL_CONTEXT.set(before)


def span_processors() -> list[Callable[[LiveSpan], None]]:
    """The user's `mlflow.tracing.configure(span_processors=...)`, which a change of tracking URI forgets."""
    from mlflow.tracing.config import get_config

    return list(get_config().span_processors)
