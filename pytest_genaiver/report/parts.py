"""The parts of a report as values. Names and ids in them are raw: whoever draws them escapes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Tone = Literal["bad", "warn", "good", "plain"]
Mark = Literal["broken", "suspect", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What the session knows beside its results; the tuples hold case ids.

    `evaluated` counts cases that recorded something, `wanted` is the least that passes (--genai-min-cases),
    `nothing` are marked cases without trace, score or output, `lost` those whose traces the store lacks, `soft` those
    of which an assertion failed softly, each with its message. `told` are further facts, a line each.
    """

    evaluated: int
    wanted: int = 1
    nothing: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    soft: tuple[str, ...] = ()
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Where to look: a URL, or a command to run."""

    label: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the metric table, its numbers as text. `gated`: this metric can fail the session."""

    metric: str
    baseline: str
    current: str
    change: str
    hides: str
    verdict: str
    tone: Tone
    gated: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstCase:
    """One case that got worse: its means as text, and how many values they are the means of."""

    case: str
    metric: str
    baseline: str
    current: str
    n_baseline: int
    n_current: int
    mark: Mark
    location: str | None
    traces: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A count, and the names behind it. Facts whose tone is not plain are shown even when quiet."""

    text: str
    names: tuple[str, ...] = ()
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Versus:
    """Another version of the same session beside a reference; `reference` is empty where it is the first itself."""

    version: str
    reference: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Cases that are tracked, not gated: those of one `gate` mode, ``"warn"`` or ``"off"``, and their own metrics."""

    gate: str
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A version of the history: metric -> its mean over cases, under the names that MLflow has for them."""

    version: str
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Everything that a report shows, in its order.

    `since` is what changed since the baseline: commits, configuration, prompts, dependencies. `sure` says how sure
    the verdict is, and how to be surer, a sentence each.
    """

    verdict: str
    tone: Tone
    headline: str
    version: str
    baseline: str
    about_baseline: str
    rows: tuple[Row, ...]
    worst: tuple[WorstCase, ...]
    facts: tuple[Fact, ...]
    warnings: tuple[str, ...]
    links: tuple[Link, ...]
    next_step: str
    versus: tuple[Versus, ...] = ()
    tiers: tuple[Tier, ...] = ()
    since: tuple[Fact, ...] = ()
    sure: tuple[str, ...] = ()
