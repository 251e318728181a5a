"""What a version is known to score."""

from __future__ import annotations

import pytest

from pytest_genaiver.core.known import known_metrics
from pytest_genaiver.core.policy import MetricPolicy
from pytest_genaiver.core.pooling import pool


def test_means_over_all_sessions_with_their_numbers(recorded) -> None:
    sessions = [
        recorded("v", session="b", m={"t[a]": [1.0], "t[b]": [None]}, cost={"t[a]": [1.0], "t[b]": [4.0]}),
        recorded("v", session="a", m={"t[a]": [0.0]}, none={"t[a]": [None]}),
    ]
    found = {k.metric: k for k in known_metrics(pool(sessions), MetricPolicy)}
    assert list(found) == ["m", "cost"]
    assert (found["m"].mean, found["m"].values, found["m"].cases, found["m"].kind) == (0.5, 2, 1, "binary")
    # What is compared by its ratio has a geometric mean.
    assert found["cost"].mean == pytest.approx(2.0)
