"""The example plugins: what they send and what they decide."""

from __future__ import annotations

import importlib.util
import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.testing import compared, decided, results

if TYPE_CHECKING:
    from pathlib import Path

GOOD = {"on_topic": {f"test_a.py::test_topic[q{i}]": [1.0] * 9 for i in range(20)}}
BAD = {"on_topic": {case: [0.0] * 9 for case in GOOD["on_topic"]}}


@pytest.fixture
def load(examples: Path) -> Any:
    def named(name: str) -> Any:
        spec = importlib.util.spec_from_file_location(f"example_{name}", examples / "plugins" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return named


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a webhook on the loopback interface was sent."""
    sent: list[Any] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("SLACK_WEBHOOK", f"http://127.0.0.1:{server.server_port}/")
        yield sent
        server.shutdown()


def test_a_regression_is_told_with_its_metrics(load: Any, slack: list[Any]) -> None:
    comparison = compared(baseline=GOOD, current=BAD)
    load("slack_notifier").pytest_genai_report(None, comparison, decided(comparison))
    assert slack == [{"text": "app-11111111 regressed against app-00000000\n• on_topic: 1.00 → 0.00"}]


def test_no_regression_is_not_told(load: Any, slack: list[Any]) -> None:
    comparison = compared(baseline=GOOD, current=GOOD)
    load("slack_notifier").pytest_genai_report(None, comparison, decided(comparison))
    assert slack == []


def test_without_a_webhook_nothing_is_sent(load: Any, slack: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLACK_WEBHOOK")
    comparison = compared(baseline=GOOD, current=BAD)
    load("slack_notifier").pytest_genai_report(None, comparison, decided(comparison))
    assert slack == []


def test_slacks_own_markup_is_escaped(load: Any) -> None:
    scores = {"<!channel> & co": GOOD["on_topic"]}
    comparison = compared(baseline=scores, current={"<!channel> & co": BAD["on_topic"]})
    assert "&lt;!channel&gt; &amp; co" in load("slack_notifier").message(comparison, decided(comparison))


def on_branch(branch: str | None, current: Any) -> tuple[Any, Any]:
    comparison = compared(baseline=GOOD, current=current)
    comparison = replace(comparison, current=results(current, branch=branch))
    return comparison, decided(comparison)


ONE_BROKE = {"on_topic": {case: [0.0 if case.endswith("[q3]") else 1.0] * 9 for case in GOOD["on_topic"]}}


@pytest.mark.parametrize("branch", [None, "main", "topic"])
def test_elsewhere_the_decision_is_left_alone(load: Any, branch: str | None) -> None:
    comparison, decision = on_branch(branch, GOOD)
    assert load("release_gate").pytest_genai_decide(comparison, replace(decision, verdict="inconclusive")) is None


def test_a_release_may_not_be_in_doubt(load: Any) -> None:
    comparison, decision = on_branch("release/1", GOOD)
    gate = load("release_gate").pytest_genai_decide
    assert gate(comparison, decision) is None
    doubted = gate(comparison, replace(decision, verdict="inconclusive", reason="too few"))
    assert (doubted.verdict, doubted.reason) == ("regressed", "a release that is in doubt: too few")


def test_a_release_may_not_break_a_single_case(load: Any) -> None:
    comparison, decision = on_branch("release/1", ONE_BROKE)
    metric = decision.metrics["on_topic"]
    warned = replace(decision, verdict="pass", metrics={"on_topic": replace(metric, broken=metric.worst[:1])})
    found = load("release_gate").pytest_genai_decide(comparison, warned)
    assert (found.verdict, "test_topic[q3]" in found.reason) == ("regressed", True)
