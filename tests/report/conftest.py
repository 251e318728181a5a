from __future__ import annotations

from types import SimpleNamespace

import pytest

from pytest_genaiver.core.compare import compare
from pytest_genaiver.core.decision import CaseFinding, Decision, MetricDecision
from pytest_genaiver.core.pooling import pool
from pytest_genaiver.core.results import CaseResult, SessionFacts, Version, VersionResults
from pytest_genaiver.report.summary import BaselineFacts, Counts, Link, summarise

FUNCTION = "tests/test_support.py::test_topic"


def case(name, digest="", **scores):
    return CaseResult(
        id=name,
        digest=digest or name,
        function=name.partition("[")[0],
        scores=scores,
        traces=[f"tr-{name[-6:-1]}"],
        location="tests/test_support.py:12",
        notes=["answered: we open at nine"],
    )


def session(cases, *, name="support-3f2a91c0", **facts):
    facts = {"id": name, "complete": True, "repeats": 1, "traces_produced": 40, "traces_stored": 40, **facts}
    return VersionResults(
        version=Version(name=name, app="support", commit="3f2a91c0" * 5),
        session=SessionFacts(started="2025-06-01T10:00:00Z", **facts),
        cases={case.id: case for case in cases},
    )


def metric(name, kind="binary", verdict="pass", baseline=0.96, current=0.96, upper=0.05, **more):
    more = {"direction": "higher", "gate": "fail", "tolerance": 0.02, "reason": f"reason of {name}", **more}
    return MetricDecision(
        name=name, kind=kind, verdict=verdict, baseline=baseline, current=current, upper=upper, **more
    )


def finding(name, metric, baseline=1.0, current=0.0, z=2.0):
    return CaseFinding(case=name, metric=metric, baseline=baseline, current=current, n_baseline=5, n_current=1, z=z)


def decision(verdict, *metrics, reason="why"):
    return Decision(
        verdict=verdict,
        metrics={metric.name: metric for metric in metrics},
        look=1,
        looks=(1, 2, 5),
        alpha=0.05,
        reason=reason,
    )


BASELINE = BaselineFacts(
    name="support-1a2b3c4d",
    commit="1a2b3c4d" * 5,
    model_id="m-1",
    distance=2,
    age=3 * 3600.0,
    why="merge base with origin/main",
    coverage=1.0,
    sessions=5,
)
FIRST = BaselineFacts(why="no ancestor of this commit was recorded")
LINKS = (
    Link(label="version", target="http://127.0.0.1:5000/#/experiments/1/models/m-0123456789abcdef0123456789abcdef"),
    Link(label="browse", target="mlflow ui --backend-store-uri sqlite:////home/me/support/mlflow.db"),
)


def names(count):
    return [f"{FUNCTION}[question-{index:02}]" for index in range(count)]


@pytest.fixture
def build():
    """The builders above; `build.summary(...)` makes a summary of what differs from a plain session."""

    def summary(found, now=None, old=None, **more):
        now = now or session([case("t.py::test[a]", ok=[1.0])])
        more = {"baseline": BASELINE, "counts": Counts(evaluated=1), **more}
        return summarise(now, compare(pool([old or now]), now), found, **more)

    return SimpleNamespace(
        case=case, session=session, metric=metric, finding=finding, decision=decision, summary=summary
    )


@pytest.fixture
def regressed():
    """A worse prompt: one metric regressed, one case broke, something of everything else."""
    ids = names(12)
    old = session(
        [case(n, passed=[1.0], on_topic=[1.0]) for n in [*ids, "tests/test_old.py::test_gone"]],
        name="support-1a2b3c4d",
    )
    added = "tests/test_support.py::test_new"
    now = session(
        [case(n, passed=[1.0], on_topic=[0.0], total_tokens=[312.0]) for n in [*ids, added]],
        traces_stored=38,
        calls_failed=3,
    )
    found = decision(
        "regressed",
        metric(
            "on_topic",
            verdict="regressed",
            current=0.55,
            upper=0.49,
            reason="0.96 -> 0.55, far beyond chance (p below 0.0001 at level 0.04)",
            broken=(finding(ids[3], "on_topic"),),
            worst=tuple(finding(n, "on_topic", z=9.0 - i) for i, n in enumerate(ids)),
        ),
        metric("passed", baseline=1.0, current=1.0, upper=0.0),
        metric(
            "latency",
            "latency",
            "regressed",
            baseline=0.812,
            current=1.236,
            upper=0.5,
            gate="warn",
            direction="lower",
            reason="0.81 -> 1.24, beyond chance (p 0.01 at level 0.04)",
        ),
        metric("cost", "cost", baseline=0.00213, current=0.00209, upper=0.03, gate="warn", direction="lower"),
    )
    return summarise(
        now,
        compare(pool([old]), now),
        found,
        baseline=BASELINE,
        counts=Counts(evaluated=13, nothing=("tests/test_support.py::test_empty",), lost=(ids[0], ids[1])),
        warnings=("shallow clone: run `git fetch --unshallow`",),
        links=LINKS,
    )


@pytest.fixture
def first():
    now = session([case(n, passed=[1.0]) for n in names(2)])
    found = decision("pass", metric("passed", baseline=None, current=1.0, upper=None, new=True))
    return summarise(now, compare(None, now), found, baseline=FIRST, counts=Counts(evaluated=2), links=LINKS[1:])
