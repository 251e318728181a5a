from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.bisecting.state import Asked, State, opened
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

ASKED = Asked(good="a" * 40, bad="b" * 40, metric=None, arguments=("tests", "-k", "a b"))
OTHER = Asked(good="a" * 40, bad="b" * 40, metric="tone", arguments=())


def test_what_is_saved_is_there_again(tmp_path: Path) -> None:
    with opened(tmp_path, ASKED, restart=False) as state:
        state.skipped["c" * 40] = "its session collected no test"
        state.runs["d" * 40] = 2
        state.save()
    with opened(tmp_path, ASKED, restart=False) as again:
        assert again == State(asked=ASKED, skipped={"c" * 40: "its session collected no test"}, runs={"d" * 40: 2})
        again.drop()
        again.drop()
    with opened(tmp_path, OTHER, restart=False) as new:
        assert (new.skipped, new.runs) == ({}, {})
    assert (tmp_path / ".genaiver" / ".gitignore").read_text() == "*\n"


def test_another_search_is_told_by_its_command(tmp_path: Path) -> None:
    with opened(tmp_path, OTHER, restart=False):
        pass
    with (
        pytest.raises(ConfigError, match="genaiver bisect aaaaaaaaaaaa bbbbbbbbbbbb --metric tone, or drop it"),
        opened(tmp_path, ASKED, restart=False),
    ):
        pass
    with opened(tmp_path, ASKED, restart=True) as state:
        assert state.asked == ASKED


def test_one_at_a_time(tmp_path: Path) -> None:
    with (
        opened(tmp_path, ASKED, restart=False),
        pytest.raises(ConfigError, match="another genaiver bisect is running"),
        opened(tmp_path, ASKED, restart=True),
    ):
        pass


@pytest.mark.parametrize("text", ["", "{}", "[]", "{", json.dumps({"schema": 99})])
def test_a_file_of_another_release_is_not_gone_on_with(tmp_path: Path, text: str) -> None:
    (tmp_path / ".genaiver").mkdir()
    (tmp_path / ".genaiver" / "bisect.json").write_text(text)
    with opened(tmp_path, ASKED, restart=False) as state:
        assert state.skipped == {}
