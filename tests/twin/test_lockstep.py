"""Who runs first, what is run twice, and what is left when the twin is lost: without processes."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_genaiver.collecting.planned import PLANNED
from pytest_genaiver.errors import TwinError
from pytest_genaiver.running.partner import Alone
from pytest_genaiver.twin.lockstep import Lockstep, checked, lockstep

ORDER: dict[str, Any] = {
    "named": "--genai-baseline run:main",
    "sha": "0123456789",
    "most": 5,
    "session": {"version": {"name": "app-01234567"}, "call_timeout": 120.0},
}


@dataclass
class FakeTwin:
    """Answers at once; `lost_at` is the number of the message at which it is gone."""

    lost_at: int | None = None
    log: list[Any] = field(default_factory=list)
    bounds: list[float] = field(default_factory=list)
    order: dict[str, Any] = field(default_factory=lambda: ORDER)
    answers: list[dict[str, Any]] = field(default_factory=list)
    stopped: int = 0

    def start(self) -> dict[str, Any]:
        return {"plan": {"cases": [{"id": "a"}, {"id": "b"}, {"id": "only-then"}]}, "failed": {}, "strangers": []}

    def tell(self, message: dict[str, Any]) -> None:
        if self.lost_at == len(self.log):
            raise TwinError("it ended with exit code 7")
        self.log.append(message)

    def answer(self, seconds: float) -> dict[str, Any]:
        self.bounds.append(seconds)
        if self.answers:
            return self.answers.pop(0)
        last = self.log[-1]
        if last["do"] == "finish":
            return {"finished": {"records": [], "produced": {"t": "a"}}}
        return {"records": [record(last["case"], last["repeat"])] if last["do"] == "run" else []}

    def stop(self, patience: float) -> None:
        self.stopped += 1


def record(case: str, repeat: int, version: str | None = None) -> dict[str, Any]:
    return {"case": case, "repeat": repeat, "version": version}


def item(case: str, *, repeats: int = 1, version: str | None = None) -> Any:
    planned = SimpleNamespace(version=version, repeats=repeats, case=SimpleNamespace(id=case))
    return SimpleNamespace(stash={PLANNED: planned})


def paired(twin: FakeTwin, most: int = 5) -> Lockstep:
    step = Lockstep(twin=twin, version="app-01234567", most=most, timeout=120.0)  # type: ignore[arg-type]
    step.start(["a", "b"])
    return step


def run(step: Lockstep, twin: FakeTwin, case: str, repeat: int, **of_item: Any) -> None:
    """One repeat of this session, whose place in the log is its case in capitals."""
    step.before(item(case, **of_item), repeat, reported=True)
    twin.log.append({"do": "run", "case": case.upper(), "repeat": repeat})
    step.after(item(case, **of_item), repeat, reported=True)


def test_both_go_first_in_turn_over_cases_and_over_the_repeats_of_each() -> None:
    twin = FakeTwin()
    step = paired(twin)
    for case, repeat in [("a", 0), ("b", 0), ("a", 1), ("b", 1)]:
        run(step, twin, case, repeat)
    order = [f"{m['case']}{m['repeat']}" for m in twin.log]
    assert order == ["A0", "a0", "b0", "B0", "a1", "A1", "B1", "b1"]


def test_only_the_cases_of_both_are_run_twice_and_no_other_versions_and_no_retries() -> None:
    twin = FakeTwin()
    step = paired(twin, most=2)
    for case, repeat, of_item in [
        ("only-now", 0, {}),
        ("a", 0, {"version": "v2"}),
        ("a", 2, {}),
        ("a", 4, {"repeats": 5}),
    ]:
        run(step, twin, case, repeat, **of_item)
    step.before(SimpleNamespace(stash={}), 0, reported=True)  # type: ignore[arg-type]
    assert [m["case"] for m in twin.log] == ["ONLY-NOW", "A", "A", "A", "a"]
    step.plan([(item("a"), 0), (item("a"), 2), (item("only-now"), 0)])
    assert twin.log[-1] == {"do": "plan", "wanted": [("a", 0)]}
    step.plan([(item("only-now"), 0)])
    assert len(twin.log) == 6


def test_what_it_recorded_comes_under_its_versions_name_and_without_what_it_says_of_others() -> None:
    twin = FakeTwin(answers=[{"records": [record("a", 0), record("a", 0, "v2")]}, {"records": [record("b", 0)]}])
    step = paired(twin)
    run(step, twin, "a", 0)
    assert step.settled() == [record("a", 0, "app-01234567"), record("b", 0, "app-01234567")]


def test_its_patience_grows_with_what_this_session_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 100.0, 200.0, 201.0])
    monkeypatch.setattr("pytest_genaiver.twin.lockstep.time", SimpleNamespace(monotonic=lambda: next(clock)))
    twin = FakeTwin()
    step = paired(twin)
    run(step, twin, "a", 0)
    run(step, twin, "b", 0)
    assert twin.bounds == [1000.0, 1000.0]
    step.timeout = 600.0
    step.settled()
    assert twin.bounds[-1] == 660.0


def test_a_twin_that_is_lost_leaves_what_it_recorded_and_this_session_goes_on() -> None:
    twin = FakeTwin(lost_at=2)
    step = paired(twin)
    for case in ("a", "b", "a"):
        run(step, twin, case, 0)
    assert step.trouble == "it ended with exit code 7"
    assert step.settled() == [record("a", 0, "app-01234567")]
    step.stopping(interrupted=False)
    assert step.finish() == {"finished": None, "records": [record("a", 0)], "trouble": "it ended with exit code 7"}


def test_at_the_end_it_says_what_it_counted() -> None:
    twin = FakeTwin()
    step = paired(twin)
    step.stopping(interrupted=False)
    found = step.finish()
    assert found == {"finished": {"records": [], "produced": {"t": "a"}}, "records": [], "trouble": None}
    assert twin.stopped == 1
    assert twin.bounds == [180.0]


def test_an_interrupted_session_waits_a_moment_only_and_first_hears_of_what_still_ran() -> None:
    finished = {"finished": {"records": [record("a", 0)]}}
    twin = FakeTwin(answers=[{"records": []}, finished])
    step = paired(twin)
    step.stopping(interrupted=True)
    assert step.finish()["records"] == [record("a", 0)]
    assert max(twin.bounds) <= 10


def test_where_no_case_is_shared_the_reason_is_why_its_file_cannot_be_collected() -> None:
    ready = {"failed": {"tests/test_a.py": "No module named 'tools'"}, "strangers": []}
    with pytest.raises(TwinError) as caught:
        checked(ready, ORDER, shared=False)
    assert str(caught.value) == (
        "--genai-baseline run:main: the tests of now cannot be run over the app of 01234567: "
        "tests/test_a.py cannot be collected: No module named 'tools'"
    )
    with pytest.raises(TwinError, match="they are not collected there"):
        checked({"failed": {}, "strangers": []}, ORDER, shared=False)
    assert checked(ready, ORDER, shared=True) == [
        "--genai-baseline run:main: over the app of 01234567, tests/test_a.py cannot be collected: "
        "No module named 'tools'"
    ]


def test_the_same_app_on_both_sides_is_refused() -> None:
    with pytest.raises(TwinError, match=r"its tests would import agent of this version; install the app with `pip"):
        checked({"failed": {}, "strangers": ["agent", "agent.x"]}, ORDER, shared=True)


def test_a_twin_that_cannot_be_started_names_the_option(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise TwinError("it ended with exit code 4")

    twin = FakeTwin()
    monkeypatch.setattr(twin, "start", gone)
    with pytest.raises(TwinError, match=r"^--genai-baseline run:main cannot be started: it ended with exit code 4$"):
        paired(twin)


def test_a_partner_is_made_of_the_sessions_order() -> None:
    found = lockstep(ORDER, "twin-gw0")
    assert (found.version, found.most, found.timeout, found.twin.name) == ("app-01234567", 5, 120.0, "twin-gw0")


def test_a_runner_without_a_partner_is_alone() -> None:
    alone = Alone()
    alone.plan([])
    alone.before(item("a"), 0, reported=True)
    alone.after(item("a"), 0, reported=True)
    alone.stopping(interrupted=False)
    assert alone.settled() == []
    assert alone.finish() is None
