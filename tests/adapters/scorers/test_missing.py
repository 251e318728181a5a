"""What is missing, and what to install."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from mlflow.exceptions import MlflowException
from mlflow.genai.scorers import Scorer

from pytest_genaiver.adapters.scorers.missing import missing_package
from pytest_genaiver.adapters.scorers.resolve import resolve

if TYPE_CHECKING:
    from conftest import Only, SampleMaker

ABSENT = "litellm"


@pytest.fixture(autouse=True)
def no_litellm(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, package=None: None if name == ABSENT else found(name, package)
    )
    monkeypatch.setitem(sys.modules, ABSENT, None)


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause
    except BaseException as caught:
        return caught


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            ImportError("x", name="ragas.llms"),
            "ragas cannot be imported: pip install ragas 'langchain-community<0.4'",
        ),
        (
            ModuleNotFoundError("x", name="langchain_community.chat_models.vertexai"),
            "langchain_community cannot be imported: pip install ragas 'langchain-community<0.4'",
        ),
        (
            MlflowException("Install it with: `pip install litellm`"),
            "litellm cannot be imported: pip install litellm",
        ),
        (
            raised(ValueError("x"), ImportError("y", name="textstat")),
            "textstat cannot be imported: pip install 'textst",
        ),
        (raised(ValueError("x"), ValueError("y")), None),
        (ImportError("x", name="my_own_module"), None),
        (ImportError("x"), None),
        (MlflowException("the judge said: pip install evil"), None),
        (MlflowException("no answer"), None),
        (MlflowException("Install it with: pip install openai"), None),
        (ValueError("pip install litellm"), None),
        (None, None),
    ],
)
def test_only_known_packages_that_are_absent_are_named(error: BaseException | None, said: str | None) -> None:
    found = missing_package(error)
    assert found == said or (said is not None and (found or "").startswith(said))


def test_an_installed_package_is_not_called_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: object())
    assert missing_package(MlflowException("Install it with: `pip install litellm`")) is None


def test_errors_that_raise_each_other_end() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert missing_package(first) is None


def test_a_class_whose_package_is_missing_is_a_missing_value(sample: SampleMaker, only: Only) -> None:
    class Wrapped(Scorer):
        name: str = "wrapped"

        def __init__(self) -> None:
            raise MlflowException("Please install it with: pip install litellm")

    found = resolve(Wrapped)
    score, feedback = only(found, sample())
    assert (found.name, score.value, feedback) == ("Wrapped", None, None)
    assert score.error == "litellm cannot be imported: pip install litellm"


def test_a_function_whose_package_is_missing_is_a_missing_value(sample: SampleMaker, only: Only) -> None:
    def priced(outputs: str) -> float:
        import litellm

        return float(litellm.cost(outputs))

    score, feedback = only(resolve(priced), sample())
    assert (score.value, score.error, feedback) == (None, "litellm cannot be imported: pip install litellm", None)
