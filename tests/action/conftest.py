"""A loopback GitHub."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest


class Github(ThreadingHTTPServer):
    """Pull requests and comments of one repository, as far as the action asks for them."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.comments, self.pulls, self.refuse = [], [], None
        self.asked = []

    def say(self, body, *, kind="User", login="ada"):
        self.comments.append({"id": len(self.comments) + 1, "body": body, "user": {"type": kind, "login": login}})


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def _reply(self, body, status=200):
        data = json.dumps(body).encode()
        self.send_response(self.server.refuse or status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        url = urlsplit(self.path)
        self.server.asked.append(("GET", self.path))
        known = self.server.comments if url.path.endswith("/comments") else self.server.pulls
        page = int(parse_qs(url.query)["page"][0])
        self._reply(known[100 * (page - 1) : 100 * page])

    def _body(self):
        self.server.asked.append((self.command, self.path))
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]

    def do_POST(self):
        body = self._body()
        if not self.server.refuse:
            self.server.say(body, kind="Bot", login="github-actions[bot]")
        self._reply({}, 201)

    def do_PATCH(self):
        body, number = self._body(), int(self.path.rpartition("/")[2])
        self.server.comments[number - 1]["body"] = body
        self._reply({})


@pytest.fixture
def github(monkeypatch):
    with Github() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        monkeypatch.setenv("GITHUB_API_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("GITHUB_REPOSITORY", "ada/app")
        monkeypatch.setenv("GITHUB_TOKEN", "ghs_secret")
        monkeypatch.delenv("GITHUB_COMMENT_AUTHOR", raising=False)
        yield server
        server.shutdown()
