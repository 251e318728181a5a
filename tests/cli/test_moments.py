"""Times as they are written and shown."""

from __future__ import annotations

import time
from datetime import datetime, timezone

import pytest

from pytest_genaiver.cli.moments import Moment, read_moment, short_moment, shown_moment
from pytest_genaiver.errors import ConfigError

NOW = datetime(2026, 5, 5, 5, tzinfo=timezone.utc)


@pytest.fixture
def east(monkeypatch):
    """This machine is two hours ahead."""
    monkeypatch.setenv("TZ", "XXX-2")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-01-31T14:30:15Z", "2026-01-31T14:30:15"),
        ("2026-01-31T14:30Z", "2026-01-31T14:30:00"),
        ("2026-01-31 14:30:15.5+01:00", "2026-01-31T13:30:15.500000"),
        ("2026-01-31T14:30:15,123456789+0530", "2026-01-31T09:00:15.123456"),
        ("2026-01-31T14:30:00-08", "2026-01-31T22:30:00"),
        ("2026-01-31T14:30:00 +01:00", "2026-01-31T13:30:00"),
        ("2026-01-31T14:30", "2026-01-31T12:30:00"),
        (" 2026-01-31 ", "2026-01-30T22:00:00"),
        ("now", "2026-05-05T05:00:00"),
        ("NOW", "2026-05-05T05:00:00"),
    ],
)
def test_a_time_without_a_zone_is_this_machine_s(east, text, utc) -> None:
    assert read_moment(text, lambda: NOW) == datetime.fromisoformat(utc).replace(tzinfo=timezone.utc)


NO_TIMES = (
    *(
        "",
        "yesterday",
        "2026",
        "2026-13-01",
        "2026-02-30",
        "2026-01-31T25:00",
        "2026-01-31T14",
        "2026-01-31Z",
        "14:30",
    ),
    *(
        "2026-01-31T14:30:61",
        "2026-01-31T14:30.5",
        "2026-01-31T14:30+25:00",
        "1700000000",
        "0000-01-01",
        "٢٠٢٦-01-01",
    ),
    *("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2026-01-31T14:30Zulu", "2026-01-31\n2026"),
)


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time_is_one_sentence(text) -> None:
    with pytest.raises(
        ConfigError, match=r"time: .* cannot be used; give an ISO 8601 time, such as 2026-01-31T14:30"
    ):
        Moment().convert(text, None, None)


def test_a_time_is_taken_as_it_is() -> None:
    assert Moment().convert(NOW, None, None) is NOW


def test_shown_in_this_machine_s_zone(east) -> None:
    assert shown_moment(NOW) == "2026-05-05 07:00:00 +0200"
    assert short_moment(NOW) == "2026-05-05 07:00"
