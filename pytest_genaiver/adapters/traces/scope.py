"""Which traces belong to which execution of a test."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from pytest_genaiver.adapters.traces.reading import Measured, measure, together
from pytest_genaiver.adapters.traces.storable import annotate
from pytest_genaiver.core.secrets import Mask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlflow.entities import Trace, TraceInfo

    from pytest_genaiver.adapters.traces.hold import Held

SCOPE_TAG = "genaiver.scope"
ROLE_TAG = "genaiver.role"

Role = Literal["around", "app", "judge", "scorer"]
"""What a call of an execution is: of its fixtures, of the app under test, of a judge that the test itself asks, or of
a scorer that the session asks."""


@dataclass(slots=True, eq=False)
class Scope:
    """One execution of one test, as tracing sees it.

    `request_id` pairs repeats of two versions in MLflow's own comparison; None for a test that is no case.
    The window from `start_ns` to `end_ns`, in which the test itself runs, attributes traces of threads that carry no
    context. `call_ns` is when the app was called: within the test's body, or ahead of it by its `target`, whose
    latency is then this window, unless it failed: no answer has no latency. `untraced`: what judges in the body did
    without a trace. `notes`: attributes that its root span gets in the end. `model_id`: another version than the
    session's. `row_tags`: those of its row of `data=`.
    """

    key: str
    test_name: str
    case_id: str | None = None
    request_id: str | None = None
    model_id: str | None = None
    target: bool = False
    failed: bool = False
    row_tags: Mapping[str, str] = field(default_factory=dict)
    start_ns: int | None = None
    end_ns: int | None = None
    call_ns: tuple[int, int] | None = None
    root_id: str | None = None
    held: list[Held] = field(default_factory=list)
    feedback: dict[str | None, list[Any]] = field(default_factory=dict)
    closed: bool = False
    untraced: list[Measured] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)

    def tags(self, role: Role) -> dict[str, str]:
        """Tags for every trace that starts within this scope (MLflow's own names for tests)."""
        return {SCOPE_TAG: self.key, ROLE_TAG: role, **self.test_tags()}

    def test_tags(self) -> dict[str, str]:
        tags = {**self.row_tags, "mlflow.test.name": self.test_name}
        if self.case_id is not None:
            tags["mlflow.test.case_id"] = self.case_id
        return tags

    def contains(self, ns: int) -> bool:
        return self.start_ns is not None and self.start_ns <= ns and (self.end_ns is None or ns <= self.end_ns)

    def role_of(self, held: Held) -> Role:
        """By the time where a trace carries none: that of a thread without context."""
        if held.role is not None:
            return held.role
        in_call = self.call_ns is not None and self.call_ns[0] <= held.start_ns <= self.call_ns[1]
        return "app" if in_call else "around"

    def measure(self, model_id: str | None, root: Trace | None) -> Measured:
        """What the app did. Calls of fixtures, of judges, and of another version, are not this case's."""
        found = measure(root, self.others(model_id))
        if not self.target:
            return found
        if self.call_ns is None or self.failed:
            return replace(found, latency=None)
        return replace(found, latency=(self.call_ns[1] - self.call_ns[0]) / 1e9)

    def others(self, model_id: str | None) -> list[Trace]:
        """The app's traces beside the root: of threads, and of contexts that do not inherit the test's."""
        return self._traces_for(self.model_id or model_id)

    def _traces_for(self, version: str | None) -> list[Trace]:
        return [
            h.trace
            for h in self.held
            if self.role_of(h) == "app"
            and h.trace_id != self.root_id
            and h.trace.info.trace_metadata.get("mlflow.modelId") == version
        ]

    def measure_for(self, model_id: str) -> Measured:
        """What the app did for another version."""
        return measure(None, self._traces_for(model_id))

    def judged(self) -> Measured:
        """What judges did for this execution: those that the test asked, and those of its scorers."""
        traced = measure(None, [h.trace for h in self.held if self.role_of(h) in ("judge", "scorer")])
        return together([*([traced] if traced.calls else []), *self.untraced])

    def root_trace(self) -> Trace | None:
        return next((h.trace for h in self.held if h.trace_id == self.root_id), None)

    def end(self, feedback: Sequence[Any], others: Mapping[str, Sequence[Any]]) -> None:
        """The execution is over, and scored; `others` maps the model id of another version to its feedback."""
        self.feedback = {self.carrier(): list(feedback)}
        for model_id, given in others.items():
            self.feedback.setdefault(self.carrier(model_id), []).extend(given)
        self.closed = True
        root = next((h for h in self.held if h.trace_id == self.root_id), None)
        if root is not None and not (root.started or root.leaving):
            annotate(root.trace, self.notes)

    def carrier(self, model_id: str | None = None) -> str | None:
        """The trace that scores ride on: the root, where there is none the first of this execution.

        Those of another version ride on its own first trace, where it has one.
        """
        own = self._traces_for(model_id) if model_id is not None else []
        if own:
            return own[0].info.trace_id
        return self.root_id or (self.held[0].trace_id if self.held else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where the session's traces go, the version they belong to, and what masks the secrets in them."""

    tracking_uri: str
    experiment_id: str
    model_id: str | None
    run_id: str | None
    mask: Mask = field(default_factory=Mask)


@dataclass(slots=True, kw_only=True)
class Count:
    """Traces produced by this process; `missing`: those that could not be written -> the test they came from.

    `seen`: model id of a version -> what its calls show of its configuration, as `Observed.to_json` gives it.
    """

    produced: int = 0
    missing: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    seen: dict[str, Any] = field(default_factory=dict)


def link(info: TraceInfo, scope: Scope | None, to: Destination) -> None:
    """Link a trace to its version and its test. One of a thread carries neither; one made in
    `with mlflow.set_active_model(...)` keeps the version that it names.
    """
    info.tags.pop(SCOPE_TAG, None)
    info.tags.pop(ROLE_TAG, None)
    if to.model_id is not None:
        info.trace_metadata.setdefault("mlflow.modelId", to.model_id)
    if scope is not None:
        info.tags.update(scope.test_tags())
        # Calls that run side by side on one event loop share MLflow's active model, the session's own.
        if scope.model_id and info.trace_metadata.get("mlflow.modelId") == to.model_id:
            info.trace_metadata["mlflow.modelId"] = scope.model_id


def complete(info: TraceInfo, scope: Scope | None, to: Destination) -> None:
    """Link a trace to the session's experiment and run too, wherever the test made MLflow point."""
    from mlflow.entities import TraceLocation

    link(info, scope, to)
    info.trace_location = TraceLocation.from_experiment_id(to.experiment_id)
    _set(info.trace_metadata, {"mlflow.sourceRun": to.run_id})
    if scope is not None and info.trace_id == scope.root_id:
        _set(info.tags, {"mlflow.eval.requestId": scope.request_id})


def _set(target: dict[str, str], values: Mapping[str, str | None]) -> None:
    target.update({k: v for k, v in values.items() if v is not None})
