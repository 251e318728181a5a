"""Samples to score, and a judge on the loopback interface."""

from __future__ import annotations

import importlib.util
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.adapters.scorers.missing import REQUIREMENTS
from pytest_genaiver.adapters.scorers.scorer import Sample

if TYPE_CHECKING:
    from types import ModuleType

    from pytest_genaiver.adapters.scorers.scorer import Scorer
    from pytest_genaiver.core.scoring import Scored

SampleMaker = Callable[..., Sample]
Needs = Callable[[str], None]
Only = Callable[["Scorer", Sample], "tuple[Scored, Any]"]


@pytest.fixture(autouse=True)
def no_judge_of_the_developers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith(("OPENAI_", "MLFLOW_GENAI_"))]:
        monkeypatch.delenv(name)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def sample() -> SampleMaker:
    """Makes a sample of which only what matters to the test is named."""

    def make(
        output: object = "Refunds take five days.",
        *,
        inputs: Mapping[str, Any] = {"question": "How long do refunds take?"},
        expectations: Mapping[str, Any] = {},
        trace: Callable[[], Any] = lambda: pytest.fail("nobody asked for the trace"),
        latency: float | None = None,
    ) -> Sample:
        return Sample(inputs=inputs, output=output, expectations=expectations, trace=trace, latency=latency)

    return make


@pytest.fixture
def only() -> Only:
    """The one answer of a scorer that gives one."""

    def score(scorer: Scorer, sample: Sample) -> tuple[Scored, Any]:
        (answer,) = scorer.score(sample)
        return answer

    return score


@pytest.fixture
def needs() -> Callable[[str], None]:
    """Skips a test without this package, in one counted line for all that need it."""

    def require(module: str) -> None:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed: pip install {REQUIREMENTS[module]}")

    return require


@dataclass
class JudgeServer:
    """What the judge was asked, and what it answers."""

    base_url: str
    answer: Callable[[str], object] = lambda asked: {"result": "yes", "rationale": "because"}
    asked: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reply(self, messages: Any) -> str:
        text = "\n".join(str(m["content"]) for m in messages)
        with self.lock:
            self.asked.append(text)
        said = self.answer(text)
        return said if isinstance(said, str) else json.dumps(said)


@pytest.fixture
def judge(fake_llm: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[JudgeServer]:
    """A model that judges, behind any OpenAI-compatible URL; the environment leads to it."""
    server: JudgeServer
    with fake_llm.FakeLLM(seed=1, answer=lambda messages, n: server.reply(messages)) as llm:
        server = JudgeServer(llm.base_url)
        for name, value in llm.environment.items():
            monkeypatch.setenv(name, value)
        yield server
