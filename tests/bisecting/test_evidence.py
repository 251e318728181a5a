"""What the store holds of commits, under the names of one set of cases."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.adapters.tracking.place import place_of
from pytest_genaiver.adapters.tracking.store import Store
from pytest_genaiver.bisecting.evidence import Known
from pytest_genaiver.concluding.closing import results_text
from pytest_genaiver.core.results import CaseResult, SessionFacts, Version, VersionResults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OLD, NEW = "a" * 40, "b" * 40


@pytest.fixture(autouse=True)
def mlflow_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from pytest_genaiver.adapters.traces.surroundings import prepare

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    put_back = prepare()
    yield
    put_back()


@pytest.fixture
def store(empty_store: Path, tmp_path: Path) -> Store:
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    made = Store(place_of(f"sqlite:///{tmp_path}/mlflow.db", tmp_path))
    made.open("app")
    return made


@pytest.fixture
def record(store: Store) -> Callable[..., None]:
    """Records one session of a commit."""

    def session(commit: str, *cases: CaseResult, variant: str | None = None, complete: bool = True, **more) -> None:
        name = f"app-{commit[:8]}" + (f"-{variant}" if variant else "")
        version = Version(name=name, app="app", commit=commit, variant=variant)
        tags = {"genaiver.app": "app", "genaiver.commit": commit, "genaiver.dirty": "false"}
        model_id = store.version(name, {**tags, **({"genaiver.variant": variant} if variant else {})}, {})
        run_id = store.start_session(name, {"genaiver.model_id": model_id}, model_id)
        repeats = max(len(values) for case in cases for values in case.scores.values())
        facts = SessionFacts(id=run_id, started="2026-01-01T00:00:00+00:00", complete=complete, repeats=repeats)
        results = VersionResults(version=version, session=facts, cases={case.id: case for case in cases}, **more)
        store.save_results(run_id, results_text(results), {})
        store.end_session(run_id, {"genaiver.complete": str(complete).lower()}, ok=complete)

    return session


def case(name: str, *values: float | None, digest: str | None = None, gate: str = "fail", **more) -> CaseResult:
    scores = {"passed": list(values), **more}
    return CaseResult(id=f"t.py::f[{name}]", digest=digest or name, function="t.py::f", scores=scores, gate=gate)


def known(store: Store, variant: str | None = None) -> Known:
    made = Known(store, "app", variant)
    made.load([OLD, NEW])
    return made


def test_all_sessions_of_a_commit_are_pooled(store: Store, record: Callable[..., None]) -> None:
    record(OLD, case("a", 1.0, 0.0))
    record(OLD, case("a", None, 1.0))
    record(NEW, case("a", 0.0))
    found = known(store).of("passed", NEW, [OLD, NEW, "c" * 40])
    assert found.keys() == {OLD, NEW}
    assert sorted(found[OLD].values["t.py::f[a]"], key=str) == [0.0, 1.0, 1.0, None]
    assert len(set(found[OLD].sessions["t.py::f[a]"])) == 2
    assert (found[OLD].repeats, found[NEW].repeats) == (3, 1)


def test_other_inputs_are_another_case_and_a_renamed_one_goes_by_its_name_there(
    store: Store, record: Callable[..., None]
) -> None:
    record(OLD, case("a", 1.0, digest="other"), case("before", 0.0, digest="same"), case("gone", 1.0))
    record(NEW, case("a", 1.0), case("after", 1.0, digest="same"), case("new", 1.0))
    assert known(store).of("passed", NEW, [OLD])[OLD].values == {"t.py::f[after]": [0.0]}


def test_cases_that_fail_no_session_are_no_evidence(store: Store, record: Callable[..., None]) -> None:
    record(OLD, case("a", 1.0), case("b", 1.0))
    record(NEW, case("a", 1.0), case("b", 0.0, gate="warn"))
    assert known(store).of("passed", NEW, [OLD])[OLD].values.keys() == {"t.py::f[a]"}


def test_another_judge_is_another_metric(store: Store, record: Callable[..., None]) -> None:
    record(OLD, case("a", 1.0, tone=[4.0]), sources={"tone": "judge one"})
    record(NEW, case("a", 1.0, tone=[3.0]), sources={"tone": "judge two"})
    found = known(store)
    assert found.of("tone", NEW, [OLD, NEW]).keys() == {NEW}
    assert found.of("passed", NEW, [OLD, NEW]).keys() == {OLD, NEW}
    assert found.metrics(OLD, NEW).keys() == {"passed"}
    assert found.metrics(NEW, NEW).keys() == {"passed", "tone"}


def test_another_variant_and_a_session_cut_short_say_nothing(store: Store, record: Callable[..., None]) -> None:
    record(OLD, case("a", 1.0), variant="small")
    record(NEW, case("a", 1.0), complete=False)
    found = known(store)
    assert found.commits == set()
    assert (found.of("passed", NEW, [OLD]), found.metrics(OLD, NEW), found.newest(OLD)) == ({}, {}, None)
    assert known(store, "small").commits == {OLD}


def test_what_is_loaded_again_is_read_again(store: Store, record: Callable[..., None]) -> None:
    record(NEW, case("a", 1.0))
    found = known(store)
    record(NEW, case("a", 0.0))
    assert found.of("passed", NEW, [NEW])[NEW].size == 1
    found.load([NEW])
    assert found.of("passed", NEW, [NEW])[NEW].size == 2
    assert found.warnings == []


def test_a_session_that_was_recorded_meanwhile_is_read_when_the_commit_is_loaded_anew(
    store: Store, record: Callable[..., None]
) -> None:
    record(OLD, case("a", 1.0))
    made = known(store)
    record(OLD, case("a", 0.0))
    made.load([OLD])
    (values,) = made.of("passed", OLD, [OLD])[OLD].values.values()
    assert sorted(values) == [0.0, 1.0]
