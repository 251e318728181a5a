"""Call back when a module is imported, now or later.

MLflow brings such hooks, but its loader implements only the deprecated `load_module`: with warnings as errors, which
many suites have, the hooked import would fail.
"""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType


class ImportHook(MetaPathFinder):
    """`callbacks`: module name -> what to call once that module is imported, in the importing thread."""

    def __init__(self, callbacks: dict[str, Callable[[], None]]) -> None:
        self._waiting = dict(callbacks)

    def install(self) -> None:
        """Call back for what is imported already, and wait for the rest."""
        for name in [n for n in self._waiting if n in sys.modules]:
            self._waiting.pop(name)()
        sys.meta_path.insert(0, self)

    def uninstall(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._waiting:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            if finder is self or find is None:
                continue
            spec: ModuleSpec | None = find(fullname, path, target)
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    spec.loader = _Loader(spec, lambda: self._imported(fullname))
                return spec
        return None

    def _imported(self, name: str) -> None:
        if callback := self._waiting.pop(name, None):
            callback()


class _Loader(Loader):
    """The real loader, and a call when it is done."""

    def __init__(self, spec: ModuleSpec, done: Callable[[], None]) -> None:
        self._spec = spec
        self._real: Any = spec.loader
        self._done = done

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._real.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The module itself must see the loader that it would have without us.
        module.__loader__ = self._spec.loader = self._real
        self._real.exec_module(module)
        self._done()

    def __getattr__(self, name: str) -> Any:
        """`importlib.util.find_spec` shows this loader to callers who only look: it is the real one to them."""
        return getattr(self._real, name)
