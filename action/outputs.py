"""The action's outputs, read from the JSON report: `python outputs.py report.json >>"$GITHUB_OUTPUT"`.

Without a report, or with one that cannot be read, everything is `none`: the session came to no decision.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

NONE = "none"


def outputs(path: Path) -> dict[str, str]:
    """verdict, version and baseline."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        report = {}
    return {
        "verdict": _text((report.get("decision") or {}).get("verdict", "off")) if report else NONE,
        "version": _text((report.get("version") or {}).get("name")),
        "baseline": _text((report.get("baseline") or {}).get("name")),
    }


def _text(value: Any) -> str:
    """One line without anything that another step could take for a command."""
    return re.sub(r"[^\w.+-]", "_", value)[:200] if isinstance(value, str) and value else NONE


if __name__ == "__main__":
    for name, value in outputs(Path(sys.argv[1])).items():
        print(f"{name}={value}")
