"""What a case's marker names as its target: found, called with the case's inputs, its answer collected."""

from __future__ import annotations

import importlib
import inspect
import io
import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_genaiver.core.rows import INPUT
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    Run = Callable[[Coroutine[Any, Any, Any]], Any]

_IMPORT = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a target gave. `first_token`: seconds to the first chunk of a stream, None for an answer in one piece."""

    output: Any
    first_token: float | None = None


def is_path(target: object) -> bool:
    """Whether a target is given as ``package.module:function``; other text is the name of a fixture."""
    return isinstance(target, str) and ":" in target


def imported(path: str) -> Callable[..., Any]:
    """The function that ``package.module:function`` names. Raises ConfigError."""
    if not _IMPORT.fullmatch(path):
        raise ConfigError(f"target={path!r} cannot be used; write 'package.module:function', or a fixture's name")
    module, _, name = path.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"target={path!r} cannot be imported: {error}") from error
    return checked(found, f"target={path!r}")


def checked(target: Any, what: str) -> Callable[..., Any]:
    """The target itself. Raises ConfigError where it cannot be called."""
    if not callable(target):
        raise ConfigError(f"{what} is {type(target).__name__}, which cannot be called; give a function")
    found: Callable[..., Any] = target
    return found


def arguments(
    target: Callable[..., Any], inputs: Mapping[str, Any], *, scalar: bool = False
) -> tuple[list[Any], dict[str, Any]]:
    """Positional and keyword arguments: of the inputs those that the signature takes.

    With `scalar` the one input is the target's one argument, whatever its name.
    """
    if scalar:
        return [inputs[INPUT]], {}
    parameters = _parameters(target)
    if parameters is None or any(p.kind is p.VAR_KEYWORD for p in parameters):
        return [], dict(inputs)
    first = [inputs[p.name] for p in parameters if p.kind is p.POSITIONAL_ONLY and p.name in inputs]
    named = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    return first, {name: value for name, value in inputs.items() if name in named}


def lacking(target: Callable[..., Any], inputs: Mapping[str, Any], *, scalar: bool = False) -> list[str]:
    """The arguments that the target needs and the inputs do not hold."""
    needed = [
        p.name
        for p in _parameters(target) or ()
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    return needed[1:] if scalar else [name for name in needed if name not in inputs]


def _parameters(target: Callable[..., Any]) -> list[inspect.Parameter] | None:
    """None for a callable that does not tell, such as one written in C."""
    try:
        return list(inspect.signature(target).parameters.values())
    except (TypeError, ValueError):
        return None


def ask(target: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], run: Run) -> Answer:
    """Call the target and collect what it gives; `run` runs a coroutine to its end."""
    start = time.perf_counter()
    given = target(*args, **kwargs)
    if inspect.isawaitable(given):
        given = run(_awaited(given))
    if isinstance(given, AsyncIterator):
        answer: Answer = run(_collected_async(given, start))
        return answer
    if isinstance(given, Iterator) and not isinstance(given, io.IOBase):
        return _collected(given, start)
    return Answer(output=given)


async def _awaited(given: Any) -> Any:
    return await given


async def _collected_async(chunks: AsyncIterator[Any], start: float) -> Answer:
    found, first = [], None
    async for chunk in chunks:
        if first is None:
            first = time.perf_counter() - start
        found.append(chunk)
    return Answer(output=_joined(found), first_token=first)


def _collected(chunks: Iterator[Any], start: float) -> Answer:
    found, first = [], None
    for chunk in chunks:
        if first is None:
            first = time.perf_counter() - start
        found.append(chunk)
    return Answer(output=_joined(found), first_token=first)


def _joined(chunks: list[Any]) -> Any:
    """Text in pieces is one text; other pieces stay a list."""
    if chunks and all(isinstance(chunk, str) for chunk in chunks):
        return "".join(chunks)
    return chunks
