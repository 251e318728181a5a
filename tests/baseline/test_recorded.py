"""Which recorded sessions of a version are read."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_genaiver.adapters.tracking.store import SessionRef
from pytest_genaiver.baseline.recorded import Recorded
from pytest_genaiver.core.results import SessionFacts, Version, VersionResults


def listed(*sessions: tuple[str, bool, str | None], cut_short: bool = False) -> list[str]:
    """The runs that are read of these: (run, complete, whose tests)."""
    refs = [
        SessionRef(run_id=run, artifact_uri="", complete=complete, started_ms=0, tests_from=tests)
        for run, complete, tests in sessions
    ]

    def read_results(session: SessionRef) -> str:
        facts = SessionFacts(id=session.run_id, started="", complete=session.complete, repeats=1)
        return json.dumps(VersionResults(version=Version(name="v", app="app"), session=facts).to_json())

    store: Any = SimpleNamespace(sessions=lambda model_id: refs, read_results=read_results)
    case: Any = SimpleNamespace(id="a", variant={})
    ref: Any = SimpleNamespace(model_id="m-1")
    return [r.session.id for r in Recorded(store).sessions(ref, {"a": case}, cut_short=cut_short)]


@pytest.mark.parametrize(
    ("sessions", "read"),
    [
        ([("new", True, "abc"), ("old", True, None)], ["old"]),
        ([("new", True, "abc"), ("old", True, "def")], ["new", "old"]),
        ([("new", True, "abc"), ("old", False, None)], ["new"]),
        ([("new", True, None), ("old", True, None)], ["new", "old"]),
    ],
)
def test_what_ran_under_other_tests_serves_only_where_there_is_nothing_else(sessions: Any, read: list[str]) -> None:
    assert listed(*sessions) == read


def test_so_it_is_for_sessions_that_were_cut_short() -> None:
    assert listed(("a", False, "abc"), ("b", False, None), ("c", True, None), cut_short=True) == ["b"]
