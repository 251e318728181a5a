from __future__ import annotations

import contextlib
import io
import sys
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.running.prints import Prints

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def prints() -> Iterator[Prints]:
    made = Prints()
    yield made
    made.untap()


@contextlib.contextmanager
def streams() -> Iterator[tuple[io.StringIO, io.StringIO]]:
    """Of the test's own: pytest puts its streams in place after the fixtures are up."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        yield out, err


def execution() -> Any:
    return SimpleNamespace(printed=[])


def test_what_a_call_prints_is_kept_with_it_and_all_else_goes_on(prints: Prints) -> None:
    one = execution()
    with streams() as both:
        prints.tap()
        print("before")
        with prints.into(one):
            print("within")
            print("also", file=sys.stderr)
        print("after", file=sys.stderr)
    assert "".join(one.printed) == "within\nalso\n"
    assert [stream.getvalue() for stream in both] == ["before\n", "after\n"]


def test_calls_on_other_threads_keep_their_own(prints: Prints) -> None:
    calls = [execution(), execution()]
    meet = threading.Barrier(3)

    def call(number: int) -> None:
        with prints.into(calls[number]):
            meet.wait(5)
            print(number)

    threads = [threading.Thread(target=call, args=(n,)) for n in range(2)]
    with streams() as (out, _):
        prints.tap()
        for thread in threads:
            thread.start()
        meet.wait(5)
        print("the test's")
        for thread in threads:
            thread.join()
    assert ["".join(each.printed) for each in calls] == ["0\n", "1\n"]
    assert out.getvalue() == "the test's\n"


def test_streams_that_pytest_exchanges_are_tapped_again_and_each_once(prints: Prints) -> None:
    one = execution()
    with streams():
        prints.tap()
        with streams() as (other, _):
            prints.tap()
            prints.tap()
            with prints.into(one):
                print("once")
    assert one.printed == ["once", "\n"]
    assert other.getvalue() == ""


def test_untapped_streams_are_as_before(prints: Prints) -> None:
    one = execution()
    with streams() as (out, _):
        prints.tap()
        prints.untap()
        with prints.into(one):
            print("on its way")
    assert (one.printed, out.getvalue()) == ([], "on its way\n")
    assert "write" not in vars(out)


class Sealed:
    """A stream that nobody may change."""

    __slots__ = ()

    def write(self, text: str) -> int:
        return len(text)


def test_a_stream_that_refuses_stays_as_it_is(prints: Prints, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Sealed())
    monkeypatch.setattr(sys, "stderr", None)
    one = execution()
    prints.tap()
    with prints.into(one):
        sys.stdout.write("lost")
    prints.untap()
    assert one.printed == []
