"""The limit on what is known to be spent."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.running import spending
from pytest_genaiver.running.spending import Purse, SharedPurse

if TYPE_CHECKING:
    from pathlib import Path


def test_a_purse_refuses_once_its_limit_is_reached() -> None:
    purse = Purse(0.5)
    purse.pay(0.4)
    assert purse.refusal() is None
    purse.pay(0.1)
    assert purse.refusal() == "genaiver: the known cost has reached --genai-max-cost (0.5 USD)"


def test_without_a_limit_nothing_is_refused() -> None:
    purse = Purse(None)
    purse.pay(1e9)
    assert purse.refusal() is None
    assert purse.total() == 1e9


def test_threads_of_one_process_pay_at_once(tmp_path: Path) -> None:
    purse, together, errors = SharedPurse(1.0, tmp_path, "gw0"), threading.Barrier(8), []

    def pay() -> None:
        together.wait()
        try:
            for _ in range(50):
                purse.pay(0.001)
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=pay) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert json.loads((tmp_path / "gw0-spent.json").read_text()) == pytest.approx(0.4)


def test_processes_share_one_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spending, "_FRESH", 0.0)
    one, other = SharedPurse(1.0, tmp_path, "gw0"), SharedPurse(1.0, tmp_path, "gw1")
    one.pay(0.6)
    assert other.refusal() is None
    other.pay(0.4)
    assert one.refusal() is not None
    assert other.refusal() is not None
