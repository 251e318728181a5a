"""MLflow's own metrics: those that are computed here, and why the others gave no value."""

from __future__ import annotations

import importlib.util
import logging
import threading
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.scorers import internals
from pytest_genaiver.adapters.scorers.missing import REQUIREMENTS, Unavailable
from pytest_genaiver.adapters.scorers.targets import target_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_genaiver.adapters.scorers.scorer import Sample

_PACKAGES: Mapping[str, tuple[str, ...]] = {
    "toxicity": ("evaluate", "torch", "transformers"),
    "bleu": ("evaluate",),
    "flesch_kincaid_grade_level": ("textstat",),
    "ari_grade_level": ("textstat",),
    "token_count": ("tiktoken",),
    **dict.fromkeys(("rouge1", "rouge2", "rougeL", "rougeLsum"), ("rouge_score",)),
}

# What a metric loads when it is first used, where all its packages are installed.
_LOADS = {
    "token_count": "its encoding: let tiktoken download it once; TIKTOKEN_CACHE_DIR is the folder that keeps it",
    "toxicity": "its model from huggingface.co: let it download once, HF_HOME is the folder that keeps it",
    "bleu": "its script from huggingface.co: let it download once, HF_HOME is the folder that keeps it",
}

# One for all: `evaluate` keeps what it computes in objects that MLflow caches for the process.
_LOCK = threading.RLock()


def packages_of(metric: str) -> tuple[str, ...]:
    return _PACKAGES.get(metric, ())


def latency(sample: Sample) -> object:
    if sample.latency is None:
        raise ValueError("the latency of this repeat is not known")
    return sample.latency


def exact_match(sample: Sample) -> object:
    """1 or 0, as scikit-learn's accuracy of one row; any value can be compared."""
    return bool(sample.output == target_of("exact_match", sample))


def rouge(kind: str) -> Callable[[Sample], object]:
    """The F-measure by the package that computes it for `evaluate`, which would download a script first."""

    def call(sample: Sample) -> object:
        from rouge_score.rouge_scorer import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
            RougeScorer,
        )

        target, output = _text(kind, target_of(kind, sample)), _text(kind, sample.output)
        return RougeScorer([kind]).score(target, output)[kind].fmeasure

    return call


OWN: Mapping[str, Callable[[Sample], object]] = {
    "latency": latency,
    "exact_match": exact_match,
    **{kind: rouge(kind) for kind in ("rouge1", "rouge2", "rougeL", "rougeLsum")},
}


class Guarded:
    """Runs one of MLflow's metrics, one call at a time, and finds out why it gave None.

    What cannot be loaded is not tried again for the next sample: each try may take seconds.
    """

    def __init__(self, metric: str) -> None:
        self._metric = metric
        self._reason: str | None = None

    def run(self, call: Callable[[], object]) -> object:
        with _LOCK:
            if self._reason is not None:
                raise Unavailable(self._reason)
            with _Complaints() as complaints:
                result = self._called(call)
            if result is None and complaints.texts:
                self._explain(complaints.texts[-1])
            return result

    def _called(self, call: Callable[[], object]) -> object:
        try:
            return call()
        except (ImportError, OSError, LookupError) as error:
            # A word list or encoding that cannot be downloaded is an OSError or a LookupError.
            if self._metric not in _PACKAGES:
                raise
            if isinstance(error, (KeyError, IndexError)):  # a word that is in no list: the next text may do without
                raise Unavailable(_reason(self._metric, f"no such word: {error}")) from error
            raise self._unavailable(str(error)) from error

    def _explain(self, complaint: str) -> None:
        if complaint.startswith("Failed to"):
            raise self._unavailable(complaint)
        raise ValueError(complaint.partition(" Skipping metric logging")[0])

    def _unavailable(self, why: str) -> Unavailable:
        self._reason = _reason(self._metric, why)
        return Unavailable(self._reason)


class _Complaints(logging.Filter):
    """What MLflow's metrics log in this thread while this is open: it is kept, not printed."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._thread = threading.get_ident()

    def __enter__(self) -> _Complaints:
        logging.getLogger(internals.METRICS_LOGGER).addFilter(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger(internals.METRICS_LOGGER).removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        if threading.get_ident() != self._thread:
            return True
        self.texts.append(record.getMessage())
        return False


def _reason(metric: str, why: str) -> str:
    packages = packages_of(metric)
    if lacking := [p for p in packages if importlib.util.find_spec(p) is None]:
        return f"{metric} needs {', '.join(lacking)}: pip install {_install(packages)}"
    if metric in _LOADS:
        return f"{metric} cannot load {_LOADS[metric]}"
    return f"{metric} does not run with this {' and '.join(packages)}: pip install {_install(packages)} ({why})"


def _install(packages: tuple[str, ...]) -> str:
    return " ".join(REQUIREMENTS[p] if p == "textstat" else p for p in packages)


def _text(metric: str, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{metric} compares texts, but this is a {type(value).__name__}")
    return value
