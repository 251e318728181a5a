"""A stand-in for an LLM provider: an OpenAI-compatible server on the loopback interface, free and seeded.

With it the example, the demo and the tests use the real `openai` client over real HTTP, without key or bill::

    with FakeLLM(seed=1) as llm:
        client = OpenAI(base_url=llm.base_url, api_key="unused")

It serves `POST /v1/chat/completions` (whole and streamed), `GET /v1/models` and `GET /stats`.
"""

from __future__ import annotations

import json
import os
import random
import re
import socket
import sys
import threading
import time
import uuid
from collections import Counter
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from fake_model import Message, last_text, support_reply, tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

MODEL = "gpt-4o-mini"


class FakeLLM:
    """An LLM provider on `127.0.0.1`, running from `with` to the end of its block.

    `seed`: of all answers; without one `FAKE_LLM_SEED` counts, and without that every server is different.
    `latency`: seconds before an answer. `usage=False`: answers carry no token counts.
    `answer(messages, n)`: the answer, in place of the built-in support agent's; n is how often this question
    was answered before. `fail(n)`: the HTTP status with which request n (from 0, by arrival) fails, or None.
    """

    def __init__(
        self,
        *,
        seed: int | None = None,
        latency: float = 0.0,
        answer: Callable[[Sequence[Message], int], str] | None = None,
        fail: Callable[[int], int | None] | None = None,
        usage: bool = True,
    ) -> None:
        self.seed = _seed_from_environment() if seed is None else seed
        self.latency = latency
        self.usage = usage
        self._answer = answer
        self._fail = fail
        self._requests = 0
        self._answered: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> FakeLLM:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server.hang_up()

    @property
    def base_url(self) -> str:
        """What the `openai` client wants as its `base_url`."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    @property
    def requests(self) -> int:
        """How many chat completions were asked for so far, failed ones included."""
        return self._requests

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that lead `OpenAI()` here, past any proxy."""
        proxy_exceptions = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
        return {
            "OPENAI_BASE_URL": self.base_url,
            "OPENAI_API_KEY": "loopback-needs-no-key",
            "no_proxy": ",".join(filter(None, (proxy_exceptions, "127.0.0.1"))),
        }

    def complete(self, messages: Sequence[Message]) -> tuple[int, str]:
        """One request's HTTP status and text: the answer with 200, else what went wrong."""
        with self._lock:
            request = self._requests
            self._requests += 1
        time.sleep(self.latency)
        status = self._fail(request) if self._fail else None
        if status is not None:
            return status, f"request {request} was told to fail"
        question = last_text(messages, "user")
        with self._lock:
            n = self._answered[question]
            self._answered[question] += 1
        return 200, self._answer(messages, n) if self._answer else support_reply(self.seed, messages, n)


@contextmanager
def endpoint() -> Iterator[FakeLLM | None]:
    """Make `OpenAI()` work: on the real endpoint when OPENAI_API_KEY is set, else on a FakeLLM."""
    if os.environ.get("OPENAI_API_KEY"):
        yield None
        return
    with FakeLLM() as llm, patch.dict(os.environ, llm.environment):
        yield llm


def _seed_from_environment() -> int:
    text = os.environ.get("FAKE_LLM_SEED")
    if not text:
        return random.SystemRandom().getrandbits(32)
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"FAKE_LLM_SEED={text!r} is not a whole number such as 7") from None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # with the default of 5 a burst of connections waits for a second

    def __init__(self, llm: FakeLLM) -> None:
        self.llm = llm
        self._connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a client may hang up at any time
            super().handle_error(request, client_address)

    def hang_up(self) -> None:
        """Close the connections that clients keep alive: they would be served although we are closed."""
        for connection in list(self._connections):
            with suppress(OSError):  # the client was faster
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a short answer waits 40 ms for an acknowledgement

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing: the terminal is pytest's."""

    def do_GET(self) -> None:
        llm = self.server.llm
        if self.path == "/stats":
            self._send_json(200, {"requests": llm.requests, "seed": llm.seed})
        elif self.path == "/v1/models":
            model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "loopback"}
            self._send_json(200, {"object": "list", "data": [model]})
        else:
            self._send_error(404, f"no such page: {self.path}")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != "/v1/chat/completions":
            self._send_error(404, f"no such page: {self.path}")
            return
        try:
            request = json.loads(body)
            messages: list[Message] = request["messages"]
        except (ValueError, KeyError, TypeError):
            self._send_error(400, "a chat completion needs a JSON object with messages")
            return
        try:
            status, text = self.server.llm.complete(messages)
        except Exception as error:  # the caller's answer() or fail(): the client must see it, not wait for it
            status, text = 500, repr(error)
        if status != 200:
            self._send_error(status, text)
        elif request.get("stream"):
            self._send_events(self._chunks(request, text))
        else:
            self._send_json(200, self._completion(request, text))

    def _completion(self, request: Mapping[str, Any], text: str) -> dict[str, Any]:
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        usage = {"usage": _usage(request, text)} if self.server.llm.usage else {}
        return self._head(request, "chat.completion") | {"choices": [choice]} | usage

    def _chunks(self, request: Mapping[str, Any], text: str) -> Iterator[dict[str, Any]]:
        head = self._head(request, "chat.completion.chunk")
        words = re.findall(r"\s*\S+|\s+$", text)
        deltas = [{"role": "assistant", "content": ""}, *({"content": word} for word in words)]
        for delta in deltas:
            yield head | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        yield head | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        if self.server.llm.usage and (request.get("stream_options") or {}).get("include_usage"):
            yield head | {"choices": [], "usage": _usage(request, text)}

    def _head(self, request: Mapping[str, Any], kind: str) -> dict[str, Any]:
        name = f"chatcmpl-{uuid.uuid4().hex}"
        return {"id": name, "object": kind, "created": int(time.time()), "model": request.get("model", MODEL)}

    def _send_events(self, events: Iterator[dict[str, Any]]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for data in (*map(json.dumps, events), "[DONE]"):
            event = f"data: {data}\n\n".encode()
            self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event))
        self.wfile.write(b"0\r\n\r\n")

    def _send_error(self, status: int, text: str) -> None:
        error = {"message": text, "type": "loopback_error", "param": None, "code": None}
        self._send_json(status, {"error": error})

    def _send_json(self, status: int, payload: Mapping[str, Any]) -> None:
        body = json.dumps(payload).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _usage(request: Mapping[str, Any], text: str) -> dict[str, int]:
    asked = sum(tokens(str(message.get("content"))) for message in request["messages"])
    answered = tokens(text)
    return {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}
