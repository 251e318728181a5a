"""Look-ups in a long record, in short: how often the store is asked does not grow with what is recorded."""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.adapters.tracking.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

ANCESTORS = 60


@pytest.fixture(scope="module")
def bench() -> Iterator[Any]:
    """The benchmark's module, which is run from its folder and not installed."""
    from pytest_genaiver.adapters.traces.surroundings import prepare

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
        put_back = prepare()
        yield import_module("lookups")
        put_back()


@pytest.fixture(scope="module")
def made(bench: Any, tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[Any]:
    """A store of 100 versions, 60 of them ancestors of what is checked out."""
    folder = tmp_path_factory.mktemp("many") / "app"
    folder.mkdir()
    (folder / "mlflow.db").write_bytes(empty_store.read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield bench.make(folder, versions=100, ancestors=ANCESTORS, cases=3)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the store was asked what."""
    counted: Counter[str] = Counter()
    real = Store.client

    class Counting:
        def __init__(self, client: Any) -> None:
            self._client = client

        def __getattr__(self, name: str) -> Any:
            counted[name] += 1
            return getattr(self._client, name)

    monkeypatch.setattr(Store, "client", lambda self: Counting(real(self)))
    return counted


def name_of(made: Any, place: int) -> str:
    return f"app-{made.commits[place][:8]}"


def test_a_baseline_takes_a_handful_of_searches(bench: Any, made: Any, asked: Counter[str]) -> None:
    assert bench.baseline(made) == (name_of(made, 1), 20)
    # The newest session's snapshot is read by its run.
    assert asked == {"search_logged_models": 1, "search_runs": 2, "get_run": 1}
    asked.clear()
    between = made.commits[1:ANCESTORS]
    bench.cut_short(made, between)
    assert bench.baseline(made)[0] == name_of(made, ANCESTORS)
    assert asked == {"search_logged_models": 2, "search_runs": 4, "get_run": 1}
    asked.clear()
    bench.unrecorded(made, between)
    assert bench.baseline(made)[0] == name_of(made, ANCESTORS)
    assert asked["search_logged_models"] <= 3
    assert asked["search_runs"] == 1


def test_what_runs_is_one_search_however_often_it_was_deployed(bench: Any, made: Any, asked: Counter[str]) -> None:
    bench.deployed(made, made.commits[ANCESTORS], 30)
    asked.clear()
    assert bench.baseline(made, "deployed:production")[0] == name_of(made, ANCESTORS)
    assert asked == {"search_logged_models": 2, "search_runs": 2, "get_logged_model": 1, "get_run": 1}


def test_loading_a_version_never_looks_at_its_traces(bench: Any, made: Any, asked: Counter[str]) -> None:
    made.add_traces(made.commits[ANCESTORS], 2000)
    model, _ = made.ids[made.commits[ANCESTORS]]
    assert len(bench.loaded(made.opened.store, model)) == 1
    assert asked == {"search_runs": 1}


def test_every_look_up_of_the_table_works(bench: Any, made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "TRACES", 0)
    monkeypatch.setattr(bench, "DEPLOYMENTS", 2)
    names = [name for name, work in bench.looks(made) if work()]
    assert len(names) == 9
