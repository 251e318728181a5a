"""Messages between two processes: whole, in order, and a side that is gone is noticed."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.twin.channel import Channel, Closed

if TYPE_CHECKING:
    from collections.abc import Iterator

Ends = tuple[Channel, Channel]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """Two sides that talk to each other."""
    there, here = os.pipe(), os.pipe()
    one, other = Channel(here[0], there[1]), Channel(there[0], here[1])
    yield one, other
    one.close()
    other.close()


def test_messages_come_whole_and_in_order(ends: Ends) -> None:
    one, other = ends
    one.send({"text": "a\nb", "number": 1})
    one.send({"text": "ü"})
    assert other.receive() == {"text": "a\nb", "number": 1}
    assert other.receive(1.0) == {"text": "ü"}
    other.send({"do": "it"})
    assert one.receive(1.0) == {"do": "it"}


def test_a_message_larger_than_a_pipe_arrives(ends: Ends) -> None:
    one, other = ends
    text = "x" * 1_000_000
    sender = threading.Thread(target=one.send, args=({"text": text},))
    sender.start()
    assert other.receive() == {"text": text}
    sender.join()


def test_silence_is_none_after_the_time(ends: Ends) -> None:
    assert ends[0].receive(0.0) is None


def test_a_side_that_is_gone_is_noticed_by_who_waits_and_by_who_sends(ends: Ends) -> None:
    one, other = ends
    other.close()
    with pytest.raises(Closed):
        one.receive()
    with pytest.raises(Closed):
        one.send({"do": "it"})
