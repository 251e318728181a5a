"""A session that has a twin and a temporary work tree is ended in order, also by those who do not press Ctrl-C."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def ended_in_order() -> Iterator[None]:
    """SIGTERM and SIGHUP interrupt the session as Ctrl-C does, unless somebody handles them already.

    Left alone they would end the process at once; an exception other than Ctrl-C's would be one test's failure.
    """
    here = threading.current_thread() is threading.main_thread()
    signals = [s for s in (signal.SIGTERM, signal.SIGHUP) if here and signal.getsignal(s) is signal.SIG_DFL]
    for number in signals:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in signals:
            signal.signal(number, signal.SIG_DFL)
