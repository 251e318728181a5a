"""A virtual environment that lies over the running interpreter's packages.

What a commit asks for differently is installed into it; all else, pytest and this plugin included, is imported from
where the running interpreter has it. So another commit is measured by the same plugin, and little is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from pytest_genaiver.adapters.environments.imports import site_folders
from pytest_genaiver.errors import DependencyError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_genaiver.adapters.environments.dependencies import Difference

READY = "genaiver-ready"


def build(found: Difference, cache: Path, say: Callable[[], None]) -> Path:
    """The Python of the environment for this difference, made where `cache` does not hold it yet.

    Raises DependencyError where pip cannot install it.
    """
    import fcntl

    if not cache.exists():
        cache.mkdir(parents=True)
        (cache / ".gitignore").write_text("*\n", encoding="utf-8")
    folder = cache / found.digest
    with (cache / f"{found.digest}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not (folder / READY).exists():
            say()
            shutil.rmtree(folder, ignore_errors=True)
            _make(folder, found)
            (folder / READY).touch()
    return _python(folder)


def _make(folder: Path, found: Difference) -> None:
    # A pip that is here serves the new environment too; making another one takes most of the time.
    here = find_spec("pip") is not None
    pip = [sys.executable, "-m", "pip", "--python", str(_python(folder))] if here else [str(_python(folder)), "-mpip"]
    bare = ["--without-pip"] if here else []
    _run([sys.executable, "-m", "venv", *bare, str(folder)], found)
    # Added after the environment's own packages, and with the `.pth` files in them.
    lines = [f"import site; site.addsitedir({str(place)!r})\n" for place in site_folders()]
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = _run([str(_python(folder)), "-c", ask], found).strip()
    with open(os.path.join(own, "genaiver_beneath.pth"), "w", encoding="utf-8") as file:
        file.writelines(lines)
    wanted, pinned = folder / "wanted.txt", folder / "pinned.txt"
    wanted.write_text("".join(f"{line}\n" for line in found.unmet), encoding="utf-8")
    pinned.write_text("".join(f"{name}=={version}\n" for name, version in found.pins.items()), encoding="utf-8")
    quietly = ["--quiet", "--disable-pip-version-check", "--no-input"]
    _run([*pip, "install", *quietly, "--requirement", str(wanted), "--constraint", str(pinned)], found)


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"


def _run(command: list[str], found: Difference) -> str:
    # PYTHONPATH of the caller must not decide what pip takes for installed.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        errors = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        said = next((line for line in errors if line.lower().startswith("error")), errors[-1] if errors else "")
        raise DependencyError(
            f"what this commit asks for cannot be installed: {', '.join(found.words[:5])} ({said.strip()[:300]}); "
            "install it here yourself, or run with what is here (ignore)"
        )
    return done.stdout
