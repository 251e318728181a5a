"""How a target is found, called and listened to."""

from __future__ import annotations

import asyncio
import io
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.errors import ConfigError
from pytest_genaiver.running.targets import Answer, arguments, ask, checked, imported, is_path, lacking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterator


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)


def answer(target: Any, *args: Any, **kwargs: Any) -> Answer:
    return ask(target, args, kwargs, run)


@pytest.mark.parametrize(
    ("target", "expected"), [("app:ask", True), ("app.sub:Agent.ask", True), ("agent", False), (print, False)]
)
def test_a_path_has_a_colon_and_all_other_text_is_a_fixtures_name(target: Any, expected: bool) -> None:
    assert is_path(target) is expected


def test_a_path_is_imported_down_to_an_attribute() -> None:
    assert imported("json:dumps") is __import__("json").dumps
    assert imported("collections:OrderedDict.fromkeys")("a") == {"a": None}


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("json:nothing", "cannot be imported: module 'json' has no attribute 'nothing'"),
        ("no_such_module:f", "cannot be imported: No module named 'no_such_module'"),
        ("json:", "cannot be used; write 'package.module:function', or a fixture's name"),
        ("a b:c", "cannot be used; write 'package.module:function', or a fixture's name"),
        ("json:__name__", "is str, which cannot be called; give a function"),
    ],
)
def test_a_path_that_leads_nowhere_is_named(path: str, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        imported(path)
    assert str(caught.value) == f"target={path!r} {why}"


def test_what_cannot_be_called_is_named() -> None:
    assert checked(print, "x") is print
    with pytest.raises(ConfigError, match="agent is int, which cannot be called"):
        checked(3, "agent")


def plain(question: str, *, tone: str = "calm") -> str:
    return f"{question} {tone}"


def everything(question: str, **rest: Any) -> Any:
    return question, rest


def positional(question: str, /, other: int = 0) -> Any:
    return question, other


class Agent:
    def __call__(self, question: str) -> str:
        return question

    def ask(self, question: str) -> str:
        return question


INPUTS = {"question": "q", "tone": "loud", "topic": "t"}


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (plain, ([], {"question": "q", "tone": "loud"})),
        (everything, ([], INPUTS)),
        (positional, (["q"], {})),
        (Agent(), ([], {"question": "q"})),
        (Agent().ask, ([], {"question": "q"})),
        (partial(plain, tone="soft"), ([], {"question": "q", "tone": "loud"})),
        (dict, ([], INPUTS)),
    ],
)
def test_a_target_is_given_those_inputs_that_its_signature_takes(target: Any, expected: Any) -> None:
    assert arguments(target, INPUTS) == expected


def test_the_one_value_of_a_row_is_the_targets_one_argument() -> None:
    assert arguments(plain, {"input": 3}, scalar=True) == ([3], {})
    assert lacking(plain, {"input": 3}, scalar=True) == []
    assert lacking(lambda a, b: a, {"input": 3}, scalar=True) == ["b"]


def test_arguments_that_the_inputs_lack_are_named() -> None:
    assert lacking(plain, {}) == ["question"]
    assert lacking(everything, {"question": 1}) == []
    assert lacking(dict, {}) == []


async def answers(question: str) -> str:
    await asyncio.sleep(0)
    return question


def late(question: str) -> Any:
    return answers(question)


def chunks() -> Iterator[str]:
    time.sleep(0.02)
    yield from ("a", "b")
    time.sleep(0.05)


async def async_chunks() -> AsyncIterator[str]:
    for chunk in ("a", "b"):
        await asyncio.sleep(0.001)
        yield chunk


async def async_chunks_later() -> AsyncIterator[str]:
    return async_chunks()


@pytest.mark.parametrize(
    ("target", "args", "output"),
    [
        (plain, ["q"], "q calm"),
        (answers, ["q"], "q"),
        (late, ["q"], "q"),
        (chunks, [], "ab"),
        (async_chunks, [], "ab"),
        (async_chunks_later, [], "ab"),
        (lambda: iter([1, "a"]), [], [1, "a"]),
        (lambda: iter(()), [], []),
        (lambda: [1, 2], [], [1, 2]),
    ],
)
def test_an_answer_is_waited_for_and_collected(target: Any, args: list[Any], output: Any) -> None:
    assert answer(target, *args).output == output


def test_the_first_token_is_timed_where_the_answer_is_a_stream() -> None:
    first = answer(chunks).first_token
    assert first is not None
    assert 0.02 <= first < 0.07
    assert answer(async_chunks).first_token is not None
    assert answer(plain, "q").first_token is None
    assert answer(lambda: iter(())).first_token is None


def test_an_open_file_is_an_answer_and_no_stream() -> None:
    file = io.StringIO("a\nb")
    assert answer(lambda: file).output is file
