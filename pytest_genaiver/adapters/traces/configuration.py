"""Spans -> what they show of the app's configuration: models with their settings and tools, prompts."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.traces.reading import MODEL, provider_calls
from pytest_genaiver.core.observed import Observed
from pytest_genaiver.core.snapshot import SERVED, SHORT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlflow.entities import Span

    from pytest_genaiver.adapters.traces.hold import Held
    from pytest_genaiver.adapters.traces.scope import Scope

TOOLS = "mlflow.chat.tools"
SETTINGS = frozenset(
    {
        *("temperature", "top_p", "top_k", "seed", "n", "frequency_penalty", "presence_penalty", "logit_bias"),
        *("max_tokens", "max_completion_tokens", "max_output_tokens", "stop", "stop_sequences", "dimensions"),
        *("response_format", "text", "verbosity", "reasoning", "reasoning_effort", "thinking"),
        *("tool_choice", "parallel_tool_calls"),
    }
)
"""What is kept of a call's parameters: those that shape the answer, by any provider's name for them. Never headers,
keys or addresses."""
# Where clients keep them, beside the top: LangChain, Gemini, Bedrock, Ollama.
WITHIN = ("invocation_params", "config", "generation_config", "inferenceConfig", "options", "model_kwargs")
UNNAMED = "unnamed model"
_SYSTEM_ROLES = ("system", "developer")
_LONGEST = 60
# openai's marks for a parameter that is left out, as MLflow writes them.
_NOT_GIVEN = re.compile(r"NOT_GIVEN|<.* object at 0x[0-9a-f]+>")


class Seen:
    """What the traces of each version show, by model id; not thread-safe."""

    def __init__(self) -> None:
        self._by_version: dict[str, Observed] = {}

    def take(self, held: Held, scope: Scope) -> None:
        """Read one trace of an execution, if it is the app's own: a judge's or fixture's calls configure no app."""
        if scope.role_of(held) == "app":
            version = held.trace.info.trace_metadata.get("mlflow.modelId", "")
            observe(held, self._by_version.setdefault(version, Observed()))

    def to_json(self) -> dict[str, Any]:
        return {version: observed.to_json() for version, observed in self._by_version.items()}


def observe(held: Held, into: Observed) -> None:
    """What one trace shows."""
    templates = [_template(prompt) for prompt in held.prompts]
    for prompt, template in zip(held.prompts, templates, strict=True):
        into.registered(str(prompt.name), str(prompt.version), template)
    for span in provider_calls([held.trace]):
        inputs = _mapping(span.inputs)
        into.call(*_model(span, inputs))
        for text in system_texts(inputs):
            into.system(text, templates)


def _template(prompt: Any) -> str:
    return prompt.template if isinstance(prompt.template, str) else _json(prompt.template)


def _model(span: Span, inputs: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """The model that was asked for, and its settings."""
    served, asked = span.get_attribute(MODEL), inputs.get("model")
    names = [name for name in (asked, served) if isinstance(name, str) and name]
    settings = _settings(span, inputs)
    if len(set(names)) > 1:
        settings[SERVED] = names[1]
    return (names[0] if names else UNNAMED), {**settings, **_tools(span, inputs)}


def _settings(span: Span, inputs: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    attributes = span.attributes
    nested = [_mapping(given.get(name)) for given in (attributes, inputs) for name in WITHIN]
    for given in (*nested, attributes, inputs):
        for key, value in given.items():
            name = re.sub(r"(?<=[a-z])([A-Z])", r"_\1", str(key)).lower()
            if name in SETTINGS and (text := _value(value)) is not None:
                found[name] = text
    return found


def _value(value: Any) -> str | None:
    """A setting as text; None where it was not given. Zero is zero, as whole number or not."""
    if value is None or (isinstance(value, str) and _NOT_GIVEN.fullmatch(value)):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = value if isinstance(value, str) else _json(value)
    return text if len(text) <= _LONGEST else _digest(text)


def _tools(span: Span, inputs: Mapping[str, Any]) -> dict[str, str]:
    """`tool NAME` -> digest of its definition: a tool's description is a prompt as well."""
    given = span.get_attribute(TOOLS) or inputs.get("tools")
    return {f"tool {_tool_name(tool)}": _digest(_json(tool)) for tool in (given if isinstance(given, list) else ())}


def _tool_name(tool: Any) -> str:
    outer = _mapping(tool)
    inner = _mapping(outer.get("function")) or _mapping(outer.get("toolSpec"))
    return str(inner.get("name") or outer.get("name") or outer.get("type") or "without a name")


def system_texts(inputs: Mapping[str, Any]) -> Iterator[str]:
    """The system prompts of a call: of OpenAI's chat and responses, Anthropic, Bedrock, Gemini, LangChain."""
    config = _mapping(inputs.get("config"))
    for given in (inputs.get("system"), inputs.get("instructions"), config.get("system_instruction")):
        yield from _text(given)
    for name in ("messages", "input"):
        for message in _messages(inputs.get(name)):
            if message.get("role") in _SYSTEM_ROLES:
                yield from _text(message.get("content"))


def _messages(given: Any) -> Iterator[Mapping[str, Any]]:
    """Messages in a list, or in lists of batches."""
    for item in given if isinstance(given, list) else ():
        if isinstance(item, list):
            yield from map(_mapping, item)
        else:
            yield _mapping(item)


def _text(content: Any) -> list[str]:
    """The text of a message: given as it is, or in parts."""
    if isinstance(content, dict):
        content = content.get("parts", [content])
    parts = [content] if isinstance(content, str) else content if isinstance(content, list) else ()
    texts = [part if isinstance(part, str) else _mapping(part).get("text") for part in parts]
    known = [text for text in texts if isinstance(text, str)]
    return ["\n".join(known)] if known else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=True, default=lambda other: type(other).__name__)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:SHORT]
