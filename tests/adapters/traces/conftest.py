"""Tracing sessions on real stores, and the real openai client against a loopback provider."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.adapters.traces.scope import Destination, Scope
from pytest_genaiver.adapters.tracking.stored_traces import trace_ids

if TYPE_CHECKING:
    from types import ModuleType

    from mlflow.entities import Trace

    from pytest_genaiver.adapters.traces.autolog import Autolog
    from pytest_genaiver.adapters.traces.reading import Measured
    from pytest_genaiver.adapters.traces.scope import Count
    from pytest_genaiver.adapters.traces.tracer import Tracer
    from pytest_genaiver.adapters.tracking.store import Store

SessionMaker = Callable[..., "TracingSession"]


@dataclass(kw_only=True)
class Ran:
    """One execution: what was measured, and the ids of its traces."""

    scope: Scope
    measured: Measured
    ids: list[str]
    error: Exception | None = None


@dataclass(kw_only=True)
class TracingSession:
    """What the plugin does around tests, without pytest."""

    store: Store
    to: Destination
    tracer: Tracer
    autolog: Autolog
    keys: Iterator[int] = field(default_factory=itertools.count)
    finished: Count | None = None

    def start(self) -> None:
        self.tracer.start()
        self.autolog.enable()

    def stop(self) -> None:
        self.autolog.disable()
        self.tracer.stop()

    def scope(self, name: str = "test_a") -> Scope:
        key = str(next(self.keys))
        request_id = hashlib.sha256(key.encode()).hexdigest()[:32]
        return Scope(key=key, test_name=f"test_app.py::{name}", case_id=name, request_id=request_id)

    def run(
        self,
        body: Callable[[], object],
        *,
        name: str = "test_a",
        scores: Mapping[str, object] = {"good": True},
        fixture: Callable[[], contextlib.AbstractContextManager[object]] = contextlib.nullcontext,
    ) -> Ran:
        """Runs a case of this name as the plugin does: fixture, body, fixture's teardown, scores."""
        scope, error = self.scope(name), None
        with self.tracer.open(scope), fixture():
            try:
                with self.tracer.root(scope, name, {"name": name}) as span:
                    span.set_outputs(body())
            except Exception as raised:
                error = raised
        measured = self.tracer.measured(scope)
        return Ran(scope=scope, measured=measured, ids=self.close(scope, scores), error=error)

    def close(self, scope: Scope, scores: Mapping[str, object]) -> list[str]:
        from pytest_genaiver.adapters.traces.feedback import feedback_of

        return self.tracer.close(scope, [feedback_of(n, v) for n, v in scores.items()])

    def finish(self) -> Count:
        """Writes what is left; every trace that was produced must be in the store."""
        count = self.tracer.finish()
        assert count.missing == {}
        assert count.errors == []
        assert trace_ids(self.store, self.to.run_id or "", among=self.tracer.produced) == set(self.tracer.produced)
        return count

    def stored(self, **search: Any) -> list[Trace]:
        """What the store holds in the session's experiment, oldest first."""
        from mlflow import MlflowClient

        client = MlflowClient(self.to.tracking_uri)
        found = client.search_traces(
            locations=[self.to.experiment_id], max_results=500, order_by=["timestamp_ms ASC"], **search
        )
        return list(found)

    def calls(self) -> list[tuple[Trace, Any]]:
        """Every stored provider call, with its trace."""
        return [(t, s) for t in self.stored() for s in t.data.spans if s.span_type in {"LLM", "CHAT_MODEL"}]

    def is_linked(self, trace: Trace, *, model_id: str | None = None, test: str = "test_a") -> bool:
        """Whether a stored trace carries the session's version and run, and its test."""
        metadata, tags = trace.info.trace_metadata, trace.info.tags
        return (
            metadata["mlflow.modelId"] == (model_id or self.to.model_id)
            and metadata["mlflow.sourceRun"] == self.to.run_id
            and tags["mlflow.test.name"] == f"test_app.py::{test}"
            and tags["mlflow.test.case_id"] == test
            and "genaiver.scope" not in tags
        )


def make_session(
    store: Store, autolog: Sequence[str] | None = ("openai",), to: Destination | None = None
) -> TracingSession:
    from pytest_genaiver.adapters.traces.autolog import Autolog
    from pytest_genaiver.adapters.traces.surroundings import Surroundings
    from pytest_genaiver.adapters.traces.tracer import Tracer

    to = to or destination(store)
    tracer = Tracer(to, surroundings=Surroundings(to))
    return TracingSession(store=store, to=to, tracer=tracer, autolog=Autolog(autolog))


def destination(store: Store) -> Destination:
    model_id = store.version("app-1", {"genaiver.app": "app"}, {})
    return Destination(
        tracking_uri=store.place.uri,
        experiment_id=store.experiment_id,
        model_id=model_id,
        run_id=store.start_session("session", {}, model_id),
    )


@pytest.fixture
def session_on() -> Iterator[SessionMaker]:
    """Starts tracing sessions, and stops those that the test leaves running."""
    with contextlib.ExitStack() as exit:

        def start(store: Store, **options: Any) -> TracingSession:
            made = make_session(store, **options)
            made.start()
            exit.callback(made.stop)
            return made

        yield start


@pytest.fixture
def session(store: Store, session_on: SessionMaker) -> TracingSession:
    """A running tracing session on sqlite."""
    return session_on(store)


@pytest.fixture(scope="session")
def provider(fake_llm: ModuleType) -> Iterator[Any]:
    with fake_llm.FakeLLM(seed=1, answer=lambda messages, n: "good") as llm:
        yield llm


@dataclass(kw_only=True)
class App:
    """An app on the real openai client."""

    base_url: str

    def client(self, **options: Any) -> Any:
        from openai import OpenAI

        return OpenAI(base_url=self.base_url, api_key="none", max_retries=0, **options)

    def ask(self, question: str = "question") -> str:
        with self.client() as client:
            reply = client.chat.completions.create(model="gpt-4o-mini", messages=self.messages(question))
        return str(reply.choices[0].message.content)

    async def ask_async(self, question: str = "question") -> str:
        from openai import AsyncOpenAI

        async with AsyncOpenAI(base_url=self.base_url, api_key="none", max_retries=0) as client:
            reply = await client.chat.completions.create(model="gpt-4o-mini", messages=self.messages(question))
        return str(reply.choices[0].message.content)

    def stream(self, question: str = "question", **options: Any) -> Any:
        return self.client().chat.completions.create(
            model="gpt-4o-mini", messages=self.messages(question), stream=True, **options
        )

    def messages(self, question: str) -> list[Any]:
        return [{"role": "user", "content": question}]


@pytest.fixture
def app(provider: Any, monkeypatch: pytest.MonkeyPatch) -> App:
    for name, value in provider.environment.items():
        monkeypatch.setenv(name, value)
    return App(base_url=provider.base_url)
