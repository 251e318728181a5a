"""What is scored, and what scores it."""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.scorers.answers import answers, failed
from pytest_genaiver.adapters.scorers.judges import endpoint
from pytest_genaiver.adapters.scorers.missing import Unavailable, missing_package
from pytest_genaiver.core.scoring import Scored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlflow.entities import Trace

    from pytest_genaiver.adapters.scorers.answers import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One repeat as scorers see it. `trace` builds its trace: it is called for those only that read it."""

    inputs: Mapping[str, Any]
    output: Any
    expectations: Mapping[str, Any]
    trace: Callable[[], Trace | None]
    latency: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """Turns a sample into scores; safe to call from many threads at once.

    `fingerprint` changes when the scores would mean something else. `judge`: it asks a model, so that its answers
    may be reused and its calls are a judge's. `lower_is_better` is None where nothing is known. `reads_trace`: its
    answer depends on the trace too, not on inputs, output and expectations alone. `model` and `base_url` are a
    judge's, where they are known.
    """

    name: str
    fingerprint: str
    call: Callable[[Sample], object] = field(repr=False)
    judge: bool = False
    lower_is_better: bool | None = None
    reads_trace: bool = False
    model: str | None = None
    base_url: str | None = None

    @property
    def endpoint(self) -> str | None:
        """The URL that a judge asks, by the environment as it is now."""
        return endpoint(self.model, self.base_url)

    def score(self, sample: Sample) -> list[Answer]:
        """The scores, each with the feedback that belongs on the trace. A scorer's failure is a missing value."""
        try:
            result = self.call(sample)
            if inspect.iscoroutine(result):
                result = asyncio.run(result)
            return answers(self.name, result)
        except Unavailable as error:
            return [(Scored(name=self.name, value=None, error=str(error)), None)]
        except KeyboardInterrupt:
            raise
        # Also what is no Exception: a failed `pytest.fail()` or a `sys.exit()` in a scorer is its own.
        except BaseException as error:
            if (needs := missing_package(error)) is not None:
                return [(Scored(name=self.name, value=None, error=needs), None)]
            return [failed(self.name, error)]


def unavailable(name: str, reason: str, fingerprint: str) -> Scorer:
    """A scorer that cannot run here, `reason` says why and what would help: each of its values is missing."""

    def call(sample: Sample) -> object:
        raise Unavailable(reason)

    return Scorer(name=name, fingerprint=fingerprint, call=call)
