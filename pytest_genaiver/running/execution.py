"""One execution of one item, from its setup to its teardown; of a target's case from its call on."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from pytest_genaiver.cases import GenaiCase
from pytest_genaiver.collecting.marker import copied
from pytest_genaiver.core.variants import bare_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from pytest_genaiver.adapters.traces.scope import Scope
    from pytest_genaiver.adapters.traces.tracer import Tracer
    from pytest_genaiver.collecting.planned import Planned
    from pytest_genaiver.core.records import Outcome, RepeatRecord
    from pytest_genaiver.running.pool import Call


class Told(Protocol):
    """Who is told of each finished repeat."""

    def __call__(self, item: pytest.Item, records: list[RepeatRecord]) -> None: ...


@dataclass(slots=True, kw_only=True)
class Around:
    """One execution of a test that is no case: what it traces is linked all the same."""

    scope: Scope
    exit: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)


@dataclass(slots=True, kw_only=True)
class Execution(Around):
    """One execution of a case. `call` is that of its target, `printed` what the target printed.

    `seen`: the test has asked for the target's answer, and so was told of its failure. `refused`: nothing was
    called, by the user's own limit. `traced`: what the app answered, where the test names no output. `rationale`: the
    message of an assertion that failed softly.
    """

    planned: Planned
    repeat: int
    case: GenaiCase = field(init=False)
    outcome: Outcome | None = None
    rationale: str | None = None
    call: Call | None = None
    seen: bool = False
    refused: bool = False
    traced: Any = None
    printed: list[str] = field(default_factory=list)

    def answer(self) -> Any:
        """What the target answered; raises what it raised."""
        __tracebackhide__ = True
        self.seen = True
        assert self.call is not None
        return self.call.result().output

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Around the body: one that failed before it asked for the answer leaves it to be scored all the same."""
        try:
            yield
        finally:
            if self.call is not None and self.call.error is None:
                self.case.answered()

    def first_token(self) -> dict[str, float]:
        """Seconds to the first chunk of a stream, as a metric, where the target gave one."""
        answer = self.call.value if self.call is not None and self.call.error is None else None
        return {} if answer is None or answer.first_token is None else {"first_token": answer.first_token}


def begun(execution: Execution, tracer: Tracer) -> Execution:
    """The execution with its case, whose inputs are its own."""
    planned, scope = execution.planned, execution.scope
    execution.case = GenaiCase(
        id=bare_id(planned.case),
        inputs=copied(dict(planned.inputs)),
        expectations=copied(dict(planned.expectations)),
        repeat=execution.repeat,
        trace=lambda: tracer.trace_of(scope),
        answer=None if planned.target is None else execution.answer,
        judging=lambda: tracer.judging(scope),
    )
    return execution
