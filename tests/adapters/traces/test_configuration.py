"""What traces show of the app's configuration: models, their settings and tools, prompts."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import mlflow
import pytest

from pytest_genaiver.adapters.traces import internals
from pytest_genaiver.adapters.traces.configuration import system_texts
from pytest_genaiver.core.observed import Observed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conftest import App, TracingSession

SEARCH = {"type": "function", "function": {"name": "search", "description": "Finds pages", "parameters": {}}}
KEY = "sk-not-to-be-kept"


def seen(session: TracingSession, body: Callable[[], object]) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """What a session whose one case runs this body shows of its own version: models, and prompts."""
    ran = session.run(body)
    assert ran.error is None
    found = session.finish().seen
    assert list(found) == [session.to.model_id]
    return Observed.from_json(found[session.to.model_id or ""]).settled()


def call(inputs: Mapping[str, Any], type: str = "CHAT_MODEL", **attributes: Any) -> None:
    with mlflow.start_span("client", span_type=type) as span:
        span.set_inputs(inputs)
        span.set_attributes({name.replace("__", "."): value for name, value in attributes.items()})


def test_a_call_of_a_real_client_shows_model_settings_tools_and_prompt(session: TracingSession, app: App) -> None:
    def ask(tool: Mapping[str, Any]) -> None:
        with app.client() as client:
            client.chat.completions.create(
                model="gpt-4o-mini",
                temperature=0.0,
                max_tokens=200,
                stop=["END"],
                messages=[{"role": "system", "content": "You are kind to everybody."}, *app.messages("hello")],
                tools=[tool],
                extra_headers={"x-key": KEY},
            )

    models, prompts = seen(session, lambda: ask(SEARCH))
    tool = models["gpt-4o-mini"].pop("tool search")
    assert len(tool) == 8
    assert models == {"gpt-4o-mini": {"temperature": "0", "max_tokens": "200", "stop": '["END"]'}}
    assert list(prompts) == ["system:You are kind to everybody."]


def test_every_providers_shape_is_read(session: TracingSession) -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"a": "x" * 100}}}

    def body() -> None:
        call(
            {"model": "claude", "system": "S1", "max_tokens": 9, "thinking": {"type": "enabled"}, "temperature": 1.0}
        )
        call({"model": "gpt-5", "instructions": "S2", "input": "q", "reasoning": {"effort": "low"}, "text": None})
        call({"model": "gemini", "config": {"temperature": 0.5, "system_instruction": "S3", "api_key": KEY}})
        call({"modelId": "x", "inferenceConfig": {"maxTokens": 7, "topP": 0.1}}, mlflow__llm__model="nova")
        call({"messages": []}, "LLM", invocation_params={"temperature": 0.3, "api_key": KEY}, mlflow__llm__model="lc")
        call({"model": "alias", "response_format": schema}, mlflow__llm__model="alias-2026")
        call(
            {
                "model": "left-out",
                "max_tokens": "NOT_GIVEN",
                "seed": "<openai.Omit object at 0x7f12ab>",
                "top_p": None,
            }
        )
        call({"prompt": "q", "temperature": True}, "LLM")
        call({"model": "embedder", "dimensions": 256}, "EMBEDDING")

    models, prompts = seen(session, body)
    shortened = models["alias"].pop("response_format")
    assert len(shortened) == 8
    assert models == {
        "claude": {"max_tokens": "9", "temperature": "1", "thinking": '{"type": "enabled"}'},
        "gpt-5": {"reasoning": '{"effort": "low"}'},
        "gemini": {"temperature": "0.5"},
        "nova": {"max_tokens": "7", "top_p": "0.1"},
        "lc": {"temperature": "0.3"},
        "alias": {"served as": "alias-2026"},
        "left-out": {},
        "unnamed model": {"temperature": "true"},
        "embedder": {"dimensions": "256"},
    }
    assert list(prompts) == ["system:S1", "system:S2", "system:S3"]


def test_a_tool_counts_by_its_definition(session: TracingSession) -> None:
    other = {**SEARCH, "function": {**SEARCH["function"], "description": "Finds pages and people"}}  # type: ignore[dict-item]

    def body() -> None:
        call({"model": "a", "tools": [SEARCH, {"name": "lookup"}, {"type": "web_search"}, "odd"]})
        call({"model": "b", "tools": [other, {"toolSpec": {"name": "weather"}}]})
        call({"model": "c", "tools": {"no": "list"}})

    models, _ = seen(session, body)
    assert set(models["a"]) == {"tool search", "tool lookup", "tool web_search", "tool without a name"}
    assert set(models["b"]) == {"tool search", "tool weather"}
    assert models["a"]["tool search"] != models["b"]["tool search"]
    assert models["c"] == {}


def test_a_prompt_of_the_registry_counts_by_its_version_and_not_as_a_system_prompt_too(
    session: TracingSession,
) -> None:
    mlflow.genai.register_prompt(name="support", template="Be kind to {{name}}.")
    mlflow.genai.register_prompt(name="talk", template=[{"role": "system", "content": "Be brief."}])

    def body() -> None:
        prompt = mlflow.genai.load_prompt("prompts:/support/1")
        mlflow.genai.load_prompt("prompts:/talk/1")
        call({"model": "m", "messages": [{"role": "system", "content": prompt.format(name="Ada")}]})

    _, prompts = seen(session, body)
    assert list(prompts) == ["support@1", "talk@1"]
    assert all(len(digest) == 64 for digest in prompts.values())


def test_calls_of_judges_and_fixtures_configure_no_app(session: TracingSession) -> None:
    @contextlib.contextmanager
    def fixture() -> Any:
        call({"model": "of-a-fixture"})
        yield

    scope = session.scope()
    with session.tracer.open(scope), fixture():
        with session.tracer.root(scope, "test_a", {}):
            call({"model": "of-the-app"})
        with session.tracer.judging(scope):
            call({"model": "of-a-judge"})
    session.close(scope, {"good": True})
    found = session.finish().seen
    assert Observed.from_json(found[session.to.model_id or ""]).settled()[0] == {"of-the-app": {}}


def test_each_version_has_what_its_own_calls_show(session: TracingSession) -> None:
    other = session.store.version("other", {}, {})

    def body() -> None:
        call({"model": "mine"})
        with mlflow.set_active_model(model_id=other):
            call({"model": "theirs"})

    session.run(body)
    found = session.finish().seen
    shown = {version: Observed.from_json(data).settled()[0] for version, data in found.items()}
    assert shown == {session.to.model_id: {"mine": {}}, other: {"theirs": {}}}


def test_what_comes_after_the_case_was_closed_is_seen_too(session: TracingSession) -> None:
    scope = session.scope()
    with session.tracer.open(scope), session.tracer.root(scope, "test_a", {}), internals.outside_any_trace():
        late = mlflow.start_span_no_context("client", span_type="LLM", inputs={"model": "late"})
    session.close(scope, {})
    late.end()
    found = session.finish().seen
    assert Observed.from_json(found[session.to.model_id or ""]).settled()[0] == {"late": {}}


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"messages": [{"role": "developer", "content": [{"type": "text", "text": "a"}, {"text": "b"}]}]}, ["a\nb"]),
        ({"messages": [[{"role": "system", "content": "of a batch"}]]}, ["of a batch"]),
        (
            {"input": [{"role": "system", "content": "in responses"}, {"role": "user", "content": "q"}]},
            ["in responses"],
        ),
        ({"system": [{"text": "of bedrock"}, {"cachePoint": {}}]}, ["of bedrock"]),
        ({"config": {"system_instruction": {"parts": [{"text": "of gemini"}]}}}, ["of gemini"]),
        ({"config": {"system_instruction": {"text": "a part"}}}, ["a part"]),
        ({"messages": [{"role": "user", "content": "q"}]}, []),
        ({"messages": "text", "input": 7, "system": 7, "instructions": None, "config": "x"}, []),
        (
            {"messages": ["text", None, [None], {"role": "system"}, {"role": "system", "content": [7, {"text": 7}]}]},
            [],
        ),
        ({}, []),
    ],
)
def test_system_prompts_are_found_in_every_shape_and_nothing_else(
    inputs: dict[str, Any], expected: list[str]
) -> None:
    assert list(system_texts(inputs)) == expected
