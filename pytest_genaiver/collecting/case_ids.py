"""What a case is called: its node id, the same from whichever folder pytest was started, without its variant."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import pytest

from pytest_genaiver.collecting.parameters import id_without


def case_id(item: pytest.Item, toplevel: Path | None, variant_params: tuple[str, ...] = ()) -> str:
    """The case's id: ``tests/test_a.py::TestB::test_c[parameter id]``, without the parts of `variant_params`.

    The path is relative to `toplevel`, git's top folder, or to pytest's rootdir outside git: the same case
    has the same id from whichever folder pytest was started.
    """
    whole = "::".join([_path(item, toplevel), *_names(item)])
    if not variant_params:
        return whole
    rest = id_without(item, variant_params)
    return whole.removesuffix(f"[{param_id(item)}]") + (f"[{rest}]" if rest else "")


def function_id(item: pytest.Item, toplevel: Path | None) -> str:
    """The id of the test function: the case's id without its parameter id."""
    return case_id(item, toplevel).removesuffix(f"[{param_id(item)}]")


def param_id(item: pytest.Item) -> str:
    """The parameter id, as between the brackets of the node id; empty for a test without parameters."""
    callspec = getattr(item, "callspec", None)
    return "" if callspec is None else str(callspec.id)


def _names(item: pytest.Item) -> list[str]:
    # Not from item.nodeid: pytest-xdist's --dist loadgroup appends the group to it.
    chain = item.listchain()
    files = [place for place, node in enumerate(chain) if isinstance(node, pytest.File)]
    return [node.name for node in chain[files[-1] + 1 if files else -1 :]]


def _path(item: pytest.Item, toplevel: Path | None) -> str:
    return _relative(item.path, toplevel or item.config.rootpath)


@lru_cache(maxsize=256)
def _relative(path: Path, folder: Path) -> str:
    # Asked for each of a file's items, twice: its thousands of rows share one answer.
    if path.is_relative_to(folder):
        return path.relative_to(folder).as_posix()
    # git resolves symbolic links, pytest does not.
    return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
