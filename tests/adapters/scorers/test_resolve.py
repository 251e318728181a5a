"""What a user may give as a scorer, and by which names."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import mlflow.metrics
import pytest
from mlflow.genai.scorers import Correctness

from pytest_genaiver.adapters.scorers.named import named
from pytest_genaiver.adapters.scorers.resolve import resolve
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Only, SampleMaker

WriteModule = "Callable[[str, str], None]"


@pytest.mark.parametrize("given", [None, 3, {"name": "x"}, ["a"], int, type("Mine", (), {}), mlflow, ValueError("x")])
def test_what_is_no_scorer_is_said_in_one_sentence(given: Any) -> None:
    with pytest.raises(ConfigError) as error:
        resolve(given)
    assert "a scorer is a function that takes any of inputs, outputs, expectations and trace" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_name_in_a_marker_is_told_where_names_belong() -> None:
    with pytest.raises(ConfigError, match="names are for the ini key genai_scorers"):
        resolve("Correctness")


def test_a_scorer_stays_itself() -> None:
    found = resolve(Correctness)
    assert resolve(found) is found


def test_a_metric_that_was_not_called_is_called() -> None:
    assert resolve(mlflow.metrics.toxicity).name == "toxicity"
    with pytest.raises(ConfigError, match=r"precision_at_k needs k: .* precision_at_k\(k=\.\.\.\)"):
        resolve(mlflow.metrics.precision_at_k)


@pytest.mark.parametrize(
    ("text", "name", "judge"),
    [
        ("Correctness", "correctness", True),
        (" RelevanceToQuery ", "relevance_to_query", True),
        ("exact_match", "exact_match", False),
        ("latency", "latency", False),
        ("flesch_kincaid_grade_level", "flesch_kincaid_grade_level", False),
        ("answer_relevance", "answer_relevance", True),
        ("Summarization", "summarization", True),
        ("mlflow.genai.scorers:Safety", "safety", True),
        ("mlflow.metrics:toxicity", "toxicity", False),
    ],
)
def test_mlflows_own_have_bare_names(text: str, name: str, judge: bool) -> None:
    found = resolve(named(text))
    assert (found.name, found.judge) == (name, judge)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Corectness", "did you mean Correctness"),
        ("correctness", "did you mean Correctness"),
        ("exactmatch", "did you mean exact_match"),
        ("brief", "write your own as package.module:attribute"),
        ("make_genai_metric", "no scorer or metric 'make_genai_metric'"),
        ("Scorer", "no scorer or metric 'Scorer'"),
        ("", "no scorer or metric ''"),
        ("my_app.scorers.brief", "needs a colon before its last part: my_app.scorers:brief"),
        ("my_app:", "must be package.module:attribute"),
        (":brief", "must be package.module:attribute"),
        ("no_such_app.scorers:brief", "cannot be imported (ModuleNotFoundError: No module named 'no_such_app')"),
        ("mlflow.genai.scorers:Safty", "is not there; did you mean Safety"),
        ("mlflow.genai.scorers:Safety.nothing", "is not there"),
    ],
)
def test_a_name_that_leads_nowhere_is_said_with_what_is_near(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        named(text)
    assert str(error.value).startswith("genai_scorers: ")
    assert said in str(error.value)


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes a module that can be imported."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def module(name: str, text: str) -> None:
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")

    yield module
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


def test_ones_own_are_found_in_their_module(write: Callable[[str, str], None]) -> None:
    write("genaiver_named_a", "class all:\n    @staticmethod\n    def brief(outputs):\n        return True\n")
    assert resolve(named("genaiver_named_a:all.brief")).name == "brief"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("(", "SyntaxError"),
    ],
)
def test_a_module_that_cannot_be_imported_says_why(text: str, line: str, write: Callable[[str, str], None]) -> None:
    name = f"genaiver_named_{abs(hash(text))}"
    write(name, text)
    with pytest.raises(ConfigError) as error:
        named(f"{name}:brief")
    assert line in str(error.value)


def test_an_interrupt_while_importing_is_one(write: Callable[[str, str], None]) -> None:
    write("genaiver_named_b", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        named("genaiver_named_b:brief")


def test_a_framework_that_is_not_installed_is_a_missing_value_never_an_error(
    monkeypatch: pytest.MonkeyPatch, sample: SampleMaker, only: Only
) -> None:
    for module in [m for m in sys.modules if m.startswith(("deepeval", "mlflow.genai.scorers.deepeval"))]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "deepeval", None)
    found = resolve(named("mlflow.genai.scorers.deepeval:AnswerRelevancy"))
    assert (found.name, found.judge) == ("AnswerRelevancy", False)
    score, feedback = only(found, sample())
    assert (score.name, score.value, feedback) == ("AnswerRelevancy", None, None)
    assert score.error == "deepeval cannot be imported: pip install deepeval"
