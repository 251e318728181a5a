"""Findings, and work that may take only so long."""

from __future__ import annotations

import threading

import pytest

from pytest_genaiver.cli.checks.finding import fail, ok, release, warn, within


def test_json() -> None:
    assert warn("clock", "late", "NTP").to_json() == {"check": "clock", "state": "warn", "text": "late", "fix": "NTP"}
    assert (ok("git", "there").fix, fail("git", "gone", "install").state) == (None, "fail")


@pytest.mark.parametrize(
    ("version", "numbers"),
    [("3.17.2", (3, 17, 2)), ("3.18.0rc1", (3, 18, 0)), ("9", (9,)), ("unknown", ()), ("", ())],
)
def test_releases_compare(version, numbers) -> None:
    assert release(version) == numbers


def test_work_returns_raises_or_is_left_behind() -> None:
    assert within(5, lambda: 1) == 1
    with pytest.raises(KeyError):
        within(5, lambda: {}["x"])
    end = threading.Event()
    with pytest.raises(TimeoutError):
        within(0.01, end.wait)
    end.set()
