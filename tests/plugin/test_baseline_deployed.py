"""--genai-baseline deployed:ENV: the session compares with what runs there."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters.tracking.deployments import deploy
from pytest_genaiver.adapters.tracking.place import place_of
from pytest_genaiver.adapters.tracking.store import Store

if TYPE_CHECKING:
    from conftest import History, Project
    from pytest_genaiver.core.results import Version

SUITE = """
import pytest

@pytest.mark.genai_eval
@pytest.mark.parametrize("question", ["q0", "q1"])
def test_answer(question, genai_case):
    genai_case.score("good", True)
"""


def put_out(project: Project, version: Version, *, days: float) -> None:
    """Puts on record that this version runs in production since so many days."""
    store = Store(place_of(f"sqlite:///{project.path / 'mlflow.db'}", project.path))
    assert store.find("app")
    ref = store.version_by_id(version.model_id or "")
    assert ref is not None
    deploy(store, ref, "production", datetime.now(timezone.utc) - timedelta(days=days, minutes=1))


def test_the_session_compares_with_what_runs_there(project: Project, history: History) -> None:
    old = history.session()
    project.commit("newer")
    history.session(good=0.0)
    put_out(project, old, days=3)
    project.commit("now", **{"test_app.py": SUITE})
    result, report = project.report("--genai-baseline", "deployed:production")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            f"baseline {old.name}, deployed to production 3 days ago, 2 commits back, * old",
            "  what runs in production; 1 session, with 100% of the cases",
        ]
    )
    assert report["baseline"]["deployed_to"] == "production"
    # Where the very version under test is deployed there is nothing to compare with, which is no mistake.
    put_out(project, history.session(), days=1)
    result = project.run("--genai-baseline", "deployed:production")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["baseline none: deployed:production is this very version"])
    result = project.run("--genai-baseline", "deployed:prod")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    sentence = "'deployed:prod': nothing was deployed to prod; environments on record: production"
    result.stderr.fnmatch_lines([f"ERROR: --genai-baseline: {sentence} *"])
