"""Plain functions as scorers."""

from __future__ import annotations

import asyncio
import functools
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from mlflow.entities import Feedback

from pytest_genaiver.adapters.scorers.resolve import resolve
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from conftest import Only, SampleMaker


def brief(outputs: str) -> bool:
    return len(outputs) < 100


def cites(inputs: dict[str, Any], outputs: str, expectations: dict[str, Any]) -> float:
    return float(expectations["source"] in outputs and bool(inputs))


def spans(trace: Any) -> int:
    return len(trace)


class Longer:
    def __init__(self, than: int) -> None:
        self.than = than

    def __call__(self, outputs: str) -> bool:
        return len(outputs) > self.than

    def method(self, outputs: str) -> bool:
        return self(outputs)


def test_a_function_is_called_with_what_it_takes(sample: SampleMaker, only: Only) -> None:
    scorer = resolve(brief)
    score, feedback = only(scorer, sample("short"))
    assert (scorer.name, scorer.judge, scorer.reads_trace, scorer.lower_is_better) == ("brief", False, False, None)
    assert (score.name, score.value, score.error) == ("brief", 1.0, None)
    assert (feedback.name, feedback.value, feedback.source.source_type) == ("brief", True, "CODE")
    assert only(resolve(cites), sample("see [faq]", expectations={"source": "faq"}))[0].value == 1.0


def test_the_trace_is_built_for_those_only_that_read_it(sample: SampleMaker, only: Only) -> None:
    scorer = resolve(spans)
    assert scorer.reads_trace
    assert only(scorer, sample(trace=lambda: "abc"))[0].value == 3.0


def test_a_scorer_that_changes_its_arguments_changes_no_other_scorers(sample: SampleMaker, only: Only) -> None:
    def greedy(inputs: dict[str, Any], expectations: dict[str, Any]) -> bool:
        inputs.clear()
        expectations["mine"] = True
        return True

    given = sample(expectations={"source": "faq"})
    assert only(resolve(greedy), given)[0].value == 1.0
    assert dict(given.inputs) == {"question": "How long do refunds take?"}
    assert dict(given.expectations) == {"source": "faq"}


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (functools.partial(brief), "brief"),
        (Longer(3), "Longer"),
        (Longer(3).method, "method"),
        (functools.wraps(brief)(lambda **kwargs: brief(kwargs["outputs"])), "brief"),
    ],
)
def test_whatever_can_be_called_by_name_is_a_scorer(given: Any, name: str, sample: SampleMaker, only: Only) -> None:
    score, _ = only(resolve(given), sample("fine"))
    assert (score.name, score.value) == (name, 1.0)


def test_keyword_arguments_are_given_everything(sample: SampleMaker, only: Only) -> None:
    def everything(**given: Any) -> int:
        return len(given)

    assert only(resolve(everything), sample(trace=lambda: None))[0].value == 4.0


def test_an_async_function_is_awaited(sample: SampleMaker, only: Only) -> None:
    async def patient(outputs: str) -> bool:
        await asyncio.sleep(0)
        return bool(outputs)

    assert only(resolve(patient), sample())[0].value == 1.0


@pytest.mark.parametrize(
    "function",
    [
        lambda outputs: True,
        functools.partial(lambda outputs: True),
    ],
)
def test_a_lambda_has_no_name(function: Any) -> None:
    with pytest.raises(ConfigError, match="a lambda cannot be a scorer"):
        resolve(function)


def test_what_else_a_function_requires_is_named() -> None:
    def wrong(outputs: str, threshold: float, model: str, style: str = "x") -> bool:
        return True

    with pytest.raises(
        ConfigError, match=r"'wrong' takes threshold, model, but .* inputs, outputs, expectations, tr"
    ):
        resolve(wrong)


def test_parameters_that_cannot_be_named_are_refused() -> None:
    def positional(outputs: str, /) -> bool:
        return True

    with pytest.raises(ConfigError, match=r"'positional' takes outputs, but a scorer is called .* by name"):
        resolve(positional)


def test_what_python_cannot_look_into_is_refused() -> None:
    with pytest.raises(ConfigError, match="'min' cannot be used"):
        resolve(min)


@pytest.mark.parametrize("name", ["passed", "latency", "cost"])
def test_the_names_of_measured_metrics_are_taken(name: str) -> None:
    function = functools.partial(brief)
    taken: Any = Longer(3)
    taken.name = name
    with pytest.raises(ConfigError, match=f"cannot be named '{name}'"):
        resolve(taken)
    assert resolve(function).name == "brief"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("no\nsuch\x1b key"), "ValueError: no such key"),
        (KeyError(), "KeyError"),
        (SystemExit(3), "SystemExit: 3"),
    ],
)
def test_a_scorer_that_raises_is_a_missing_value_with_its_error(
    error: BaseException, line: str, sample: SampleMaker, only: Only
) -> None:
    def broken(outputs: str) -> bool:
        raise error

    score, feedback = only(resolve(broken), sample())
    assert (score.value, score.error) == (None, line)
    assert (feedback.name, feedback.value, feedback.error.error_code) == ("broken", None, "SCORER_ERROR")
    assert feedback.error.error_message == line
    assert "in broken" in feedback.error.stack_trace


def test_a_failed_assertion_of_a_scorer_is_no_quality_of_0(sample: SampleMaker, only: Only) -> None:
    def asserts(outputs: str) -> None:
        pytest.fail("not this")

    assert only(resolve(asserts), sample())[0].value is None


def test_an_interrupt_is_not_a_scorers_failure(sample: SampleMaker) -> None:
    def interrupted(outputs: str) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resolve(interrupted).score(sample())


def test_one_function_may_give_several_scores(sample: SampleMaker) -> None:
    def many(outputs: str) -> list[Feedback]:
        return [Feedback(value=True), Feedback(name="words", value=4, rationale="counted")]

    (first, _), (second, feedback) = resolve(many).score(sample())
    assert (first.name, first.value) == ("many", 1.0)
    assert (second.name, second.value, second.rationale) == ("words", 4.0, "counted")
    assert (feedback.name, feedback.value) == ("words", 4)


def test_many_threads_may_score_at_once(sample: SampleMaker, only: Only) -> None:
    together = threading.Barrier(8)

    def waits(outputs: str) -> int:
        together.wait(10)
        return int(outputs)

    scorer = resolve(waits)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: only(scorer, sample(str(n)))[0].value, range(8)))
    assert found == [float(n) for n in range(8)]
