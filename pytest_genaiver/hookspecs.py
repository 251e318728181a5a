"""Hooks that a conftest.py or another plugin may implement.

They are called only in a run with --genai-version, in the process that holds the session (under pytest-xdist the
controller, which loads the plugins and the initial conftest.py files only), save `pytest_genai_scorers` and
`pytest_genai_case_scored`, which every process that runs tests calls. An implementation names just the arguments that
it uses. The built-in behaviour is a ``trylast`` implementation, so yours must not be ``trylast`` too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_genaiver.core.aggregates import Aggregate
    from pytest_genaiver.core.compare import Comparison
    from pytest_genaiver.core.decision import Decision
    from pytest_genaiver.core.policy import MetricPolicy
    from pytest_genaiver.core.results import CaseResult, Version, VersionResults


@pytest.hookspec(firstresult=True)
def pytest_genai_version(config: pytest.Config) -> str | None:
    """Name this version of the app. Called once, at the start of the session; the first name wins.

    Return the whole name, or None to leave it to the next implementation, at last to --genai-version-name, then
    to the app and the git commit. Characters that MLflow refuses in a name are replaced. Example::

        import os

        def pytest_genai_version(config):
            return os.environ.get("RELEASE")
    """


@pytest.hookspec(firstresult=True)
def pytest_genai_baseline(config: pytest.Config, version: Version) -> str | VersionResults | object | None:
    """Choose the version to compare with. Called once, before the first test runs; the first choice wins.

    Return what --genai-baseline accepts (a git ref, a version name, a model id, a results file, `run:REF`), or
    results that you loaded yourself, or `pytest_genaiver.NO_BASELINE` to compare with nothing. None leaves it to the
    next implementation, at last to --genai-baseline. `version` is the version that this session evaluates.
    Example::

        def pytest_genai_baseline(config, version):
            if version.branch == "release":
                return "support-agent-stable"
            return None
    """


@pytest.hookspec(firstresult=True)
def pytest_genai_decide(config: pytest.Config, comparison: Comparison, decision: Decision) -> Decision | None:
    """Overrule the gate. Called once, after the last test; the first decision wins.

    `decision` is what the gate's own rule says about `comparison`. Return a changed copy of it, or None to leave
    it to the next implementation, at last as it is. Example::

        from dataclasses import replace

        def pytest_genai_decide(config, comparison, decision):
            if decision.verdict == "inconclusive" and len(comparison.pairs) < 5:
                return replace(decision, verdict="pass")
            return None
    """


@pytest.hookspec
def pytest_genai_metrics(
    config: pytest.Config,
) -> Sequence[MetricPolicy | str | Mapping[str, Aggregate]] | Mapping[str, Aggregate] | None:
    """Say how metrics are judged, and add aggregates. Called once, at the start of the session; all are collected.

    Return policies, or lines as in the ini key genai_metrics; None or an empty list adds nothing. A line of the
    ini file wins over yours; two implementations that name the same metric are an error.

    An aggregate is one number over all cases: return a mapping of names to functions of the scored cases, or put it
    in the list. ``case.scores[metric][j]`` is call j, None is missing. An aggregate is shown with its change; a line
    for its name gates it by min and max, and against the baseline if it names a kind, a tolerance or no limit. One
    that raises is unknown, with a warning. Example::

        def compression(cases):
            pairs = [p for c in cases for p in zip(c.scores["words_in"], c.scores["words_out"]) if None not in p]
            return sum(out for _, out in pairs) / sum(into for into, _ in pairs)

        def pytest_genai_metrics(config):
            return ["accuracy: higher, tolerance=0.02", "tone: likert, min=3.5", {"compression": compression}]
    """


@pytest.hookspec
def pytest_genai_scorers(config: pytest.Config, item: pytest.Item) -> Sequence[object] | None:
    """Add scorers to a case. Called once for each case, when it is collected; all answers are collected.

    Return scorers as the marker's `scorers=` takes them, the same objects each time; None or an empty list adds
    nothing. Example::

        def mentions_refund(outputs):
            return "refund" in outputs

        def pytest_genai_scorers(config, item):
            if "refund" in item.keywords:
                return [mentions_refund]
    """


@pytest.hookspec
def pytest_genai_case_scored(item: pytest.Item, case: CaseResult) -> None:
    """Learn a case's scores. Called after each repeat of a case, in the process that ran it.

    ``case.scores[metric][j]`` is repeat j, the last one is new, None is a missing value. The result is ignored;
    an error becomes a warning. Example::

        def pytest_genai_case_scored(item, case):
            if 0.0 in case.scores.get("passed", []):
                print("failed at least once:", case.id)
    """


@pytest.hookspec
def pytest_genai_report(config: pytest.Config, comparison: Comparison, decision: Decision) -> None:
    """Learn the final decision, to post or store it. Called once, after the last test.

    The result is ignored; an error becomes a warning and never changes the verdict. Example::

        from pathlib import Path

        def pytest_genai_report(config, comparison, decision):
            (Path(config.rootpath) / "verdict.txt").write_text(decision.verdict)
    """
