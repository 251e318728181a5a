"""MLflow's scorers and judges that a test calls in its own body: recognised, and no part of the app.

A scorer's call is recognised by the variable in which MLflow itself notes that one is running: it is set for the
outermost scorer, of every class, whenever that class was made. A judge that is a function (`is_correct`) ends, like
most scorers, in an adapter that asks the model over plain HTTP, which leaves no trace: what it spent is noted there.
"""

from __future__ import annotations

import contextlib
import functools
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.traces.attribution import current
from pytest_genaiver.adapters.traces.reading import Measured

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextvars import ContextVar, Token

    from pytest_genaiver.adapters.traces.scope import Scope

    Judging = Callable[[Scope], contextlib.AbstractContextManager[None]]


def recognise(judging: Judging, paid: Callable[[float], None]) -> Callable[[], None]:
    """From now on the calls of MLflow's scorers and judges in a test's body are a judge's; returns what undoes it.

    `judging` keeps the calls of an execution apart from the app's, `paid` is told of costs that left no trace.
    """
    undo = contextlib.ExitStack()
    if find_spec("mlflow.genai") is not None:  # a part of MLflow that its tracing package lacks
        undo.callback(_scorers(judging))
        undo.callback(_adapters(judging, paid))
    return undo.close


def _in_body() -> Scope | None:
    """The execution whose body is running here; None elsewhere: in a target a scorer guards the app's own answer."""
    here = current()
    if here is None or here.role != "app" or (here.scope.target and here.scope.call_ns is None):
        return None
    return here.scope


def _scorers(judging: Judging) -> Callable[[], None]:
    from mlflow.genai.scorers import base

    before = base._in_scorer_call
    setattr(base, "_in_scorer_call", _Watched(before, judging))  # noqa: B010
    return lambda: setattr(base, "_in_scorer_call", before)


class _Watched:
    """Stands in for MLflow's context variable."""

    def __init__(self, variable: ContextVar[bool], judging: Judging) -> None:
        self._variable = variable
        self._judging = judging

    def get(self) -> bool:
        return self._variable.get()

    def set(self, value: bool) -> tuple[Token[bool], contextlib.ExitStack]:
        inside = contextlib.ExitStack()
        if value and (scope := _in_body()) is not None:
            inside.enter_context(self._judging(scope))
        return self._variable.set(value), inside

    def reset(self, token: tuple[Token[bool], contextlib.ExitStack]) -> None:
        self._variable.reset(token[0])
        token[1].close()


def _adapters(judging: Judging, paid: Callable[[float], None]) -> Callable[[], None]:
    from mlflow.genai.judges.adapters.base_adapter import BaseJudgeAdapter

    before = BaseJudgeAdapter.invoke

    @functools.wraps(before)
    def invoke(adapter: Any, input_params: Any) -> Any:
        with _as_judge(judging) as scope:
            traced = scope.judged().calls if scope is not None else 0
            output = before(adapter, input_params)
            if scope is not None and scope.judged().calls == traced:
                spent = _spent(output)
                scope.untraced.append(spent)
                paid(spent.cost or 0.0)
            return output

    setattr(BaseJudgeAdapter, "invoke", invoke)  # noqa: B010
    return lambda: setattr(BaseJudgeAdapter, "invoke", before)


@contextlib.contextmanager
def _as_judge(judging: Judging) -> Iterator[Scope | None]:
    """Yields whose test's body asks the judge; None where it is not a body that asks."""
    here, scope = current(), _in_body()
    if scope is not None:
        with judging(scope):
            yield scope
    else:
        yield here.scope if here is not None and here.role == "judge" else None


def _spent(output: Any) -> Measured:
    asked, answered = output.num_prompt_tokens, output.num_completion_tokens
    known = asked is not None and answered is not None
    return Measured(
        input_tokens=asked,
        output_tokens=answered,
        total_tokens=asked + answered if known else None,
        cost=output.cost,
        calls=1,
        calls_without_usage=0 if known else 1,
    )
