"""What a search remembers when it is interrupted: what was asked, and which commits cannot run.

What commits were measured to be is in the store. One search at a time: the file is locked while one runs.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.tracking.place import OURS, make_folder
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = 1
NAME = "bisect.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the user asked for; `good` and `bad` are full SHAs."""

    good: str
    bad: str
    metric: str | None
    arguments: tuple[str, ...]

    def command(self) -> str:
        """The command that asks for this."""
        import shlex

        metric = ["--metric", self.metric] if self.metric else []
        rest = ["--", *self.arguments] if self.arguments else []
        return shlex.join(["genaiver", "bisect", self.good[:12], self.bad[:12], *metric, *rest])


@dataclass(slots=True, kw_only=True)
class State:
    """A search under way. `skipped` maps a commit that cannot run to the reason; `runs` counts sessions that ran."""

    asked: Asked
    skipped: dict[str, str] = field(default_factory=dict)
    runs: dict[str, int] = field(default_factory=dict)
    path: Path = field(default=Path(), compare=False)

    def save(self) -> None:
        """Write it as a whole or not at all."""
        data = {"schema": SCHEMA, "asked": asdict(self.asked), "skipped": self.skipped, "runs": self.runs}
        new = self.path.with_name(f"{NAME}.new")
        new.write_text(json.dumps(data, indent=1), encoding="utf-8")
        os.replace(new, self.path)

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)


@contextmanager
def opened(root: Path, asked: Asked, *, restart: bool) -> Iterator[State]:
    """The state of this search: a new one, or where it was interrupted.

    Raises ConfigError where another search runs, or another one is unfinished and `restart` does not drop it.
    """
    import fcntl

    folder = make_folder(root / OURS)
    with (folder / "bisect.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigError("another genaiver bisect is running in this project; wait for it, or stop it") from None
        path = folder / NAME
        before = None if restart else _read(path)
        if before is not None and before.asked != asked:
            raise ConfigError(
                f"another search is unfinished; go on with it: {before.asked.command()}, or drop it with --restart"
            )
        state = before or State(asked=asked)
        state.path = path
        state.save()
        yield state


def _read(path: Path) -> State | None:
    """None where there is none, or one that an older or newer version wrote: nothing but skips is lost."""
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        if data["schema"] != SCHEMA:
            return None
        asked = Asked(**{**data["asked"], "arguments": tuple(data["asked"]["arguments"])})
        return State(asked=asked, skipped=dict(data["skipped"]), runs=dict(data["runs"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
