"""The stand-in provider, through the real client over real HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from fake_llm import FakeLLM, endpoint
from openai import APIConnectionError, APIStatusError, AsyncOpenAI, BadRequestError, OpenAI, RateLimitError

QUESTION = "How do I reset my password?"


def connect(llm: FakeLLM) -> OpenAI:
    return OpenAI(base_url=llm.base_url, api_key="unused", max_retries=0)


def ask(client: OpenAI, question: str = QUESTION, **more):
    messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": question}]
    return client.chat.completions.create(model="gpt-4o-mini", messages=messages, **more)


def texts(llm: FakeLLM, questions: list[str]) -> list[str]:
    with connect(llm) as client:
        return [ask(client, question).choices[0].message.content for question in questions]


def test_an_answer_carries_model_text_and_token_counts_that_add_up() -> None:
    with FakeLLM(seed=1) as llm, connect(llm) as client:
        completion = ask(client)
    assert completion.model == "gpt-4o-mini"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.choices[0].message.content.startswith("Topic: ")
    usage = completion.usage
    assert usage.prompt_tokens > 0
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_a_stream_holds_the_same_text_and_usage_as_the_whole_answer() -> None:
    with FakeLLM(seed=1) as llm, connect(llm) as client:
        chunks = list(ask(client, stream=True, stream_options={"include_usage": True}))
    with FakeLLM(seed=1) as llm, connect(llm) as client:
        whole = ask(client)
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert streamed == whole.choices[0].message.content
    assert chunks[-1].choices == []
    assert chunks[-1].usage == whole.usage
    assert chunks[-2].choices[0].finish_reason == "stop"


def test_a_stream_that_does_not_ask_for_usage_gets_none() -> None:
    with FakeLLM(seed=1) as llm, connect(llm) as client:
        chunks = list(ask(client, stream=True))
    assert len(chunks) > 3
    assert all(chunk.usage is None for chunk in chunks)


def test_usage_can_be_left_out() -> None:
    with FakeLLM(seed=1, usage=False) as llm, connect(llm) as client:
        assert ask(client).usage is None
        chunks = list(ask(client, stream=True, stream_options={"include_usage": True}))
    assert all(chunk.usage is None for chunk in chunks)


def test_async_clients_are_served_whole_and_streamed() -> None:
    async def both(llm: FakeLLM) -> tuple[str, str]:
        messages = [{"role": "user", "content": QUESTION}]
        async with AsyncOpenAI(base_url=llm.base_url, api_key="unused") as client:
            whole = await client.chat.completions.create(model="m", messages=messages)
            stream = await client.chat.completions.create(model="m", messages=messages, stream=True)
            streamed = [chunk.choices[0].delta.content or "" async for chunk in stream]
        return whole.choices[0].message.content, "".join(streamed)

    with FakeLLM(answer=lambda messages, n: f"answer {n}") as llm:
        assert asyncio.run(both(llm)) == ("answer 0", "answer 1")


def test_one_seed_gives_the_same_answers_and_another_gives_others() -> None:
    questions = [QUESTION, "Do you ship to Norway?"] * 8
    with FakeLLM(seed=1) as first, FakeLLM(seed=1) as again, FakeLLM(seed=2) as other:
        answers = texts(first, questions)
        assert texts(again, questions) == answers
        assert texts(other, questions) != answers


def test_an_answer_hangs_on_how_often_its_question_was_asked_not_on_the_order_of_threads() -> None:
    questions = [QUESTION, "Do you ship to Norway?", "Is it real oak?"] * 6
    with FakeLLM(seed=3) as llm:
        in_order = texts(llm, questions)
    with FakeLLM(seed=3) as llm, connect(llm) as client, ThreadPoolExecutor(6) as pool:
        replies = pool.map(lambda question: ask(client, question).choices[0].message.content, questions[::-1])
        assert sorted(replies) == sorted(in_order)
        assert llm.requests == len(questions)


def test_the_seed_comes_from_the_environment_when_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_LLM_SEED", "41")
    with FakeLLM() as llm, FakeLLM(seed=5) as other:
        assert (llm.seed, other.seed) == (41, 5)


def test_without_any_seed_two_servers_differ() -> None:
    with FakeLLM() as one, FakeLLM() as two:
        assert one.seed != two.seed


def test_a_seed_that_is_no_number_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_LLM_SEED", "many")
    with pytest.raises(ValueError, match="FAKE_LLM_SEED='many' is not a whole number"):
        FakeLLM()


def test_answer_takes_the_place_of_the_built_in_agent_and_counts_per_question() -> None:
    with FakeLLM(answer=lambda messages, n: f"{messages[-1]['content']}{n}") as llm:
        assert texts(llm, ["a", "b", "a"]) == ["a0", "b0", "a1"]


def test_fail_answers_with_its_status_and_a_failed_request_uses_up_no_answer() -> None:
    with FakeLLM(fail=lambda n: 429 if n == 0 else None, answer=lambda messages, n: f"answer {n}") as llm:
        with connect(llm) as client, pytest.raises(RateLimitError, match="request 0 was told to fail"):
            ask(client)
        assert texts(llm, [QUESTION]) == ["answer 0"]
        assert llm.requests == 2


@pytest.mark.parametrize("status", [400, 500, 503])
def test_fail_can_be_any_status(status: int) -> None:
    with FakeLLM(fail=lambda n: status) as llm, connect(llm) as client:
        with pytest.raises(APIStatusError) as caught:
            ask(client, stream=True)
        assert caught.value.status_code == status


def test_an_error_in_answer_reaches_the_client_as_a_500() -> None:
    def broken(messages: object, n: int) -> str:
        raise LookupError("no such page in my book")

    with FakeLLM(answer=broken) as llm, connect(llm) as client:
        with pytest.raises(APIStatusError, match="no such page in my book") as caught:
            ask(client)
        assert caught.value.status_code == 500


def test_a_request_without_messages_is_a_bad_request() -> None:
    with (
        FakeLLM() as llm,
        connect(llm) as client,
        pytest.raises(BadRequestError, match="needs a JSON object"),
    ):
        client.post("/chat/completions", cast_to=object, body={"model": "m"})


@pytest.mark.parametrize("method", ["get", "post"])
def test_unknown_pages_are_404(method: str) -> None:
    with FakeLLM() as llm, connect(llm) as client:
        with pytest.raises(APIStatusError, match="no such page: /v1/poems") as caught:
            getattr(client, method)("/poems", cast_to=object)
        assert caught.value.status_code == 404


def test_models_are_listed() -> None:
    with FakeLLM() as llm, connect(llm) as client:
        assert [model.id for model in client.models.list()] == ["gpt-4o-mini"]


def test_stats_tell_requests_and_seed_to_other_processes() -> None:
    with FakeLLM(seed=9) as llm:
        texts(llm, [QUESTION] * 3)
        with urllib.request.urlopen(llm.base_url.removesuffix("/v1") + "/stats") as response:
            assert json.load(response) == {"requests": 3, "seed": 9}


def test_latency_delays_each_answer() -> None:
    with FakeLLM(seed=1, latency=0.2) as llm, connect(llm) as client:
        start = time.perf_counter()
        ask(client)
        assert time.perf_counter() - start >= 0.2


def test_sixty_four_delayed_answers_are_under_way_at_once() -> None:
    together = threading.Barrier(64)

    def answer(messages: object, n: int) -> str:
        together.wait(timeout=20)  # breaks, and answers 500, unless all 64 requests are here
        return "good"

    with FakeLLM(answer=answer, latency=0.05) as llm, connect(llm) as client, ThreadPoolExecutor(64) as pool:
        questions = [f"question {i}" for i in range(64)]
        replies = pool.map(lambda question: ask(client, question).choices[0].message.content, questions)
        assert list(replies) == ["good"] * 64
        assert llm.requests == 64


def test_after_its_block_the_server_answers_nobody_not_even_on_an_open_connection() -> None:
    with FakeLLM(seed=1) as llm:
        client = connect(llm)
        ask(client)
    with client, pytest.raises(APIConnectionError):
        ask(client)


def test_endpoint_leads_openai_to_a_loopback_and_restores_the_environment() -> None:
    before = dict(os.environ)
    with endpoint() as llm, OpenAI() as client:
        assert llm is not None
        ask(client)
        assert llm.requests == 1
        assert "127.0.0.1" in os.environ["no_proxy"].split(",")
    assert dict(os.environ) == before


def test_endpoint_leaves_a_real_key_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a real key")
    with endpoint() as llm:
        assert llm is None
        assert "OPENAI_BASE_URL" not in os.environ


def test_proxy_exceptions_of_the_user_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "intranet.example")
    with FakeLLM() as llm:
        assert llm.environment["no_proxy"] == "intranet.example,127.0.0.1"
