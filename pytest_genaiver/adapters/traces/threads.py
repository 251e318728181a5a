"""Threads belong to the execution that started them.

A thread starts with an empty context, so what it traces carries no test. Where calls run side by side the time does
not tell whose it is either. Only our own variable is handed on: the app's context variables stay as Python has them.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import ContextVar

T = TypeVar("T")


def inherit(variable: ContextVar[T | None]) -> Callable[[], None]:
    """Hand `variable` on to threads and to the work of thread pools; returns what undoes it."""
    start, submit = threading.Thread.start, ThreadPoolExecutor.submit

    def started(thread: threading.Thread) -> None:
        value = variable.get()
        if value is not None:
            _replace(thread, "run", _setting(variable, value, thread.run))
        start(thread)

    def submitted(pool: ThreadPoolExecutor, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        # Set even where there is nothing to hand on: the worker may have been started by another execution.
        return submit(pool, _setting(variable, variable.get(), work), *args, **kwargs)

    _replace(threading.Thread, "start", started)
    _replace(ThreadPoolExecutor, "submit", submitted)

    def undo() -> None:
        _replace(threading.Thread, "start", start)
        _replace(ThreadPoolExecutor, "submit", submit)

    return undo


def _setting(variable: ContextVar[T | None], value: T | None, work: Callable[..., Any]) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        token = variable.set(value)
        try:
            return work(*args, **kwargs)
        finally:
            variable.reset(token)

    return run


def _replace(owner: object, name: str, value: object) -> None:
    setattr(owner, name, value)
