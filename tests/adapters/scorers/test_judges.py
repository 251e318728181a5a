"""Where judges are, whether they answer, and what they spent."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest
from mlflow.entities import Feedback
from mlflow.genai.judges import make_judge
from mlflow.genai.scorers import Correctness, RegexMatch, Safety

from pytest_genaiver.adapters.scorers.judges import Spend, endpoint, preflight, spend
from pytest_genaiver.adapters.scorers.resolve import resolve

if TYPE_CHECKING:
    from conftest import JudgeServer


@pytest.fixture
def dead() -> str:
    """An address where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def at(url: str, name: str = "tone") -> Any:
    return resolve(make_judge(name=name, instructions="{{ outputs }}", model="openai:/m", base_url=url))


def test_an_endpoint_that_answers_is_not_mentioned(judge: JudgeServer) -> None:
    assert preflight([resolve(Safety()), resolve(Correctness()), at(judge.base_url)]) == []


def test_a_dead_endpoint_is_named_once_with_all_its_judges(dead: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[object] = []
    connect = socket.create_connection
    monkeypatch.setattr(socket, "create_connection", lambda to, **more: tried.append(to) or connect(to, **more))
    monkeypatch.setenv("OPENAI_BASE_URL", f"{dead}/v1")
    scorers = [resolve(Safety()), resolve(Correctness()), at(f"{dead}/v1/chat/completions"), resolve(Safety())]
    (sentence,) = preflight(scorers)
    assert sentence == (
        f"{dead} does not answer (Connection refused), so the judges safety, correctness, tone cannot score: "
        f"is it running, and is OPENAI_BASE_URL (or the judge's base_url) right?"
    )
    assert len(tried) == 1


def test_every_dead_endpoint_has_its_sentence(dead: str) -> None:
    first, second = preflight([at(dead, "a"), at("http://127.0.0.1:1/v1", "b")])
    assert first.startswith(f"{dead} does not answer")
    assert "so the judge a cannot score" in first
    assert second.startswith("http://127.0.0.1:1 does not answer")


def test_scorers_that_ask_no_model_need_no_endpoint(monkeypatch: pytest.MonkeyPatch, dead: str) -> None:
    def brief(outputs: str) -> bool:
        return True

    monkeypatch.setenv("OPENAI_BASE_URL", dead)
    assert preflight([resolve(brief), resolve(RegexMatch(pattern="x"))]) == []


def test_an_address_that_swallows_is_left_after_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    def swallow(to: object, timeout: float) -> object:
        waited.append(timeout)
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket, "create_connection", swallow)
    (sentence,) = preflight([at("http://127.0.0.1:8000/v1")])
    assert "does not answer (timed out)" in sentence
    assert waited == [2.0]


@pytest.mark.parametrize(
    "url", ["localhost", "127.0.0.1:8000/v1", "http://", "http://[::1", "http://x:99999999", "ftp://x"]
)
def test_what_is_no_url_is_said(url: str) -> None:
    (sentence,) = preflight([at(url)])
    assert "it is no URL such as http://127.0.0.1:8000/v1" in sentence


def test_a_password_in_a_url_is_not_shown() -> None:
    for url in ("http://me:secret@127.0.0.1:1/v1", "http//me:secret@nowhere"):
        (sentence,) = preflight([at(url)])
        assert "secret" not in sentence


@pytest.mark.parametrize(
    ("url", "to"),
    [
        ("https://judge.example/v1", ("judge.example", 443)),
        ("http://judge.example", ("judge.example", 80)),
        ("http://[::1]:8000/v1", ("::1", 8000)),
    ],
)
def test_ports_have_defaults(url: str, to: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    assert tried(url, monkeypatch) == to


@pytest.mark.parametrize("proxy", ["http://proxy.example:3128", "proxy.example:3128"])
def test_behind_a_proxy_the_proxy_is_asked(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    monkeypatch.setenv("no_proxy", "intern.example")
    assert tried("https://judge.example/v1", monkeypatch) == ("proxy.example", 3128)
    assert tried("https://intern.example/v1", monkeypatch) == ("intern.example", 443)


def test_a_proxy_that_is_no_url_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://")
    assert tried("http://judge.example/v1", monkeypatch) == ("judge.example", 80)


def tried(url: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, int]:
    found: list[Any] = []

    def refuse(to: object, timeout: float) -> object:
        found.append(to)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", refuse)
    (sentence,) = preflight([at(url)])
    assert "(OSError)" in sentence
    (only,) = found
    return tuple(only)  # type: ignore[return-value]


def test_the_environment_is_asked_when_it_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    found = resolve(Safety())
    assert found.endpoint == "https://api.openai.com/v1"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://a/v1")
    assert found.endpoint == "http://a/v1"
    monkeypatch.setenv("OPENAI_API_BASE", "http://b/v1")
    assert found.endpoint == "http://b/v1"


@pytest.mark.parametrize("model", [None, "anthropic:/claude", "databricks", "gateway:/mine"])
def test_a_provider_whose_address_is_not_known_has_none(model: str | None) -> None:
    assert endpoint(model, None) is None
    assert endpoint(model, "http://a/v1") == "http://a/v1"


@pytest.mark.parametrize(
    ("metadata", "found"),
    [
        (None, None),
        ({"other": "1"}, None),
        (
            {"mlflow.assessment.judgeInputTokens": "10", "mlflow.assessment.judgeOutputTokens": 2},
            Spend(input_tokens=10, output_tokens=2),
        ),
        ({"mlflow.assessment.judgeCost": "0.5"}, Spend(cost=0.5)),
        ({"mlflow.assessment.judgeCost": "much", "mlflow.assessment.judgeInputTokens": 1}, Spend(input_tokens=1)),
    ],
)
def test_what_was_spent_is_read_from_the_feedback_and_never_guessed(metadata: Any, found: Spend | None) -> None:
    assert spend(Feedback(name="s", value=1, metadata=metadata)) == found
