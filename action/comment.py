"""Puts a Markdown report on a pull request: one comment, updated in place ever after.

    python comment.py report.md 17
    python comment.py report.md --commit SHA --head OWNER:BRANCH     # the open pull request of that head

The comment is found again by the report's first line, a hidden marker. A token that may not comment (a fork's) is a
notice, no failure: the report is in the job's summary and its artifact.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MARKER = "<!-- pytest-genaiver"
LONGEST = 65_536
SECONDS = 30.0
MAY_NOT = (401, 403, 404)


class Github:
    """The few calls that are needed, on `GITHUB_API_URL`."""

    def __init__(self) -> None:
        self.base = (
            f"{os.environ.get('GITHUB_API_URL', 'https://api.github.com')}/repos/{os.environ['GITHUB_REPOSITORY']}"
        )
        self.headers = {
            "Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}",
            "Accept": "application/vnd.github+json",
            "Content-Type": "application/json",
            "User-Agent": "pytest-genaiver",
        }

    def call(self, method: str, path: str, body: dict[str, str] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, self.headers, method=method)
        with urllib.request.urlopen(request, timeout=SECONDS) as response:
            return json.load(response)

    def pages(self, path: str) -> Iterator[Any]:
        for page in range(1, 100):
            found = self.call("GET", f"{path}{'&' if '?' in path else '?'}per_page=100&page={page}")
            yield from found
            if len(found) < 100:
                return


def pull_request(github: Github, commit: str, head: str) -> int | None:
    """The open pull request whose head this commit still is."""
    query = urllib.parse.urlencode({"state": "open", "head": head})
    return next((int(p["number"]) for p in github.pages(f"/pulls?{query}") if p["head"]["sha"] == commit), None)


def put(github: Github, number: int, text: str) -> str:
    """Update our comment, or make it; returns what was done."""
    marker = text.partition("\n")[0].strip()
    for comment in github.pages(f"/issues/{number}/comments"):
        ours = comment["user"]["type"] == "Bot" or comment["user"]["login"] == os.environ.get("GITHUB_COMMENT_AUTHOR")
        # Somebody else may quote the marker.
        if ours and comment["body"].partition("\n")[0].strip() == marker:
            github.call("PATCH", f"/issues/comments/{comment['id']}", {"body": text})
            return "updated"
    github.call("POST", f"/issues/{number}/comments", {"body": text})
    return "made"


def report(path: Path) -> str | None:
    """The report's text; None where there is none of ours. What is too long for a comment is cut."""
    try:
        text = path.read_bytes()[: 4 * LONGEST].decode("utf-8", "replace")
    except OSError:
        return None
    return text[:LONGEST] if text.startswith(MARKER) else None


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Put a report on a pull request.")
    parser.add_argument("report", type=Path)
    parser.add_argument("number", type=int, nargs="?")
    parser.add_argument("--commit", default="")
    parser.add_argument("--head", default="")
    given = parser.parse_args(arguments)
    text = report(given.report)
    if text is None:
        return notice(f"there is no report in {given.report.name}: the session ended before it had one")
    try:
        github = Github()
        number = given.number or pull_request(github, given.commit, given.head)
        if number is None:
            return notice("no open pull request has this commit as its head: it has moved on")
        return notice(f"the comment on pull request {number} was {put(github, number, text)}")
    except (OSError, ValueError) as error:
        return notice(f"{_why(error)}; the report is in the summary and the artifact")


def _why(error: Exception) -> str:
    if not isinstance(error, urllib.error.HTTPError):
        return f"GitHub could not be reached ({type(error).__name__})"
    refused = "the token may not comment here" if error.code in MAY_NOT else "GitHub refused the comment"
    return f"{refused} ({error.code})"


def notice(text: str) -> int:
    """Told in the log; a comment that could not be made must not hide or change the verdict."""
    print(f"::notice title=genaiver::{text}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
