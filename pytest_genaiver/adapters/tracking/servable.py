"""A version as a model that MLflow loads and serves (`genai_code = model:PATH`).

It is built in a process of its own, which may import the app before the tests do. What the model file imports of the
project goes with it, and the tracked files of the folders that it imports from: prompts lie beside modules.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.tracking import model_files
from pytest_genaiver.adapters.tracking.failures import translated
from pytest_genaiver.errors import CodeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_genaiver.adapters.tracking.store import Store

PATIENCE = 120.0
"""Seconds that importing the model file may take."""
_EXTERNAL = "mlflow.model.isExternal"
_NOT_OURS = {"site-packages", "dist-packages"}


class Building:
    """A model that is being built. `root` is the project's folder, `tracked` its files in git, relative to it."""

    def __init__(
        self, path: Path, model_id: str, *, root: Path, tracked: Sequence[str], needs: Sequence[str]
    ) -> None:
        self._path = path
        self._folder = Path(tempfile.mkdtemp(prefix="genaiver-model-"))
        asked = {"path": str(path), "model_id": model_id, "root": str(root), "tracked": tracked, "needs": needs}
        (self._folder / "asked.json").write_text(json.dumps(asked), encoding="utf-8")
        # Without the folder of the tests, which pytest adds later.
        places = [*map(os.path.abspath, sys.path), str(root), str(path.parent)]
        with (self._folder / "said").open("wb") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(self._folder)],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(places))},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            )

    def check(self) -> None:
        """Wait for it. Raises CodeError where the file gives no model."""
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.close()
            raise CodeError(f"{str(self._path)!r} gave no model within {PATIENCE:.0f} seconds") from None
        done = self._folder / "done.json"
        if not done.exists():
            said = (self._folder / "said").read_text(encoding="utf-8", errors="replace").strip().splitlines()
            last = said[-1] if said else f"exit status {self._process.returncode}"
            raise CodeError(f"{str(self._path)!r} gave no model: {last[:300]}")
        if error := json.loads(done.read_text(encoding="utf-8"))["error"]:
            raise CodeError(f"{str(self._path)!r} gives no model: {error}")

    def save(self, store: Store, model_id: str, tags: Mapping[str, str]) -> None:
        """Make the version this model. Raises StoreError."""
        model_files.save_folder(store, model_id, self._folder / "model", tags)
        with translated("make the version a model"):
            client = store.client()
            if _EXTERNAL in client.get_logged_model(model_id).tags:
                client.delete_logged_model_tag(model_id, _EXTERNAL)

    def close(self) -> None:
        """End it, and leave nothing behind; safe to call again."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def build(folder: Path, asked: Mapping[str, Any]) -> None:
    """The model in `folder/model`, ready to be stored."""
    import mlflow
    from mlflow.models import Model

    def save(to: Path, **code: Any) -> None:
        model = Model(model_id=asked["model_id"])
        needs = list(asked["needs"])
        mlflow.pyfunc.save_model(
            str(to), python_model=asked["path"], mlflow_model=model, pip_requirements=needs, **code
        )

    # Once only to see what it imports.
    save(folder / "first")
    root, staged = Path(asked["root"]).resolve(), folder / "code"
    for place, source in _code(root, Path(asked["path"]).resolve(), asked["tracked"]).items():
        (staged / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, staged / place)
    paths = [str(path) for path in sorted(staged.iterdir())] if staged.exists() else []
    save(folder / "model", **({"code_paths": paths} if paths else {}))


def _code(root: Path, path: Path, tracked: Sequence[str]) -> dict[Path, Path]:
    """Where each file of the project that the model may need belongs -> where it is."""
    found: dict[Path, Path] = {}
    for name, module in list(sys.modules.items()):
        file = _project_file(module, root)
        if file is not None and file != path:
            package = name.split(".") if file.name.startswith("__init__.") else name.split(".")[:-1]
            found[Path(*package, file.name)] = file
    # Where the imports start from; the deepest first, for `src` lies in a folder that is one as well.
    starts = {file.parents[len(place.parts) - 1] for place, file in found.items()}
    for source in (root / name for name in tracked):
        start = next((s for s in sorted(starts, key=lambda s: -len(s.parts)) if s in source.parents), None)
        if start is not None and source.is_file() and source != path:
            found[source.relative_to(start)] = source
    return found


def _project_file(module: Any, root: Path) -> Path | None:
    given = getattr(module, "__file__", None)
    file = Path(given).resolve() if isinstance(given, str) else None
    if file is None or root not in file.parents or _NOT_OURS.intersection(file.parts):
        return None
    return None if Path(sys.prefix).resolve() in file.parents else file


def main(folder: Path) -> None:
    """What runs in the process of its own."""
    asked = json.loads((folder / "asked.json").read_text(encoding="utf-8"))
    error = None
    try:
        build(folder, asked)
    except BaseException as raised:  # a model file may call sys.exit()
        error = f"{type(raised).__name__}: {(str(raised).splitlines() or [''])[0]}"
    (folder / "done.json").write_text(json.dumps({"error": error}), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
