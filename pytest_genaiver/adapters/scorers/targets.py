"""What an output is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_genaiver.adapters.scorers.scorer import Sample

# The names that MLflow, DeepEval, Ragas and the field's data sets give to the one right answer, best first.
NAMES = (
    *("expected_response", "expected_output", "expected_answer", "targets", "target", "ground_truth", "reference"),
    *("expected", "answer", "label"),
)


def target_of(metric: str, sample: Sample) -> object:
    """The expectation that holds the right answer: by its name, or the only one there is."""
    for name in NAMES:
        if name in sample.expectations:
            return sample.expectations[name]
    if len(sample.expectations) == 1:
        return next(iter(sample.expectations.values()))
    has = f"it has {', '.join(sample.expectations)}" if sample.expectations else "it has none"
    raise LookupError(
        f"{metric} compares the output with an expectation of the case, but {has}; name one of them expected_response"
    )
