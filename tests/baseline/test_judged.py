"""What judges said in recorded sessions: the newest counts, and what cannot be read is asked again."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_genaiver.baseline.judged import earlier_judgements
from pytest_genaiver.core.judgements import Judgement
from pytest_genaiver.errors import GenaiverWarning, StoreError


def found(texts: dict[str, str | Exception], *, own: list[str], pooled: list[str] | None) -> dict[str, Any]:
    """Of sessions of this version and of its baseline, newest first, each with what its run holds."""

    def read_more(run_id: str, _: str) -> str:
        text = texts.get(run_id, "")
        if isinstance(text, Exception):
            raise text
        return text

    sessions = [SimpleNamespace(run_id=run) for run in own]
    store = SimpleNamespace(sessions=lambda model_id: sessions, read_more=read_more)
    opened: Any = SimpleNamespace(store=store, version=SimpleNamespace(model_id="m-1"))
    pool = None if pooled is None else SimpleNamespace(sessions=[SimpleNamespace(run_id=run) for run in pooled])
    baseline: Any = SimpleNamespace(pool=pool)
    return earlier_judgements(opened, baseline)


def said(value: float) -> str:
    return json.dumps({"k": [["tone", value, None]]})


def test_the_newest_session_counts_and_this_version_before_its_baseline() -> None:
    texts: dict[str, str | Exception] = {"new": said(3), "old": said(2), "base": said(1)}
    assert found(texts, own=["new", "old"], pooled=["base", ""]) == {"k": [Judgement(name="tone", value=3.0)]}
    assert found(texts, own=["old"], pooled=["base"]) == {"k": [Judgement(name="tone", value=2.0)]}
    assert found(texts, own=["none"], pooled=["base"]) == {"k": [Judgement(name="tone", value=1.0)]}
    assert found(texts, own=[], pooled=None) == {}


@pytest.mark.parametrize("text", ["{", '{"k": 1}', StoreError("the store is away")])
def test_what_cannot_be_read_is_asked_again_and_said_so(text: str | Exception) -> None:
    with pytest.warns(GenaiverWarning, match="judgements of run broken cannot be read, judges are asked again"):
        assert set(found({"broken": text, "base": said(1)}, own=["broken"], pooled=["base"])) == {"k"}
