"""`@scorer` functions, Scorer classes, built-in and `make_judge` judges: real ones, over loopback HTTP."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal

import mlflow
import pytest
from mlflow.entities import Feedback
from mlflow.genai import scorer
from mlflow.genai.judges import make_judge
from mlflow.genai.scorers import (
    ConversationCompleteness,
    Correctness,
    Guidelines,
    RegexMatch,
    RelevanceToQuery,
    ResponseLength,
    RetrievalRelevance,
    Safety,
    Scorer,
    make_scorer_ensemble,
)

from pytest_genaiver.adapters.scorers.judges import spend
from pytest_genaiver.adapters.scorers.resolve import resolve
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import JudgeServer, Only, SampleMaker

EXPECTED = {"expected_response": "Five days."}


@scorer
def polite(outputs: str) -> bool:
    return "please" in outputs


@scorer(name="depth")
def counted(trace: Any) -> Feedback:
    return Feedback(value=len(trace.data.spans), rationale="counted")


class Within(Scorer):
    name: str = "within"
    limit: int = 100

    def __call__(self, *, outputs: str) -> bool:
        return len(outputs) <= self.limit


@pytest.fixture
def trace(database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A trace with a retriever's span, as the tracer hands it over; it goes to no store."""
    from pytest_genaiver.adapters.traces.internals import manager, replace_export

    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{database}")
    put_back = replace_export(lambda original, spans: None)
    with mlflow.start_span("root") as root:
        root.set_inputs({"question": "How long?"})
        with mlflow.start_span("retriever", span_type="RETRIEVER") as span:
            span.set_outputs([{"page_content": "one"}, {"page_content": "two"}])
        root.set_outputs("Five days.")
        with manager().get_trace(root.trace_id) as held:
            made = held.to_mlflow_trace()
    yield made
    put_back()


def test_a_decorated_function(sample: SampleMaker, only: Only) -> None:
    found = resolve(polite)
    assert (found.name, found.judge, found.reads_trace, found.model) == ("polite", False, False, None)
    score, feedback = only(found, sample("please wait"))
    assert (score.value, feedback.name, feedback.value) == (1.0, "polite", True)


def test_a_decorated_function_that_reads_the_trace(sample: SampleMaker, only: Only, trace: Any) -> None:
    found = resolve(counted)
    assert (found.name, found.reads_trace) == ("depth", True)
    score, feedback = only(found, sample(trace=lambda: trace))
    assert (score.name, score.value, score.rationale, feedback.name) == ("depth", 2.0, "counted", "depth")


def test_a_decorated_function_that_requires_something_else_is_refused() -> None:
    @scorer
    def wrong(outputs: str, threshold: float) -> bool:
        return True

    with pytest.raises(ConfigError, match="'wrong' takes threshold"):
        resolve(wrong)


@pytest.mark.parametrize("given", [Within, Within(), Within(limit=5)])
def test_a_class_of_ones_own_with_or_without_parentheses(given: Any, sample: SampleMaker, only: Only) -> None:
    found = resolve(given)
    assert (found.name, found.judge) == ("within", False)
    assert only(found, sample("12345"))[0].value == 1.0


def test_a_class_that_needs_arguments_is_said_to() -> None:
    with pytest.raises(
        ConfigError, match=r"Guidelines cannot be made without arguments \(guidelines: .*Guidelines\("
    ):
        resolve(Guidelines)


def test_a_class_that_cannot_be_made_says_why() -> None:
    class Broken(Within):
        def __init__(self) -> None:
            raise RuntimeError("no key")

    with pytest.raises(ConfigError, match=r"Broken cannot be made without arguments \(no key\)"):
        resolve(Broken)


@pytest.mark.parametrize(
    ("given", "output", "value"),
    [(ResponseLength(max_length=5), "123456", 0.0), (RegexMatch(pattern="^[0-9]+$"), "123456", 1.0)],
)
def test_a_built_in_scorer_that_asks_no_model_is_no_judge(
    given: Any, output: str, value: float, sample: SampleMaker, only: Only
) -> None:
    found = resolve(given)
    assert (found.judge, found.model, found.endpoint) == (False, None, None)
    assert only(found, sample(output))[0].value == value


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (Correctness, "correctness"),
        (Safety(), "safety"),
        (RelevanceToQuery(model="openai:/gpt-4o-mini"), "relevance_to_query"),
        (Guidelines(name="kind", guidelines="Be kind."), "kind"),
        (make_judge(name="tone", instructions="Is {{ outputs }} kind?", model="openai:/gpt-4o-mini"), "tone"),
    ],
)
def test_judges_ask_the_endpoint_of_the_environment(
    given: Any, name: str, judge: JudgeServer, sample: SampleMaker, only: Only
) -> None:
    found = resolve(given)
    assert (found.name, found.judge, found.reads_trace, found.endpoint) == (name, True, False, judge.base_url)
    score, feedback = only(found, sample(expectations=EXPECTED))
    assert (score.name, score.value, score.rationale) == (name, 1.0, "because")
    assert (feedback.name, feedback.value, feedback.source.source_type) == (name, "yes", "LLM_JUDGE")
    assert len(judge.asked) == 1
    assert "Refunds take five days." in judge.asked[0]


def test_what_a_judge_spent_is_known(judge: JudgeServer, sample: SampleMaker, only: Only) -> None:
    _, feedback = only(resolve(Safety(model="openai:/gpt-4o-mini")), sample())
    spent = spend(feedback)
    assert spent is not None
    assert spent.input_tokens
    assert spent.output_tokens
    assert spent.cost == pytest.approx(spent.input_tokens * 0.15e-6 + spent.output_tokens * 0.6e-6)


def test_a_judge_of_a_model_without_a_price_costs_an_unknown_amount(
    judge: JudgeServer, sample: SampleMaker, only: Only
) -> None:
    _, feedback = only(resolve(Safety(model="openai:/nobodys-model")), sample())
    spent = spend(feedback)
    assert spent is not None
    assert spent.cost is None
    assert spent.output_tokens


def test_no_call_of_a_judge_is_a_call_of_the_app(
    judge: JudgeServer, sample: SampleMaker, only: Only, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow.openai

    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{database}")
    calls: list[str] = []

    mlflow.openai.autolog()
    mlflow.tracing.configure(span_processors=[lambda span: calls.append(span.name)])
    try:
        assert only(resolve(Safety()), sample())[0].value == 1.0
    finally:
        mlflow.tracing.configure(span_processors=[])
        mlflow.openai.autolog(disable=True)
    assert calls == []


@pytest.mark.parametrize(
    ("kind", "said", "value"),
    [
        (int, 4, 4.0),
        (float, 0.25, 0.25),
        (bool, False, 0.0),
        (Literal["correct", "incorrect"], "incorrect", 0.0),
        (str, "Pass", 1.0),
    ],
)
def test_what_a_judge_rates_in_is_a_number(
    kind: Any, said: object, value: float, judge: JudgeServer, sample: SampleMaker, only: Only
) -> None:
    judge.answer = lambda asked: {"result": said, "rationale": "so"}
    made = make_judge(name="tone", instructions="{{ inputs }}", model="openai:/m", feedback_value_type=kind)
    assert only(resolve(made), sample())[0].value == value


@pytest.mark.parametrize("said", ["this is no JSON", {"rating": 3}, {"result": "<script>", "rationale": "x"}])
def test_an_answer_that_is_none_is_a_missing_value(
    said: object, judge: JudgeServer, sample: SampleMaker, only: Only
) -> None:
    judge.answer = lambda asked: said
    made = make_judge(name="tone", instructions="{{ outputs }}", model="openai:/m")
    score, feedback = only(resolve(made), sample())
    assert score.value is None
    assert score.error
    assert "\n" not in score.error
    assert feedback.name == "tone"


def test_a_judges_own_base_url_wins_over_the_environment(
    judge: JudgeServer, sample: SampleMaker, only: Only, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    url = f"{judge.base_url}/chat/completions"
    found = resolve(make_judge(name="tone", instructions="{{ outputs }}", model="openai:/m", base_url=url))
    assert found.endpoint == url
    assert only(found, sample())[0].value == 1.0


def test_a_missing_expectation_is_a_missing_value_and_no_call(
    judge: JudgeServer, sample: SampleMaker, only: Only
) -> None:
    score, feedback = only(resolve(Correctness()), sample())
    assert score.value is None
    assert "expected_response" in (score.error or "")
    assert feedback.error.error_code == "SCORER_ERROR"
    assert judge.asked == []


def test_a_missing_output_is_not_searched_for_by_a_model(judge: JudgeServer, sample: SampleMaker, only: Only) -> None:
    score, _ = only(resolve(RelevanceToQuery()), sample(output=None))
    assert score.value is None
    assert "outputs" in (score.error or "")
    assert judge.asked == []


def test_without_a_key_a_judge_says_so(sample: SampleMaker, only: Only) -> None:
    score, _ = only(resolve(Safety()), sample())
    assert score.value is None
    assert "OPENAI_API_KEY" in (score.error or "")


def test_a_judge_of_the_trace_gets_it(judge: JudgeServer, sample: SampleMaker, only: Only, trace: Any) -> None:
    judge.answer = lambda asked: {"result": "yes" if "one" in asked else "no", "rationale": "r"}
    found = resolve(RetrievalRelevance())
    assert found.reads_trace
    by_name = {score.name: score.value for score, _ in found.score(sample(trace=lambda: trace))}
    assert by_name == {"retrieval_relevance": 0.5, "retrieval_relevance/precision": 0.5}


def test_instructions_that_name_the_trace_read_it(judge: JudgeServer) -> None:
    found = resolve(make_judge(name="steps", instructions="Was {{ trace }} short?", model="openai:/m"))
    assert found.reads_trace


@pytest.mark.parametrize(
    "given",
    [
        ConversationCompleteness,
        make_judge(name="talk", instructions="Was {{ conversation }} kind?", model="openai:/m"),
        scorer(lambda session: True, name="talk"),
    ],
)
def test_what_judges_whole_conversations_is_refused(given: Any) -> None:
    with pytest.raises(ConfigError, match="judges whole conversations, but a case is scored by itself"):
        resolve(given)


def test_an_ensemble_is_as_its_members_are(judge: JudgeServer, sample: SampleMaker, only: Only) -> None:
    plain = resolve(make_scorer_ensemble(name="all", scorers=[polite, Within()], ensemble_fn="agg_all"))
    assert (plain.judge, plain.reads_trace) == (False, False)
    assert only(plain, sample("please"))[0].value == 1.0
    judged = resolve(make_scorer_ensemble(name="any", scorers=[polite, Safety()], ensemble_fn="agg_any"))
    assert (judged.judge, judged.endpoint) == (True, judge.base_url)
    assert only(judged, sample("now"))[0].value == 1.0
    reading = resolve(make_scorer_ensemble(name="any", scorers=[counted], ensemble_fn=lambda values: values[0]))
    assert reading.reads_trace


def test_an_aligned_judge_asks_the_model_of_the_one_that_it_refines() -> None:
    made = Within()
    object.__setattr__(made, "_base_judge", Safety(model="openai:/gpt-4o-mini"))
    found = resolve(made)
    assert (found.judge, found.model) == (True, "openai:/gpt-4o-mini")


def test_a_scorers_timeout_is_a_missing_value(sample: SampleMaker, only: Only) -> None:
    import threading

    never = threading.Event()

    @scorer(timeout=0.05)
    def slow(outputs: str) -> bool:
        return never.wait(10)

    score, _ = only(resolve(slow), sample())
    never.set()
    assert score.value is None
    assert "timed out after 0.05 seconds" in (score.error or "")


def test_judges_answer_many_threads_at_once_each_for_its_own_sample(
    judge: JudgeServer, sample: SampleMaker, only: Only
) -> None:
    judge.answer = lambda asked: {"result": "yes" if "even" in asked else "no", "rationale": "so"}
    found = resolve(Correctness())
    outputs = ["even" if n % 2 == 0 else "odd" for n in range(40)]
    with ThreadPoolExecutor(16) as pool:
        scored = list(pool.map(lambda o: only(found, sample(o, expectations=EXPECTED))[0].value, outputs))
    assert scored == [1.0 if o == "even" else 0.0 for o in outputs]
    assert len(judge.asked) == 40


def test_a_judge_sees_plain_values(judge: JudgeServer, sample: SampleMaker, only: Only) -> None:
    made = make_judge(name="tone", instructions="{{ inputs }} {{ outputs }} {{ expectations }}", model="openai:/m")
    only(resolve(made), sample({"answer": "Grüße"}, inputs={"q": ["ä"]}, expectations={"expected_facts": ["b"]}))
    said = judge.asked[0]
    for value in ({"answer": "Grüße"}, {"q": ["ä"]}, {"expected_facts": ["b"]}):
        key = next(iter(value))
        assert key in said
    assert "mappingproxy" not in said
    assert json.dumps("Grüße", ensure_ascii=False).strip('"') in said
