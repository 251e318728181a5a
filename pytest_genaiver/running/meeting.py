"""How processes of one session meet: files in a folder, each of which appears whole."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def put(path: Path, data: object) -> None:
    """Write JSON so that it appears whole, however many threads write there at once."""
    part = path.with_name(f"{path.name}.{threading.get_ident()}.part")
    part.write_text(json.dumps(data), encoding="utf-8")
    part.replace(path)
