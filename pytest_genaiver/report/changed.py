"""What changed since the baseline, as facts: one an area, its names what changed there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_genaiver.core.since import told
from pytest_genaiver.core.snapshot import SHORT
from pytest_genaiver.report.parts import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_genaiver.core.since import Since

_AREAS = {
    "configuration": "configuration",
    "model": "models",
    "prompt": "prompts",
    "dependency": "dependencies",
    "python": "Python",
}


def changed(since: Since) -> Iterator[Fact]:
    """Area by area, the code last."""
    for area, text in _AREAS.items():
        names = tuple(told(change) for change in since.changes or () if change.area == area)
        if names:
            yield Fact(text=text, names=names)
    yield from _code(since)


def _code(since: Since) -> Iterator[Fact]:
    code = [change for change in since.changes or () if change.area == "code"]
    if since.commits:
        names = tuple(f"{sha[:SHORT]} {subject}" for sha, subject in since.commits)
        count = max(since.count or 0, len(names))
        yield Fact(text=f"{count:,} commit{'' if count == 1 else 's'}", names=names)
        code = [change for change in code if change.name != "commit"]
    if code:
        yield Fact(text="code", names=tuple(map(told, code)))
