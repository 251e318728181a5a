"""Which execution, and which part of it, a trace belongs to."""

from __future__ import annotations

import contextlib
import threading
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from pytest_genaiver.adapters.traces.scope import ROLE_TAG, SCOPE_TAG, Role, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlflow.entities import TraceInfo


@dataclass(frozen=True, slots=True)
class Here:
    """What the running code belongs to."""

    scope: Scope
    role: Role


CURRENT: ContextVar[Here | None] = ContextVar("genaiver_here", default=None)


def current() -> Here | None:
    return CURRENT.get()


class Attribution:
    """Every execution of a session, by what the traces carry of it; thread-safe."""

    def __init__(self) -> None:
        self._scopes: dict[str, Scope] = {}
        self._calling: dict[str, Scope] = {}
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def inside(self, scope: Scope, role: Role) -> Iterator[None]:
        """In this thread or task: what is traced within belongs to this execution, in this role."""
        import mlflow

        with self._lock:
            self._scopes[scope.key] = scope
        token = CURRENT.set(Here(scope, role))
        try:
            with mlflow.tracing.context(tags=scope.tags(role)):
                yield
        finally:
            CURRENT.reset(token)

    @contextlib.contextmanager
    def calling(self, scope: Scope) -> Iterator[None]:
        """While its target is called, beside others."""
        with self._lock:
            self._calling[scope.key] = scope
        try:
            yield
        finally:
            with self._lock:
                del self._calling[scope.key]

    def all(self) -> list[Scope]:
        with self._lock:
            return list(self._scopes.values())

    def is_over(self, info: TraceInfo) -> bool:
        """Whether a trace was started by an execution that is closed."""
        scope = self.named(info)
        return scope is not None and scope.closed

    def named(self, info: TraceInfo) -> Scope | None:
        """The execution that the trace's tag names."""
        with self._lock:
            return self._scopes.get(info.tags.get(SCOPE_TAG, ""))

    def place(self, info: TraceInfo, ns: int, here: Here | None) -> tuple[Scope | None, Role | None]:
        """The execution of a trace that started at `ns`, and its role there (None: the time tells).

        `here` is what the thread that ended it belongs to.
        """
        named = self.named(info)
        if named is not None:
            return named, next((r for r in get_args(Role) if r == info.tags.get(ROLE_TAG)), None)
        if here is not None and here.role != "around" and not here.scope.closed:
            return here.scope, here.role
        return self._by_time(ns, here), None

    def _by_time(self, ns: int, here: Here | None) -> Scope | None:
        """A thread that serves many tests, of a server that a fixture started, say: only the time tells whose call it
        is, and not even that where several run side by side.
        """
        with self._lock:
            running = next((s for s in reversed(self._scopes.values()) if s.contains(ns)), None)
            inline = [] if running is None or running.target else [running]
            possible = {s.key: s for s in (*self._calling.values(), *inline)}
        if len(possible) > 1:
            return None
        return next(iter(possible.values()), None) or running or (here.scope if here else None)
