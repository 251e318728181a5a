"""The interpreter and the machine that a session runs on."""

from __future__ import annotations

import platform


def python_version() -> str:
    """`3.11.9`; of another interpreter than CPython with its name."""
    name = platform.python_implementation()
    return platform.python_version() + ("" if name == "CPython" else f" ({name})")


def platform_name() -> str:
    """System, release and architecture."""
    return f"{platform.system()} {platform.release()} {platform.machine()}".strip()
