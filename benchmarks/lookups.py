"""What finding things in a long record costs: 10,000 versions, 500 ancestors, a version of 20,000 traces.

Aims: a baseline in under 0.3 s, and loading a version does not depend on its number of traces.
"""

from __future__ import annotations

import os
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from many_versions import SETTINGS, make

from pytest_genaiver.adapters.tracking.deployments import deploy
from pytest_genaiver.adapters.tracking.store import Store
from pytest_genaiver.baseline.finder import Finder
from pytest_genaiver.version import identify, survey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from many_versions import ManyVersions

VERSIONS, ANCESTORS, TRACES, DEPLOYMENTS = 10_000, 500, 20_000, 500
RUNS = 5


def timed(work: Callable[[], object]) -> float:
    """CPU, git's included: the median over some runs, after one that does not count (imports, the connection)."""
    seconds = []
    for _ in range(RUNS + 1):
        begun = sum(os.times()[:4])
        work()
        seconds.append(sum(os.times()[:4]) - begun)
    return median(seconds[1:])


def finder_of(made: ManyVersions) -> Finder:
    """As a session on the last commit makes it: nothing is known yet."""
    surveyed = survey(made.path, SETTINGS, {}, [made.database], made.path)
    store = Store(made.opened.store.place)
    store.experiment_id = made.opened.store.experiment_id
    return Finder(store=store, surveyed=surveyed, version=identify(surveyed, SETTINGS, "app-now"))


def baseline(made: ManyVersions, reference: str = "auto") -> tuple[str | None, int]:
    """The baseline's name, and how many sessions its pool holds."""
    found = finder_of(made).find(reference, made.cases)
    return found.facts.name, len(found.pool.sessions) if found.pool else 0


def cut_short(made: ManyVersions, commits: Sequence[str]) -> None:
    """The sessions of these commits did not end."""
    statement = "UPDATE tags SET value = 'false' WHERE key = 'genaiver.complete' AND run_uuid = ?"
    made.execute(statement, *((made.ids[commit][1],) for commit in commits))


def unrecorded(made: ManyVersions, commits: Sequence[str]) -> None:
    """The versions of these commits are of others."""
    statement = "UPDATE logged_model_tags SET tag_value = 'x' WHERE tag_key = 'genaiver.commit' AND model_id = ?"
    made.execute(statement, *((made.ids[commit][0],) for commit in commits))


def deployed(made: ManyVersions, commit: str, times: int) -> None:
    """This commit's version went out so many times, to two environments in turn."""
    store, first = made.opened.store, datetime(2026, 1, 1, tzinfo=timezone.utc)
    ref = store.version_by_id(made.ids[commit][0])
    assert ref is not None
    for i in range(times):
        deploy(store, ref, ("production", "staging")[i % 2], first + timedelta(hours=i))


def looks(made: ManyVersions) -> Iterator[tuple[str, Callable[[], object]]]:
    """What is looked up, with the store changed in between."""
    store, commits = made.opened.store, made.commits[1:-1]
    far, (model, _) = commits[-1], made.ids[commits[-1]]
    yield "baseline `auto`, every ancestor recorded: the parent, 20 sessions pooled", lambda: baseline(made)
    cut_short(made, commits[:-1])
    yield f"the same, {len(commits) - 1} ancestors were cut short: the last one", lambda: baseline(made)
    unrecorded(made, commits[:-1])
    yield f"the same, {len(commits) - 1} ancestors are not recorded: the last one", lambda: baseline(made)
    deployed(made, far, DEPLOYMENTS)
    running = "deployed:production"
    yield f"baseline `{running}`, {DEPLOYMENTS} deployments on record", lambda: baseline(made, running)
    yield "a version by name", lambda: store.version_named(f"app-{far[:8]}")
    yield "a version by a prefix", lambda: store.versions_like(f"app-{far[:6]}")
    yield "names of the newest 200 versions, for completion and hints", store.version_names
    yield "a version's sessions and results, without traces", lambda: loaded(store, model)
    made.add_traces(far, TRACES)
    yield f"the same with {TRACES:,} traces", lambda: loaded(store, model)


def loaded(store: Store, model_id: str) -> list[str]:
    return [store.read_results(session) for session in store.sessions(model_id)]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = make(Path(folder) / "app", versions=VERSIONS, ancestors=ANCESTORS)
        print("| look-up | CPU |\n|---|---|", flush=True)
        for name, work in looks(made):
            print(f"| {name} | {timed(work) * 1000:.0f} ms |", flush=True)


if __name__ == "__main__":
    main()
