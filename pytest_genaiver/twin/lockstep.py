"""The twin runs each repeat of each case right before or right after this process does, in turn."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_genaiver.collecting.planned import PLANNED
from pytest_genaiver.errors import TwinError
from pytest_genaiver.twin.handle import Twin

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    import pytest

    from pytest_genaiver.twin.channel import Message

_PATIENCE = 10
"""The twin may take so many times as long for a repeat as this process took for its slowest."""
_LAST_CALLS = 60.0
_INTERRUPTED = 2.0


@dataclass(slots=True, kw_only=True)
class Lockstep:
    """The partner of a runner (see `running.partner`). What it loses it says once, in `trouble`, and goes on alone.

    `version` is the name of the twin's version, `most` how many repeats of a case enter the comparison: retries
    beyond them are this version's alone. `timeout` bounds one call.
    """

    twin: Twin
    version: str
    most: int
    timeout: float
    trouble: str | None = None
    _cases: frozenset[str] = frozenset()
    _places: dict[str, int] = field(default_factory=dict)
    _records: dict[tuple[str, int], Mapping[str, Any]] = field(default_factory=dict)
    _began: float = 0.0
    _longest: float = 0.0
    _last: float = _LAST_CALLS

    def start(self, cases: Collection[str]) -> Message:
        """Start the twin; what it collected. Raises TwinError where it cannot serve as a baseline of these cases."""
        try:
            ready = self.twin.start()
        except TwinError as error:
            raise TwinError(f"{self.twin.order['named']} cannot be started: {error}") from None
        self._cases = frozenset(case["id"] for case in ready["plan"]["cases"])
        return {**ready, "notices": checked(ready, self.twin.order, bool(self._cases & set(cases)))}

    def plan(self, wanted: Sequence[tuple[pytest.Item, int]]) -> None:
        pairs = [(case, repeat) for item, repeat in wanted if (case := self._paired(item, repeat)) is not None]
        if pairs:
            self._try(lambda: self.twin.tell({"do": "plan", "wanted": pairs}))

    def before(self, item: pytest.Item, repeat: int, *, reported: bool) -> None:
        case = self._paired(item, repeat)
        if case is not None and self._goes_first(case, repeat):
            self._run(case, repeat, reported=reported)
        self._began = time.monotonic()

    def after(self, item: pytest.Item, repeat: int, *, reported: bool) -> None:
        self._longest = max(self._longest, time.monotonic() - self._began)
        case = self._paired(item, repeat)
        if case is not None and not self._goes_first(case, repeat):
            self._run(case, repeat, reported=reported)

    def _goes_first(self, case: str, repeat: int) -> bool:
        """In turn over the cases, and over the repeats of each: whoever goes second may find caches warm."""
        return (self._places.setdefault(case, len(self._places)) + repeat) % 2 == 1

    def _paired(self, item: pytest.Item, repeat: int) -> str | None:
        """The case's id, where the twin runs this repeat too."""
        planned = item.stash.get(PLANNED, None)
        if planned is None or planned.version is not None or planned.case.id not in self._cases:
            return None
        return planned.case.id if repeat < max(self.most, planned.repeats) else None

    def _run(self, case: str, repeat: int, *, reported: bool) -> None:
        order = {"do": "run", "case": case, "repeat": repeat, "reported": reported}
        self._ask(order, max(2 * self.timeout, _PATIENCE * self._longest))

    def _ask(self, order: Message, seconds: float) -> None:
        def ask() -> None:
            self.twin.tell(order)
            self._keep(self.twin.answer(seconds)["records"])

        self._try(ask)

    def _try(self, action: Callable[[], None]) -> None:
        if self.trouble is not None:
            return
        try:
            action()
        except TwinError as error:
            self.trouble = str(error)
            self.twin.stop(0.0)

    def _keep(self, records: Sequence[Mapping[str, Any]]) -> None:
        """What the twin says of other versions than its own is nobody's baseline."""
        self._records.update({(r["case"], r["repeat"]): r for r in records if r["version"] is None})

    def settled(self) -> list[dict[str, Any]]:
        self._ask({"do": "settle"}, self.timeout + _LAST_CALLS)
        return [{**record, "version": self.version} for record in self._records.values()]

    def stopping(self, *, interrupted: bool) -> None:
        self._last = _INTERRUPTED if interrupted else self.timeout + _LAST_CALLS
        self._try(lambda: self.twin.tell({"do": "finish", "interrupted": interrupted}))

    def finish(self) -> dict[str, Any]:
        """`finished` is None where the twin was lost; `records` are there all the same."""
        found: dict[str, Any] = {}

        def ask() -> None:
            # Where the session was interrupted, the repeat that the twin still ran is answered first.
            while "finished" not in found:
                found.update(self.twin.answer(self._last))

        self._try(ask)
        # Its fixtures may have much to put away.
        self.twin.stop(self._last)
        finished = found.get("finished")
        self._keep(finished["records"] if finished else ())
        records = [{**record, "version": None} for record in self._records.values()]
        return {"finished": finished, "records": records, "trouble": self.trouble}


def checked(ready: Message, order: Mapping[str, Any], shared: bool) -> list[str]:
    """What the user should know of what a twin collected; `shared`: cases of this session are among it.

    Raises TwinError where nothing can be compared, or both sides would run the same app.
    """
    named, sha = order["named"], order["sha"][:8]
    if ready["strangers"]:
        raise TwinError(
            f"{named}: beside the app of {sha}, its tests would import {ready['strangers'][0]} of this version; "
            "install the app with `pip install -e`, or name its folder in pytest's ini key pythonpath"
        )
    hidden = [f"{where} cannot be collected: {why}" for where, why in sorted(ready["failed"].items())]
    if not shared:
        why = next(iter(hidden), "they are not collected there")
        raise TwinError(f"{named}: the tests of now cannot be run over the app of {sha}: {why}")
    return [f"{named}: over the app of {sha}, {one}" for one in hidden]


def lockstep(order: Mapping[str, Any], name: str) -> Lockstep:
    """The partner of this process: `order` is the session's, `name` the twin's own."""
    session = order["session"]
    return Lockstep(
        twin=Twin(order=order, name=name),
        version=session["version"]["name"],
        most=order["most"],
        timeout=session["call_timeout"],
    )


def imported() -> dict[str, str]:
    """Where each module that this process has imported lies."""
    found = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
    return {name: os.path.realpath(file) for name, file in found.items() if isinstance(file, str)}
