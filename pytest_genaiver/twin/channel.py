"""Two processes talk: a line of JSON for each message, over two pipes."""

from __future__ import annotations

import contextlib
import json
import os
import select
import time
from typing import Any

Message = dict[str, Any]

_CHUNK = 1 << 16


class Closed(Exception):
    """The other side is gone."""


class Channel:
    """One side. One asks, the other answers: neither sends while the other does."""

    def __init__(self, reading: int, writing: int) -> None:
        """`reading` and `writing` are file descriptors, which the channel closes."""
        self._reading = reading
        self._writing = writing
        self._read = bytearray()

    def send(self, message: Message) -> None:
        """Raises Closed."""
        left = memoryview(json.dumps(message).encode() + b"\n")
        try:
            while left:
                left = left[os.write(self._writing, left) :]
        except OSError as error:
            raise Closed from error

    def receive(self, seconds: float | None = None) -> Message | None:
        """The next message; None where none came in so many seconds. Raises Closed."""
        end = None if seconds is None else time.monotonic() + seconds
        while (place := self._read.find(b"\n")) < 0:
            left = None if end is None else max(end - time.monotonic(), 0)
            if not select.select([self._reading], [], [], left)[0]:
                return None
            chunk = os.read(self._reading, _CHUNK)
            if not chunk:
                raise Closed
            self._read += chunk
        line = bytes(self._read[:place])
        del self._read[: place + 1]
        message: Message = json.loads(line)
        return message

    def close(self) -> None:
        for end in (self._reading, self._writing):
            with contextlib.suppress(OSError):
                os.close(end)
