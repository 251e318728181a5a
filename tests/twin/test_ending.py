"""What ends a session that has a twin."""

from __future__ import annotations

import signal
import threading

import pytest

from pytest_genaiver.twin.ending import ended_in_order


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_session_that_is_told_to_end_is_interrupted(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt), ended_in_order():
        signal.raise_signal(number)
    assert signal.getsignal(number) is signal.SIG_DFL


def test_whoever_handles_a_signal_goes_on_to_handle_it() -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: seen.append(number))
    try:
        with ended_in_order():
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert seen == [signal.SIGTERM]


def test_on_another_thread_nothing_can_be_handled_and_nothing_is() -> None:
    def enter() -> None:
        with ended_in_order():
            found.append(signal.getsignal(signal.SIGTERM))

    found: list[object] = []
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert found == [signal.SIG_DFL]
