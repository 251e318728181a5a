"""Test suites and their random answers: unchanged versions, and versions with a known regression.

Each scenario fixes a suite's shape; each trial draws its cases anew, then the baseline's values and up to 16 calls of
every case of the current version, so that every rule judges the same calls and takes as many as it wants.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from pytest_genaiver.core.policy import Kind

    Floats = npt.NDArray[np.float64]

CALLS = 16
LOG_KINDS = ("latency", "tokens", "cost")
BETA_WEIGHT = 3.0
RELIABLE = 0.98
OUTLIERS, OUTLIER_FACTOR = 0.03, 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """How one metric's values arise.

    `level`: mean pass rate, mean of the scale, or median (log kinds). `spread` between cases and `noise` within one
    are standard deviations, of logs for log kinds; a pass rate has neither: its cases follow a Beta distribution,
    most of them near 0 or 1. `drift`: standard deviation of a session's common factor, in logs. `drop`: the change
    for the worse of the current version in every case, in points, a share for log kinds. `broken`: so many cases
    that passed 98 % now never pass; those of other kinds lose `broken_by`.
    """

    name: str
    kind: Kind
    level: float
    spread: float = 0.0
    noise: float = 0.0
    drift: float = 0.0
    drop: float = 0.0
    broken: int = 0
    broken_by: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A suite and what happened to it. The baseline holds `sessions` x `per_session` values of each case.

    `missing`: the share of single values that a scorer lost, and again that of calls that failed with every value.
    """

    name: str
    cases: int
    models: tuple[Model, ...]
    sessions: int = 5
    per_session: int = 1
    missing: float = 0.0

    @property
    def changed(self) -> bool:
        return any(model.drop > 0 or model.broken > 0 for model in self.models)

    @property
    def drifts(self) -> bool:
        """Some sessions are slower as a whole, whatever the code."""
        return any(model.drift > 0 for model in self.models)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """One trial's values, a row a case, NaN where a value is missing; `sessions` numbers the baseline's columns."""

    baseline: dict[str, Floats]
    current: dict[str, Floats]
    sessions: tuple[int, ...]


def draw(scenario: Scenario, seed: int, trial: int) -> Draw:
    """The values of one trial: the same for the same scenario name, seed and trial."""
    rng = np.random.default_rng([seed, zlib.crc32(scenario.name.encode()), trial])
    columns = scenario.sessions * scenario.per_session
    shape = (scenario.cases, columns + CALLS)
    failed = rng.random(shape) < scenario.missing
    labels = np.repeat(np.arange(scenario.sessions), scenario.per_session)
    baseline, current = {}, {}
    for model in scenario.models:
        values = _values(model, rng, shape, labels)
        values[failed | (rng.random(shape) < scenario.missing)] = np.nan
        baseline[model.name], current[model.name] = values[:, :columns], values[:, columns:]
    return Draw(baseline=baseline, current=current, sessions=tuple(labels.tolist()))


def _values(model: Model, rng: np.random.Generator, shape: tuple[int, int], labels: npt.NDArray[np.int64]) -> Floats:
    cases, columns = shape
    now = np.arange(columns) >= len(labels)
    if model.kind == "binary":
        return _passes(model, rng, shape, now)
    centre = rng.normal(0, model.spread, cases)[:, None] + rng.normal(0, model.noise, shape)
    if model.kind in LOG_KINDS:
        return _amounts(model, rng, centre, now, labels)
    fall = np.full(cases, model.drop)
    fall[: model.broken] = model.broken_by
    values = model.level + centre - fall[:, None] * now
    limited: Floats = np.clip(np.round(values), 1, 5) if model.kind == "likert" else np.clip(values, 0, 1)
    return limited


def _passes(model: Model, rng: np.random.Generator, shape: tuple[int, int], now: npt.NDArray[np.bool_]) -> Floats:
    rate = rng.beta(model.level * BETA_WEIGHT, (1 - model.level) * BETA_WEIGHT, shape[0])
    after = rate * (1 - model.drop / model.level)
    rate[: model.broken], after[: model.broken] = RELIABLE, 0.0
    passes: Floats = (rng.random(shape) < np.where(now, after[:, None], rate[:, None])).astype(np.float64)
    return passes


def _amounts(
    model: Model,
    rng: np.random.Generator,
    centre: Floats,
    now: npt.NDArray[np.bool_],
    labels: npt.NDArray[np.int64],
) -> Floats:
    session = rng.normal(0, model.drift, int(labels[-1]) + 2)
    drift = np.where(now, session[-1], session[np.pad(labels, (0, len(now) - len(labels)))])
    values = model.level * np.exp(centre + drift) * np.where(now, 1 + model.drop, 1.0)
    if model.kind == "latency":
        values[rng.random(values.shape) < OUTLIERS] *= OUTLIER_FACTOR
    return np.round(values) if model.kind == "tokens" else values


def binary(name: str = "on_topic", level: float = 0.92, **change: float) -> Model:
    return _model(name, "binary", level, change)


def likert(name: str = "tone", **change: float) -> Model:
    return _model(name, "likert", 3.8, {"spread": 0.6, "noise": 0.7, **change})


def score(name: str = "similarity", **change: float) -> Model:
    return _model(name, "score", 0.7, {"spread": 0.1, "noise": 0.1, **change})


def latency(**change: float) -> Model:
    return _model("latency", "latency", 1.5, {"spread": 0.4, "noise": 0.25, **change})


def tokens(**change: float) -> Model:
    return _model("output_tokens", "tokens", 250.0, {"spread": 0.5, "noise": 0.15, **change})


def _model(name: str, kind: Kind, level: float, settings: dict[str, float]) -> Model:
    broken = int(settings.pop("broken", 0))
    return Model(name=name, kind=kind, level=level, broken=broken, **settings)


def five(changed: Model | None = None) -> tuple[Model, ...]:
    """Five metrics of five kinds, one of them replaced by its changed form."""
    usual = (binary(), likert(), score(), latency(drift=0.1), tokens())
    return tuple(changed if changed is not None and changed.name == m.name else m for m in usual)


def ten(**change: float) -> tuple[Model, ...]:
    """Ten metrics: four pass rates, the first two changed, three judges, three scores."""
    rates = [binary(f"check_{i}", 0.93, **(change if i < 2 else {})) for i in range(4)]
    return (*rates, *(likert(f"judge_{i}") for i in range(3)), *(score(f"score_{i}") for i in range(3)))


UNCHANGED = (
    Scenario(name="5 cases, pass rate", cases=5, models=(binary(),)),
    Scenario(name="20 cases, flaky pass rate of .7", cases=20, models=(binary(level=0.7),)),
    Scenario(name="200 cases, pass rate", cases=200, models=(binary(),)),
    Scenario(name="50 cases, pass rate, baseline of 1", cases=50, models=(binary(),), sessions=1),
    Scenario(name="30 cases, pass rate, baseline of 20", cases=30, models=(binary(level=0.85),), sessions=20),
    Scenario(name="30 cases, Likert judge", cases=30, models=(likert(),)),
    Scenario(name="60 cases, Likert judge, baseline of 3", cases=60, models=(likert(),), sessions=3),
    Scenario(name="40 cases, score", cases=40, models=(score(),)),
    Scenario(name="50 cases, latency, no drift", cases=50, models=(latency(),)),
    Scenario(name="50 cases, latency, drift of .15", cases=50, models=(latency(drift=0.15),)),
    Scenario(
        name="100 cases, latency, drift of .15, 3 sessions", cases=100, models=(latency(drift=0.15),), sessions=3
    ),
    Scenario(name="10 cases, latency, drift of .15", cases=10, models=(latency(drift=0.15),)),
    Scenario(
        name="20 cases, latency, drift of .10, 3 sessions of 5",
        cases=20,
        models=(latency(drift=0.1),),
        sessions=3,
        per_session=5,
    ),
    Scenario(name="80 cases, tokens", cases=80, models=(tokens(),)),
    Scenario(name="40 cases, 5 metrics", cases=40, models=five()),
    Scenario(name="25 cases, 10 metrics", cases=25, models=ten()),
    Scenario(name="60 cases, 2 metrics, 3 % missing", cases=60, models=(binary(), score()), missing=0.03),
)

REGRESSED = (
    Scenario(name="5 cases, pass rate .95 -> .50", cases=5, models=(binary(level=0.95, drop=0.45),)),
    Scenario(name="20 cases, pass rate .95 -> .75", cases=20, models=(binary(level=0.95, drop=0.2),)),
    Scenario(name="50 cases, pass rate .92 -> .82", cases=50, models=(binary(drop=0.1),)),
    Scenario(name="200 cases, pass rate .92 -> .87 everywhere", cases=200, models=(binary(drop=0.05),)),
    Scenario(name="30 cases, 1 breaks", cases=30, models=(binary(level=0.97, broken=1),)),
    Scenario(name="200 cases, 1 breaks", cases=200, models=(binary(level=0.97, broken=1),)),
    Scenario(
        name="60 cases, 3 metrics, 2 cases break",
        cases=60,
        models=(binary(level=0.95, broken=2), likert(), score()),
    ),
    Scenario(
        name="50 cases, .95 -> .75, baseline of 1", cases=50, models=(binary(level=0.95, drop=0.2),), sessions=1
    ),
    Scenario(name="50 cases, .92 -> .80, baseline of 3", cases=50, models=(binary(drop=0.12),), sessions=3),
    Scenario(
        name="30 cases, .85 -> .75, baseline of 20",
        cases=30,
        models=(binary(level=0.85, drop=0.1),),
        sessions=20,
    ),
    Scenario(name="30 cases, Likert judge -0.5", cases=30, models=(likert(drop=0.5),)),
    Scenario(name="100 cases, Likert judge -0.25", cases=100, models=(likert(drop=0.25),)),
    Scenario(name="40 cases, score -0.06", cases=40, models=(score(drop=0.06),)),
    Scenario(name="150 cases, score -0.03 everywhere", cases=150, models=(score(drop=0.03),)),
    Scenario(name="15 cases, score, 1 loses 0.7", cases=15, models=(score(broken=1, broken_by=0.7),)),
    Scenario(name="50 cases, latency +25 %", cases=50, models=(latency(drop=0.25),)),
    Scenario(name="60 cases, latency +60 %, drift of .10", cases=60, models=(latency(drop=0.6, drift=0.1),)),
    Scenario(name="80 cases, tokens +12 %", cases=80, models=(tokens(drop=0.12),)),
    Scenario(name="40 cases, 5 metrics, Likert judge -0.5", cases=40, models=five(likert(drop=0.5))),
    Scenario(name="40 cases, 10 metrics, 2 rates .93 -> .80", cases=40, models=ten(drop=0.13)),
    Scenario(
        name="60 cases, 2 metrics, 3 % missing, .92 -> .80",
        cases=60,
        models=(binary(drop=0.12), score()),
        missing=0.03,
    ),
)

ALL = (*UNCHANGED, *REGRESSED)
